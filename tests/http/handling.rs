//! What a handler sees, and what becomes of its answers.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;

use elastane::http::Settings;

use super::support::{BIG_BYTES, Room, until};

#[test]
fn requests_are_decoded_once() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(
        b"GET /see/a%2Fb/%2541/?x=%26+y&x&z=%3D HTTP/1.1\r\nhOST: a\r\nX-SEE:  two words \r\n\r\n",
    );
    let expected =
        r#"["see", "a/b", "%41"] [("x", "& y"), ("x", ""), ("z", "=")] Some("two words")"#;
    assert_eq!(client.answer().text(), expected);
}

#[test]
fn the_host_is_that_of_the_target_before_that_of_the_header() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(
        b"GET /host HTTP/1.1\r\nHost: a:1\r\n\r\nGET http://b:2/host HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    client.send(b"GET /host HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().text(), "Some(\"a:1\") Http11");
    assert_eq!(client.answer().text(), "Some(\"b:2\") Http11");
    assert_eq!(client.answer().text(), "None Http10");
}

#[test]
fn only_a_trusted_proxy_may_name_the_client() {
    let asked = b"GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.9.9.9, 10.0.0.7\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n";
    let plain = Room::new();
    let mut client = plain.connect();
    client.send(asked);
    assert_eq!(client.answer().text(), "Some(127.0.0.1) Some(127.0.0.1)");
    let trusting = Room::with(Settings {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()],
        ..Settings::default()
    });
    let mut client = trusting.connect();
    client.send(asked);
    assert_eq!(
        client.answer().text(),
        "Some(127.0.0.1) Some(10.0.0.7)",
        "what stands before may be made up"
    );
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let room = Room::new();
    let mut client = room.connect();
    let mut all = Vec::new();
    for at in 0..500 {
        all.extend_from_slice(
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{at:03}")
                .as_bytes(),
        );
    }
    client.send(&all);
    for at in 0..500 {
        assert_eq!(client.answer().text(), format!("{at:03}"));
    }
}

#[test]
fn head_is_answered_like_get_without_the_body() {
    let room = Room::new();
    let mut client = room.connect();
    for (path, header) in [
        ("/ping", "content-length"),
        ("/big", "content-length"),
        ("/stream", "transfer-encoding"),
    ] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let answer = client.answer_to_head();
        assert_eq!(answer.status, 200);
        assert!(answer.header(header).is_some(), "{}", answer.head);
    }
    client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    assert_eq!(client.answer_to_head().status, 400);
    assert!(
        client.rest().is_empty(),
        "a refusal of HEAD has no body either"
    );
}

#[test]
fn answers_carry_a_date_and_no_name_of_the_server() {
    let room = Room::new();
    let answer = room.connect().get("/ping");
    let date = answer.header("date").unwrap();
    assert_eq!((date.len(), &date[date.len() - 4..]), (29, " GMT"));
    assert_eq!(answer.header("server"), None);
    assert_eq!(answer.header("connection"), None);
}

#[test]
fn http_1_0_is_told_that_its_connection_is_kept() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(b"GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.answer().header("connection"), Some("keep-alive"));
    client.send(b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert_eq!(
        answer.header("connection"),
        Some("close"),
        "its end is the end of the connection"
    );
    assert_eq!(answer.text(), "onetwothree");
}

#[test]
fn streams_are_sent_whole_or_visibly_torn() {
    let room = Room::new();
    let mut client = room.connect();
    assert_eq!(
        client.get("/stream").text(),
        "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"
    );
    let known = client.get("/stream-known");
    assert_eq!(
        (known.header("content-length"), known.text().as_str()),
        (Some("6"), "onetwo")
    );
    for path in ["/stream-short", "/stream-failing", "/stream-panicking"] {
        for version in ["1.1", "1.0"] {
            let mut client = room.connect();
            client.send(format!("GET {path} HTTP/{version}\r\nHost: a\r\n\r\n").as_bytes());
            // A time-out would be a client that still waits for the rest.
            let torn = client.try_answer(false).map_err(|error| error.kind());
            assert!(
                matches!(
                    torn,
                    Err(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
                ),
                "{path} {version}: {torn:?}"
            );
        }
    }
    let torn = "GET /stream-short 200 false";
    until("the short ones are known as torn", || {
        let log = room.probe.log.lock().unwrap();
        log.iter().filter(|line| *line == torn).count() == 2
    });
    let counters = room.counters();
    until("both panics are counted", || {
        counters.panics.load(Ordering::SeqCst) == 2
    });
    room.assert_alive();
}

#[test]
fn a_status_without_a_body_has_none() {
    let room = Room::new();
    let mut client = room.connect();
    let answer = client.get("/no-content");
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (204, None)
    );
    assert_eq!(client.get("/ping").text(), "pong");
}

#[test]
fn a_large_answer_arrives_whole() {
    let room = Room::new();
    let mut client = room.connect();
    for _ in 0..2 {
        assert_eq!(client.get("/big").body.len(), BIG_BYTES);
    }
}

#[test]
fn a_handler_may_close_the_connection() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(b"GET /close HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().header("connection"), Some("close"));
    assert!(client.rest().is_empty());
    assert_eq!(room.probe.smuggled.load(Ordering::SeqCst), 0);
}

#[test]
fn a_header_that_would_split_the_answer_is_never_sent() {
    let room = Room::new();
    let mut client = room.connect();
    let answer = client.get("/split");
    assert_eq!((answer.status, answer.header("x-a")), (500, None));
    assert_eq!(answer.text(), "{\"message\":\"The server failed.\"}");
    assert!(client.rest().is_empty());
}

#[test]
fn a_panic_is_a_500_for_one_client_and_nothing_for_the_others() {
    let room = Room::new();
    let mut other = room.connect();
    assert_eq!(other.get("/ping").status, 200);
    let mut client = room.connect();
    let answer = client.get("/panic");
    assert_eq!(
        (answer.status, answer.header("connection")),
        (500, Some("close"))
    );
    assert!(client.rest().is_empty());
    assert_eq!(other.get("/ping").status, 200);
    room.probe.until_log(&[
        "GET /ping 200 true",
        "GET /panic 500 true",
        "GET /ping 200 true",
    ]);
    let counters = room.counters();
    assert_eq!(counters.panics.load(Ordering::SeqCst), 1);
    assert_eq!(counters.answers[5].load(Ordering::SeqCst), 1);
    assert_eq!(counters.answers[2].load(Ordering::SeqCst), 2);
}
