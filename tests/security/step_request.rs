//! Requests of steps: what is sent, what comes back, and how failures are told apart.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use elastane::app::outgoing::{MAX_RESPONSE_BYTES, Outgoing, SendFault, StepRequest, TargetUrl};
use elastane::domain::Kind;

use super::outgoing::{ok, read_request, redirect, server, url};

/// Makes a request to a local server.
fn request(method: &str, at: SocketAddr) -> StepRequest {
    StepRequest::new(method, url(at, "/a?b=c"))
}

/// Sends a request that must fail, and returns why it did.
#[track_caller]
fn fault_of(outgoing: &Outgoing, request: &StepRequest) -> SendFault {
    match outgoing.send(request) {
        Ok(answer) => panic!("it was answered: {answer:?}"),
        Err(error) => error.fault,
    }
}

#[test]
fn any_method_takes_headers_and_a_body() {
    for method in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        let (at, seen) = server([127, 0, 0, 1], vec![ok()]);
        let mut request = request(method, at);
        request.headers = vec![
            ("X-Key".to_owned(), "k1".to_owned()),
            ("x-key".to_owned(), " k2 ".to_owned()),
            ("Content-Length".to_owned(), "999".to_owned()),
            ("Transfer-Encoding".to_owned(), "chunked".to_owned()),
        ];
        request.body = Some(b"hello".to_vec());
        let answer = Outgoing::new(true).send(&request).unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (201, &b"hi"[..]),
            "{method}"
        );
        let sent = seen.recv().unwrap();
        let low = sent.to_lowercase();
        assert!(
            sent.starts_with(&format!("{method} /a?b=c HTTP/1.1\r\n")),
            "{sent}"
        );
        assert!(
            low.contains("x-key: k1\r\n") && low.contains("x-key: k2\r\n"),
            "{sent}"
        );
        assert!(low.contains("content-length: 5\r\n"), "{sent}");
        assert!(
            !low.contains("chunked") && sent.ends_with("\r\n\r\nhello"),
            "{sent}"
        );
    }
}

#[test]
fn a_request_without_a_body_has_none() {
    for (method, length) in [
        ("GET", false),
        ("HEAD", false),
        ("DELETE", false),
        ("POST", true),
    ] {
        let (at, seen) = server([127, 0, 0, 1], vec![ok()]);
        Outgoing::new(true).send(&request(method, at)).unwrap();
        let sent = seen.recv().unwrap().to_lowercase();
        assert_eq!(sent.contains("content-length: 0\r\n"), length, "{sent}");
        assert!(!sent.contains("transfer-encoding"), "{sent}");
    }
}

#[test]
fn the_answer_comes_back_whole_whatever_its_status() {
    let answer = "HTTP/1.1 404 Nope\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 3\r\n\r\n\0\u{7f}x";
    let (at, _) = server([127, 0, 0, 1], vec![answer.to_owned()]);
    let answer = Outgoing::new(true).send(&request("GET", at)).unwrap();
    assert_eq!(
        (answer.status, answer.status_text.as_str()),
        (404, "Not Found")
    );
    assert_eq!(answer.body, b"\0\x7fx");
    let cookies = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    assert_eq!(
        cookies.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
        ["a=1", "b=2"]
    );
    assert_eq!(answer.header("content-length"), Some("3"));
}

#[test]
fn redirects_change_the_method_as_browsers_do() {
    for (status, method, expected, keeps_body) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "PUT", "GET", false),
        (307, "POST", "POST", true),
        (308, "PUT", "PUT", true),
        (302, "DELETE", "DELETE", true),
    ] {
        let (to, seen) = server([127, 0, 0, 1], vec![ok()]);
        let (from, _) = server(
            [127, 0, 0, 1],
            vec![redirect(status, &format!("http://{to}/n"))],
        );
        let mut request = request(method, from);
        request.body = Some(b"data".to_vec());
        assert_eq!(Outgoing::new(true).send(&request).unwrap().status, 201);
        let sent = seen.recv().unwrap();
        assert!(
            sent.starts_with(&format!("{expected} /n ")),
            "{status} {method}: {sent}"
        );
        assert_eq!(
            sent.ends_with("data"),
            keeps_body,
            "{status} {method}: {sent}"
        );
    }
}

