//! Requests that leave: where they may go, and what they take back.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use elastane::app::outgoing::{MAX_RESPONSE_BYTES, Outgoing, TargetUrl, is_public};
use elastane::domain::error::Kind;
use serde_json::json;

/// Addresses of every private network of IPv4, at both ends of it.
const PRIVATE_V4: &str = "
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1
    192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255
";

/// Addresses of IPv6 that are no public server's.
const PRIVATE_V6: &str = "
    :: ::1 fc00::1 fd12:3456::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 100::1 2001::1 2001:2::1
    2001:10::1 2001:20::1 2001:db8::1 2002::1 3fff::1 5f00::1 4000::1 1fff::1 64:ff9b:1::1
";

/// Public addresses, the neighbours of private networks among them.
const PUBLIC: &str = "
    1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
    169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0
    198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 2a00:1450::1 2001:4860:4860::8888
    64:ff9b::1.1.1.1 ::ffff:1.1.1.1 3ffe::1
";

/// What is no target, or hides where it leads.
const NO_TARGETS: &[&str] = &[
    "",
    "x",
    "example.com",
    "//example.com/",
    "/path",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "http://",
    "http:///path",
    "http://:80/",
    "http:example.com",
    "http://user@example.com/",
    "http://user:pw@example.com/",
    "http://@example.com/",
    "http://1.1.1.1@127.0.0.1/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:x/",
    "http://example.com:/",
    "http://example.com:+80/",
    "http://exa mple.com/",
    "http://example.com/\r\nX: y",
    "http://example.com/\0",
    "http://bücher.example/",
    "http://１２７.0.0.1/",
    "http://example.com\\@127.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://[::1/",
    "http://::1/",
    "http://[fe80::1%25eth0]/",
    "http://[example.com]/",
    "http://a..b/",
    "http://./",
    "http://256.1.1.1/",
    "http://1.2.3.4.5/",
    "http://08.0.0.1/",
    "http://0xfffffffff/",
    "http://99999999999/",
    "http://a,b/",
    "http://*.example.com/",
];

#[test]
fn every_private_address_is_refused_in_every_form_and_public_ones_are_not() {
    for text in PRIVATE_V4.split_whitespace() {
        let v4: Ipv4Addr = text.parse().unwrap();
        assert!(!is_public(IpAddr::V4(v4)), "{text}");
        let [a, b, c, d] = v4.octets();
        let hex = format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
        for v6 in [
            format!("::ffff:{text}"),
            format!("::{text}"),
            format!("64:ff9b::{text}"),
            format!("64:ff9b:1::{text}"),
            format!("2002:{hex}::1"),
            format!("::ffff:0:{text}"),
        ] {
            assert!(!is_public(v6.parse().unwrap()), "{v6}");
        }
    }
    for text in PRIVATE_V6.split_whitespace() {
        assert!(!is_public(text.parse().unwrap()), "{text}");
    }
    for text in PUBLIC.split_whitespace() {
        assert!(is_public(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn a_target_is_an_http_url_with_a_host_and_nothing_that_hides_one() {
    for good in [
        "http://example.com",
        "https://example.com/hook?a=b&c=%20",
        "HTTPS://EXAMPLE.COM:8443/x",
        "http://example.com./",
        "http://1.1.1.1/",
        "http://[2606:4700::1111]:80/",
        "http://xn--bcher-kva.example/",
        "http://a_b.example/",
        "http://3com.example/",
        "http://0xg/",
    ] {
        TargetUrl::parse("callback", good, false).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    let too_long = format!("http://example.com/{}", "x".repeat(2048));
    let long_host = format!("http://{}.example/", "x".repeat(250));
    let long = [too_long.as_str(), long_host.as_str()];
    for bad in NO_TARGETS.iter().copied().chain(long) {
        let Err(error) = TargetUrl::parse("callback", bad, false) else {
            panic!("{bad} was taken");
        };
        assert_eq!(error.kind(), Kind::Invalid, "{bad}");
        assert_eq!(error.fields()[0].field, "callback", "{bad}");
    }
}

#[test]
fn a_private_address_is_seen_in_every_notation() {
    for text in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0x7f.0.0.0x1",
        "127.0.0.1.",
        "0",
        "0x",
        "0x7F.0.0.1",
        "000000177.0.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "10.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
    ] {
        let url = format!("http://{text}:8080/x");
        let error = TargetUrl::parse("callback", &url, false).unwrap_err();
        assert!(
            error.message().contains("private or local address"),
            "{url}: {error}"
        );
        TargetUrl::parse("callback", &url, true).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    let plain = TargetUrl::parse("callback", "HTTP://0x7F.1:8080/x?token=t", true).unwrap();
    assert_eq!(plain.as_text(), "http://127.0.0.1:8080/x?token=t");
    assert_eq!(format!("{plain:?}"), "TargetUrl(127.0.0.1)");
}

/// Answers each connection with the next of `answers`, and sends on what it read.
pub(super) fn server(address: [u8; 4], answers: Vec<String>) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::from(address), 0)).unwrap();
    let at = listener.local_addr().unwrap();
    let (sender, seen) = channel();
    let serve = move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let _ = sender.send(read_request(&mut stream));
            let _ = stream.write_all(answer.as_bytes());
        }
    };
    elastane::thread::spawn("test-server", None, serve).unwrap();
    (at, seen)
}

