//! The end of a server.

use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::support::{PATIENCE, Room, until};

#[test]
fn work_in_flight_is_finished_and_the_idle_are_sent_home() {
    let room = Room::new();
    let mut idle = room.connect();
    assert_eq!(idle.get("/ping").status, 200);
    let mut silent = room.connect();
    let mut busy = room.connect();
    busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut sending = room.connect();
    sending.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    room.probe.until_waiting(1);
    let counters = room.counters();
    until("both are in flight", || {
        counters.in_flight.load(Ordering::SeqCst) == 2
    });
    room.server.begin_stop();
    assert!(idle.rest().is_empty());
    assert!(silent.rest().is_empty());
    until("the port is closed", || {
        TcpStream::connect(room.address).is_err()
    });
    sending.send(b"lo");
    let answer = sending.answer();
    assert_eq!(
        (answer.text().as_str(), answer.header("connection")),
        ("hello", Some("close"))
    );
    room.probe.open();
    let answer = busy.answer();
    assert_eq!(
        (answer.text().as_str(), answer.header("connection")),
        ("waited", Some("close"))
    );
    assert!(room.server.wait(PATIENCE), "nothing was lost");
    assert_eq!(counters.connections.load(Ordering::SeqCst), 0);
    assert_eq!(room.probe.smuggled.load(Ordering::SeqCst), 0);
}

#[test]
fn without_work_in_flight_a_stop_needs_no_grace() {
    let room = Room::new();
    assert!(room.server.wait(PATIENCE));
    assert!(
        room.server.wait(Duration::ZERO),
        "a second stop finds nothing to do"
    );
    assert!(TcpStream::connect(room.address).is_err());
}

#[test]
fn half_a_head_holds_a_stop_up_only_for_a_moment() {
    let room = Room::new();
    let mut client = room.connect();
    client.send(b"GET / HT");
    let counters = room.counters();
    until("it has come", || {
        counters.bytes_in.load(Ordering::SeqCst) > 0
    });
    // Shorter than the deadline of a head.
    assert!(room.server.wait(Duration::from_secs(6)));
    assert_eq!(client.answer().status, 408);
}

#[test]
fn what_outlasts_the_grace_is_killed() {
    let room = Room::new();
    let mut busy = room.connect();
    busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    room.probe.until_waiting(1);
    assert!(
        !room.server.wait(Duration::from_millis(50)),
        "an answer was lost, and that is said"
    );
    assert!(busy.rest().is_empty());
}

#[test]
fn a_queued_client_is_answered_before_the_port_closes() {
    let room = Room::new();
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = room.connect();
        client.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
        clients.push(client);
    }
    room.server.begin_stop();
    for client in &mut clients {
        assert_eq!(client.answer().text(), "pong");
    }
    assert!(room.server.wait(PATIENCE));
}

#[test]
fn dropping_a_server_closes_its_port() {
    let room = Room::new();
    let address = room.address;
    let mut idle = room.connect();
    assert_eq!(idle.get("/ping").status, 200);
    drop(room);
    assert!(idle.rest().is_empty());
    assert!(TcpStream::connect(address).is_err());
}