#[test]
fn a_redirect_is_the_answer_where_it_is_not_to_be_followed() {
    let (at, _) = server([127, 0, 0, 1], vec![redirect(302, "http://127.0.0.1:1/")]);
    let mut request = request("GET", at);
    request.follow_redirects = false;
    let answer = Outgoing::new(true).send(&request).unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some("http://127.0.0.1:1/"));
}

#[test]
fn secrets_do_not_follow_to_another_host() {
    let (to, seen) = server([127, 0, 0, 1], vec![ok()]);
    let (from, _) = server(
        [127, 0, 0, 1],
        vec![redirect(307, &format!("http://{to}/"))],
    );
    let mut request = request("GET", from);
    for (name, value) in [
        ("Authorization", "Bearer t"),
        ("Cookie", "c=1"),
        ("X-Api-Key", "k"),
        ("Accept", "text/html"),
    ] {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    Outgoing::new(true).send(&request).unwrap();
    let sent = seen.recv().unwrap().to_lowercase();
    assert!(sent.contains("accept: text/html\r\n"), "{sent}");
    for secret in ["authorization", "cookie", "x-api-key"] {
        assert!(!sent.contains(secret), "{sent}");
    }
}

#[test]
fn a_private_target_is_refused_at_once_and_behind_a_redirect() {
    let (inner, seen) = server([127, 0, 0, 1], vec![ok()]);
    assert_eq!(
        fault_of(&Outgoing::new(false), &request("GET", inner)),
        SendFault::Refused
    );
    let outer_only = Outgoing::new(false).allowing([IpAddr::from([127, 0, 0, 2])]);
    let (outer, _) = server(
        [127, 0, 0, 2],
        vec![redirect(302, &format!("http://{inner}/"))],
    );
    assert_eq!(
        fault_of(&outer_only, &request("GET", outer)),
        SendFault::Refused
    );
    assert!(seen.try_recv().is_err(), "somebody connected");
}

#[test]
fn failures_are_told_apart() {
    let outgoing = Outgoing::new(true);
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        fault_of(&outgoing, &request("GET", closed)),
        SendFault::Connect
    );
    let (nonsense, _) = server([127, 0, 0, 1], vec!["SSH-2.0-x\r\n\r\n".to_owned()]);
    assert_eq!(
        fault_of(&outgoing, &request("GET", nonsense)),
        SendFault::Protocol
    );
    let (again, _) = server([127, 0, 0, 1], vec![redirect(302, "/again"); 9]);
    assert_eq!(
        fault_of(&outgoing, &request("GET", again)),
        SendFault::Redirect
    );

    // Nobody accepts, so nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut slow = request("GET", silent.local_addr().unwrap());
    slow.timeout_ms = 50;
    assert_eq!(fault_of(&outgoing, &slow), SendFault::Timeout);

    let big = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{}",
        "x".repeat(11)
    );
    let (at, _) = server([127, 0, 0, 1], vec![big.clone(), big]);
    let mut small = request("GET", at);
    small.response_max_bytes = 10;
    assert_eq!(fault_of(&outgoing, &small), SendFault::TooLarge);
    small.response_max_bytes = 11;
    assert_eq!(outgoing.send(&small).unwrap().body.len(), 11);
}

#[test]
fn an_answer_over_the_limit_of_all_steps_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let chunk = vec![b'x'; 65_536];
        while stream.write_all(&chunk).is_ok() {}
    };
    elastane::thread::spawn("test-server", None, serve).unwrap();
    let mut endless = request("GET", at);
    endless.response_max_bytes = u64::MAX;
    let error = Outgoing::new(true).send(&endless).unwrap_err();
    assert_eq!(error.fault, SendFault::TooLarge);
    assert!(
        error.message.contains(&MAX_RESPONSE_BYTES.to_string()),
        "{error}"
    );
}