/// Reads a request with its body.
pub(super) fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).to_string();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")
                        .map(str::to_owned)
                })
                .map_or(0, |length| length.parse::<usize>().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => read.extend_from_slice(&buffer[..count]),
            _ => return text,
        }
    }
}

pub(super) fn ok() -> String {
    "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi".to_owned()
}

pub(super) fn redirect(status: u16, to: &str) -> String {
    format!(
        "HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

pub(super) fn url(at: SocketAddr, path: &str) -> TargetUrl {
    TargetUrl::parse("url", &format!("http://{at}{path}"), true).unwrap()
}

#[test]
fn a_local_target_is_refused_by_default_and_nothing_is_sent() {
    let (at, seen) = server([127, 0, 0, 1], vec![ok()]);
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let target =
            TargetUrl::parse("url", &format!("http://{host}:{}/", at.port()), true).unwrap();
        let error = Outgoing::new(false)
            .post_json(&target, &json!({"api_secret": "s3cret"}))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden, "{host}");
        assert!(!format!("{error:?}").contains("s3cret"));
    }
    assert!(seen.try_recv().is_err(), "somebody connected");
}

#[test]
fn a_local_target_is_reached_where_the_setting_allows_it() {
    let (at, seen) = server([127, 0, 0, 1], vec![ok(), ok()]);
    let outgoing = Outgoing::new(true);
    let body = json!({"id": "1", "api_secret": "s"});
    assert_eq!(
        outgoing.post_json(&url(at, "/hook?x=1"), &body).unwrap(),
        201
    );
    let request = seen.recv().unwrap();
    assert!(
        request.starts_with("POST /hook?x=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request
            .to_lowercase()
            .contains("content-type: application/json\r\n"),
        "{request}"
    );
    assert!(request.ends_with(&body.to_string()), "{request}");
    let by_name =
        TargetUrl::parse("url", &format!("http://localhost:{}/", at.port()), true).unwrap();
    assert_eq!(outgoing.post_json(&by_name, &body).unwrap(), 201);
}

#[test]
fn a_redirect_to_a_private_address_is_refused() {
    let (inner, seen_inside) = server([127, 0, 0, 1], vec![ok()]);
    let outgoing = Outgoing::new(false).allowing([IpAddr::from([127, 0, 0, 2])]);
    let hidden = format!("http://0x7f000001:{}/", inner.port());
    for location in [
        format!("http://{inner}/"),
        hidden,
        format!("http://localhost:{}/", inner.port()),
    ] {
        let (outer, seen_outside) = server([127, 0, 0, 2], vec![redirect(307, &location)]);
        let error = outgoing
            .post_json(&url(outer, "/"), &json!({}))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden, "{location}: {error}");
        seen_outside.recv().unwrap();
    }
    assert!(seen_inside.try_recv().is_err(), "somebody connected");
}

