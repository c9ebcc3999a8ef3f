//! Sizes and times that end a connection.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use elastane::http::{HEAD_BYTES, HEADERS, QUERY_PAIRS, REQUEST_LINE_BYTES, Settings};

use super::support::{Client, Room, until};

/// A deadline short enough to wait for.
const SHORT_MS: u64 = 250;

/// What a hostile client sends at most before the test gives up on the server.
const FLOOD_BYTES: usize = 64 * 1_024 * 1_024;

/// Sends without end; returns the server's answer.
fn flood(room: &Room, start: &str, piece: &[u8]) -> super::support::Answer {
    let mut client = room.connect();
    client.send(start.as_bytes());
    let mut sent = 0;
    while sent < FLOOD_BYTES && client.stream.write_all(piece).is_ok() {
        sent += piece.len();
    }
    assert!(sent < FLOOD_BYTES, "the server reads without end");
    client.answer()
}

#[test]
fn endless_lines_heads_and_chunk_sizes_are_cut() {
    let room = Room::new();
    let long = vec![b'a'; 65_536];
    assert_eq!(flood(&room, "GET /", &long).status, 414);
    assert_eq!(flood(&room, "", &long).status, 414);
    assert_eq!(
        flood(&room, "GET / HTTP/1.1\r\nHost: a\r\nX: ", &long).status,
        431
    );
    let fields = b"X: y\r\n".repeat(10_000);
    assert_eq!(
        flood(&room, "GET / HTTP/1.1\r\nHost: a\r\n", &fields).status,
        431
    );
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(flood(&room, &format!("{chunked}1;"), &long).status, 400);
    assert_eq!(
        flood(&room, &format!("{chunked}0\r\nX: "), &long).status,
        400
    );
    let zeros = vec![b'0'; 65_536];
    assert_eq!(flood(&room, chunked, &zeros).status, 400);
    let extended =
        b"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(1_000);
    assert_eq!(flood(&room, chunked, &extended).status, 400);
    let endless_body = [b"10000\r\n".as_slice(), &long, b"\r\n"].concat();
    assert_eq!(flood(&room, chunked, &endless_body).status, 413);
}

#[test]
fn what_is_just_within_the_limits_is_served() {
    let room = Room::new();
    let ask = |request: String| {
        let mut client = room.connect();
        client.send(request.as_bytes());
        client.answer().status
    };
    let line = |length: usize| {
        let fixed = "GET /? HTTP/1.1\r\n".len();
        format!(
            "GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "a".repeat(length - fixed)
        )
    };
    assert_eq!(ask(line(REQUEST_LINE_BYTES)), 200);
    assert_eq!(ask(line(REQUEST_LINE_BYTES + 1)), 414);
    let head = |length: usize| {
        let fixed = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
            "a".repeat(length - fixed)
        )
    };
    assert_eq!(ask(head(HEAD_BYTES)), 200);
    assert_eq!(ask(head(HEAD_BYTES + 1)), 431);
    assert_eq!(ask(format!("\r\n{}", head(HEAD_BYTES))), 200);
    let fields = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(count - 1)
        )
    };
    assert_eq!(ask(fields(HEADERS)), 200);
    assert_eq!(ask(fields(HEADERS + 1)), 431);
    let pairs =
        |count: usize| format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "a=b&".repeat(count));
    assert_eq!(ask(pairs(QUERY_PAIRS)), 200);
    assert_eq!(ask(pairs(QUERY_PAIRS + 1)), 400);
}