#[test]
fn what_can_not_be_sent_is_invalid_and_not_repeated() {
    let (at, seen) = server([127, 0, 0, 1], vec![ok()]);
    for method in ["", "G T", "GET\r\n", "CONNECT", "TRACE"] {
        assert_eq!(
            fault_of(&Outgoing::new(true), &request(method, at)),
            SendFault::Invalid
        );
    }
    for (name, value) in [
        ("a b", "x"),
        ("", "x"),
        ("a", "x\r\nSecret: y"),
        ("a\n", "x"),
    ] {
        let mut request = request("GET", at);
        request.headers.push((name.to_owned(), value.to_owned()));
        let error = Outgoing::new(true).send(&request).unwrap_err();
        assert_eq!(error.fault, SendFault::Invalid, "{name:?}");
        assert!(!error.message.contains("Secret"), "{error}");
        assert!(!error.may_pass());
    }
    assert!(seen.try_recv().is_err(), "somebody connected");
}

#[test]
fn the_url_of_a_step_is_encoded_behind_its_host() {
    let of = |text: &str| TargetUrl::of_step("url", text, false).map(|url| url.as_text());
    for (text, expected) in [
        (" http://example.com ", "http://example.com/"),
        (
            "http://example.com/a b?q=Zoë|x%20",
            "http://example.com/a%20b?q=Zo%C3%AB%7Cx%20",
        ),
        (
            "http://example.com?q={\"a\"}",
            "http://example.com/?q=%7B%22a%22%7D",
        ),
        (
            "http://example.com/a\r\nX: y",
            "http://example.com/a%0D%0AX:%20y",
        ),
        ("http://example.com/a#b", "http://example.com/a"),
    ] {
        assert_eq!(of(text).unwrap(), expected);
    }
    let long = format!("http://example.com/{}", "x".repeat(16 * 1024));
    for bad in [
        "",
        "x",
        "http://a\\b/",
        "http://exa mple.com/",
        "http://me:pw@example.com/",
        "http://Zoë.de/",
        &long,
    ] {
        let error = of(bad).unwrap_err();
        assert_eq!(
            (error.kind(), error.fields()[0].field.as_str()),
            (Kind::Invalid, "url"),
            "{bad}"
        );
    }
    for private in [
        "http://127.0.0.1/",
        "http://localhost/ x",
        "http://[::1]/",
        "http://0x7f.1/",
    ] {
        assert!(of(private).is_err(), "{private}");
        assert!(
            TargetUrl::of_step("url", private, true).is_ok(),
            "{private}"
        );
    }
}

/// A server with a certificate that nobody knows; killed when dropped.
struct TlsServer {
    child: Child,
    at: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts OpenSSL's test server.
fn tls_server() -> TlsServer {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .status()
        .expect("the program `openssl`, which this test needs");
    assert!(made.success());
    let at = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    fs::write(folder.path().join("hello"), "hi").unwrap();
    let child = Command::new("openssl")
        .args([
            "s_server", "-quiet", "-WWW", "-key", "key.pem", "-cert", "cert.pem", "-accept",
        ])
        .arg(at.to_string())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = TlsServer {
        child,
        at,
        _folder: folder,
    };
    for _ in 0..500 {
        if std::net::TcpStream::connect(at).is_ok() {
            return server;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("`openssl s_server` never listened");
}

#[test]
fn a_certificate_that_proves_nothing_is_taken_only_where_the_step_says_so() {
    let server = tls_server();
    let target = TargetUrl::parse("url", &format!("https://{}/hello", server.at), true).unwrap();
    let mut request = StepRequest::new("GET", target);
    let outgoing = Outgoing::new(true);
    let error = outgoing.send(&request).unwrap_err();
    assert_eq!(error.fault, SendFault::Tls, "{error}");
    request.any_certificate = true;
    assert_eq!(outgoing.send(&request).unwrap().body, b"hi");
    request.any_certificate = false;
    assert_eq!(
        fault_of(&outgoing, &request),
        SendFault::Tls,
        "the next request is strict again"
    );
}