#[test]
fn a_redirect_keeps_the_body_or_is_not_followed() {
    let outgoing = Outgoing::new(true);
    let (to, seen) = server([127, 0, 0, 1], vec![ok()]);
    let (from, _) = server(
        [127, 0, 0, 1],
        vec![redirect(308, &format!("http://{to}/new"))],
    );
    assert_eq!(
        outgoing
            .post_json(&url(from, "/"), &json!({"a": 1}))
            .unwrap(),
        201
    );
    let request = seen.recv().unwrap();
    assert!(
        request.starts_with("POST /new ") && request.ends_with(r#"{"a":1}"#),
        "{request}"
    );
    for status in [301, 302, 303] {
        let (from, _) = server(
            [127, 0, 0, 1],
            vec![redirect(status, "http://127.0.0.1:1/")],
        );
        assert_eq!(
            outgoing.post_json(&url(from, "/"), &json!({})).unwrap(),
            status
        );
    }
}

#[test]
fn a_relative_redirect_stays_on_its_host() {
    for (location, path) in [("/b/c?d", "/b/c?d"), ("x", "/a/x"), ("//{at}/y", "/y")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let location = location.replace("{at}", &at.to_string());
        let (sender, seen) = channel();
        let serve = move || {
            for answer in [redirect(307, &location), ok()] {
                let (mut stream, _) = listener.accept().unwrap();
                sender.send(read_request(&mut stream)).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        };
        elastane::thread::spawn("test-server", None, serve).unwrap();
        assert_eq!(
            Outgoing::new(true)
                .post_json(&url(at, "/a/b"), &json!({}))
                .unwrap(),
            201
        );
        seen.recv().unwrap();
        let second = seen.recv().unwrap();
        assert!(second.starts_with(&format!("POST {path} ")), "{second}");
    }
}

#[test]
fn redirects_end_after_five() {
    let (at, seen) = server([127, 0, 0, 1], vec![redirect(307, "/again"); 20]);
    let error = Outgoing::new(true)
        .post_json(&url(at, "/"), &json!({}))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(seen.try_iter().count(), 6);
}

#[test]
fn redirects_to_what_is_no_target_end_there() {
    for location in [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://u@127.0.0.1/",
        "http://127.0.0.1:0/",
    ] {
        let (at, _) = server([127, 0, 0, 1], vec![redirect(307, location)]);
        let error = Outgoing::new(true)
            .post_json(&url(at, "/"), &json!({}))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{location}");
        assert!(
            error.message().contains("redirect can't be followed"),
            "{location}: {error}"
        );
    }
}

#[test]
fn an_endless_answer_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let (sender, sent) = channel();
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let chunk = vec![b'x'; 65_536];
        let mut count = 0_u64;
        while stream.write_all(&chunk).is_ok() {
            count += chunk.len() as u64;
        }
        sender.send(count).unwrap();
    };
    elastane::thread::spawn("test-server", None, serve).unwrap();
    assert_eq!(
        Outgoing::new(true)
            .post_json(&url(at, "/"), &json!({}))
            .unwrap(),
        200
    );
    let count = sent.recv().unwrap();
    // What the sockets' buffers hold comes on top.
    assert!(count < MAX_RESPONSE_BYTES + 16 * 1024 * 1024, "{count}");
}

#[test]
fn a_target_that_refuses_or_talks_nonsense_is_unavailable_without_the_body() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (nonsense, _) = server([127, 0, 0, 1], vec!["SSH-2.0-x\r\n\r\n".to_owned()]);
    let (silent, _) = server([127, 0, 0, 1], vec![String::new()]);
    let long_head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let (endless, _) = server([127, 0, 0, 1], vec![long_head]);
    for at in [closed, nonsense, silent, endless] {
        let error = Outgoing::new(true)
            .post_json(&url(at, "/p"), &json!({"k": "s3cret"}))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn an_https_target_that_does_not_speak_tls_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let (sender, seen) = channel();
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut first = [0; 3];
        stream.read_exact(&mut first).unwrap();
        sender.send(first).unwrap();
        stream.write_all(ok().as_bytes()).unwrap();
    };
    elastane::thread::spawn("test-server", None, serve).unwrap();
    let target = TargetUrl::parse("url", &format!("https://{at}/"), true).unwrap();
    let error = Outgoing::new(true)
        .post_json(&target, &json!({}))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(
        seen.recv().unwrap()[..2],
        [22, 3],
        "no handshake of TLS was begun"
    );
}

#[test]
fn a_user_name_in_a_url_is_named_as_the_fault() {
    for url in ["http://me@example.com/", "http://me:pw@example.com/"] {
        let error = TargetUrl::parse("callback", url, true).unwrap_err();
        assert_eq!(
            error.message(),
            "callback must not hold a user name or password"
        );
    }
}