/// Drips a byte now and then until the server has had enough; says whether it had.
fn drip(client: &mut Client, bytes: &[u8]) -> bool {
    for byte in bytes {
        if client.stream.write_all(&[*byte]).is_err() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn short() -> Settings {
    Settings {
        head_ms: SHORT_MS,
        idle_ms: SHORT_MS,
        body_ms: SHORT_MS,
        write_ms: SHORT_MS,
        transfer_credit_ms: SHORT_MS,
        ..Settings::default()
    }
}

#[test]
fn a_dripping_head_is_cut_and_told_so() {
    let room = Room::with(short());
    let mut slow: Vec<Client> = (0..20).map(|_| room.connect()).collect();
    for client in &mut slow {
        client.send(b"GET / HTTP/1.1\r\nX: ");
    }
    assert!(drip(&mut slow[0], &[b'a'; 500]), "drips extend no deadline");
    room.assert_alive();
    for client in &mut slow[1..] {
        assert_eq!(client.answer().status, 408);
        assert!(client.rest().is_empty());
    }
    assert!(room.counters().timeouts.load(Ordering::SeqCst) >= 20);
}

#[test]
fn a_dripping_body_is_cut_and_told_so() {
    let room = Room::with(short());
    for framing in [
        "Content-Length: 5000\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1388\r\n",
    ] {
        for path in ["/echo", "/unread"] {
            let mut client = room.connect();
            client.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{framing}").as_bytes());
            assert!(drip(&mut client, &[b'a'; 500]), "{path} {framing}");
        }
        let mut silent = room.connect();
        silent.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\n{framing}aa").as_bytes());
        assert_eq!(silent.answer().status, 408);
        assert!(silent.rest().is_empty());
    }
    let mut expecting = room.connect();
    expecting.send(
        b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n",
    );
    assert_eq!(expecting.answer().status, 100);
    assert_eq!(expecting.answer().status, 408);
}

#[test]
fn a_body_at_an_honest_rate_may_take_longer_than_its_first_deadline() {
    let room = Room::with(short());
    let mut client = room.connect();
    client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20480\r\n\r\n");
    for _ in 0..20 {
        client.send(&[b'a'; 1_024]);
        std::thread::sleep(Duration::from_millis(30));
    }
    assert_eq!(client.answer().status, 200);
}

#[test]
fn idle_and_silent_connections_are_closed_without_a_word() {
    let room = Room::with(short());
    let mut idle = room.connect();
    assert_eq!(idle.get("/ping").status, 200);
    let mut silent = room.connect();
    assert!(idle.rest().is_empty());
    assert!(silent.rest().is_empty());
    assert_eq!(room.counters().timeouts.load(Ordering::SeqCst), 2);
}

#[test]
fn a_handler_at_work_has_no_deadline() {
    let room = Room::with(short());
    let mut client = room.connect();
    client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    room.probe.until_waiting(1);
    std::thread::sleep(Duration::from_millis(2 * SHORT_MS));
    room.probe.open();
    assert_eq!(client.answer().text(), "waited");
    assert_eq!(client.get("/ping").status, 200);
}

#[test]
fn a_client_that_takes_no_answer_is_cut() {
    let room = Room::with(short());
    let mut client = room.connect();
    client.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    let counters = room.counters();
    until("it was cut", || {
        counters.timeouts.load(Ordering::SeqCst) == 1
    });
    until("it has left", || {
        counters.connections.load(Ordering::SeqCst) == 0
    });
    room.probe.until_log(&["GET /big 200 false"]);
    assert!(
        client.try_answer(false).is_err(),
        "the part looks like no whole"
    );
}

#[test]
fn a_pipelined_flood_is_held_back_and_still_answered() {
    let room = Room::new();
    let mut client = room.connect();
    let request = b"GET /stream-known HTTP/1.1\r\nHost: a\r\n\r\n";
    let many = request.repeat(1_000);
    client
        .stream
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut sent = 0;
    while sent < FLOOD_BYTES {
        match client.stream.write(&many[sent % request.len()..]) {
            Ok(written) => sent += written,
            Err(_held_back) => break,
        }
    }
    assert!(sent < FLOOD_BYTES, "the server takes requests without end");
    room.assert_alive();
    let counters = room.counters();
    until("only one of the flood is at work", || {
        counters.in_flight.load(Ordering::SeqCst) <= 1
    });
    client.finish_sending();
    for _ in 0..sent / request.len() {
        assert_eq!(client.answer().text(), "onetwo");
    }
}
