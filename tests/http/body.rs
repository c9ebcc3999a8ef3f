//! Bodies: lazily read, never trusted about their length.

use std::sync::atomic::Ordering;

use super::support::{Room, until};

#[test]
fn a_client_that_waits_for_100_is_told_only_when_the_body_is_wanted() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(
        b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n",
    );
    assert_eq!(client.answer().status, 100);
    client.send(b"hello");
    assert_eq!(client.answer().text(), "hello");
    assert_eq!(client.get("/ping").status, 200, "the connection lives on");
}

#[test]
fn a_client_that_waits_for_100_in_vain_gets_an_answer_and_the_end() {
    let room = Room::new();
    for (path, length, status) in [
        ("/unread", 5, 404),
        ("/small", 11, 413),
        ("/echo", 100_000_000, 413),
    ] {
        let mut client = room.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        );
        client.send(head.as_bytes());
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.header("connection")),
            (status, Some("close")),
            "{path}"
        );
        // Whether the client would have sent the body is not known, so nothing may follow.
        client.send(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(client.rest().is_empty());
    }
    assert_eq!(room.probe.smuggled.load(Ordering::SeqCst), 0);
}

#[test]
fn no_100_is_sent_to_whom_it_would_confuse() {
    let room = Room::new();
    for request in [
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "GET /ping HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    ] {
        let mut client = room.connect();
        client.send(request.as_bytes());
        assert_eq!(client.answer().status, 200, "{request}");
    }
}

#[test]
fn a_stream_ends_well_only_where_the_body_ends() {
    let room = Room::new();
    let whole = "POST /pieces HTTP/1.1\r\nHost: a\r\n";
    for (rest, expected) in [
        (
            "Content-Length: 8\r\n\r\nabcdefgh",
            "abcdefgh end true false",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n",
            "abcdefgh end true false",
        ),
        ("\r\n", " end false false"),
        (
            "Content-Length: 9\r\n\r\nabcdefgh",
            "abcdefgh UnexpectedEof true false",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n",
            "abcd UnexpectedEof true false",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\nz",
            "abcd InvalidData true false",
        ),
    ] {
        let mut client = room.connect();
        client.send(format!("{whole}{rest}").as_bytes());
        client.finish_sending();
        assert_eq!(client.answer().text(), expected, "{rest:?}");
    }
    let mut client = room.connect();
    client.send(
        format!(
            "{whole}Transfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n",
            "x".repeat(1_001)
        )
        .as_bytes(),
    );
    assert!(
        client
            .answer()
            .text()
            .ends_with("x FileTooLarge true false")
    );
    let mut client = room.connect();
    client.send(format!("{whole}Content-Length: 1001\r\n\r\n").as_bytes());
    assert_eq!(
        client.answer().status,
        413,
        "before the first byte has come"
    );
}

#[test]
fn a_body_that_failed_fails_for_good() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(b"POST /twice HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world");
    assert_eq!(client.answer().text(), "Err(413) Err(413)");
    assert!(client.rest().is_empty());
}

#[test]
fn an_unread_body_over_the_drain_limit_ends_the_connection_but_not_before_the_answer_is_read() {
    let room = Room::new();
    let body = "x".repeat(200_000);
    for head in [
        "Content-Length: 200000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n30d40\r\n",
    ] {
        let mut client = room.connect();
        client.send(format!("POST /unread HTTP/1.1\r\nHost: a\r\n{head}{body}").as_bytes());
        client.send(b"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().text(), "nothing here", "{head}");
        assert!(client.rest().is_empty());
    }
    assert_eq!(room.probe.smuggled.load(Ordering::SeqCst), 0);
}

#[test]
fn a_large_body_arrives_whole() {
    let room = Room::new();
    let body: Vec<u8> = (0..1_024 * 1_024_u32)
        .map(|at| at.to_le_bytes()[1])
        .collect();
    let mut client = room.connect();
    client.send(
        format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    client.send(&body);
    assert!(client.answer().body == body);
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in body.chunks(5_000) {
        client.send(format!("{:x}\r\n", piece.len()).as_bytes());
        client.send(piece);
        client.send(b"\r\n");
    }
    client.send(b"0\r\n\r\n");
    assert!(client.answer().body == body);
}

#[test]
fn clients_that_abort_mid_body_leave_nothing_behind() {
    let room = Room::new();
    for at in 0..200 {
        let mut client = room.connect();
        let path = ["/echo", "/unread", "/pieces"][at % 3];
        client.send(
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n0123456789")
                .as_bytes(),
        );
        if at % 2 == 0 {
            socket2::SockRef::from(&client.stream)
                .set_linger(Some(std::time::Duration::ZERO))
                .unwrap();
        }
    }
    let counters = room.counters();
    until("all have left", || {
        counters.connections.load(Ordering::SeqCst) == 0
    });
    assert_eq!(counters.panics.load(Ordering::SeqCst), 0);
    assert_eq!(counters.in_flight.load(Ordering::SeqCst), 0);
    room.assert_alive();
}
