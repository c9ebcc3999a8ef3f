//! More clients than room.

use std::sync::atomic::Ordering;

use elastane::http::Settings;

use super::support::{Client, Room, SETTLING, until};

fn room_for(connections: usize) -> Room {
    Room::with(Settings {
        connections,
        ..Settings::default()
    })
}

#[test]
fn polite_clients_in_a_burst_are_all_answered() {
    let room = Room::new();
    let mut clients: Vec<Client> = (0..24).map(|_| room.connect()).collect();
    for _ in 0..3 {
        for client in &mut clients {
            client.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        for client in &mut clients {
            assert_eq!(client.answer().status, 200);
        }
    }
}

#[test]
fn at_the_cap_the_oldest_idle_connection_makes_room() {
    let room = room_for(4);
    let mut clients: Vec<Client> = (0..4).map(|_| room.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/ping").status, 200);
        std::thread::sleep(SETTLING);
    }
    assert_eq!(room.connect().get("/ping").status, 200);
    assert!(clients[0].rest().is_empty());
    for client in &mut clients[1..] {
        assert_eq!(client.get("/ping").status, 200);
    }
    assert_eq!(room.counters().evicted.load(Ordering::SeqCst), 1);
}

#[test]
fn idle_goes_before_half_a_head_before_half_a_body() {
    let room = room_for(3);
    let counters = room.counters();
    let mut body = room.connect();
    body.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    until("the body is awaited", || {
        counters.in_flight.load(Ordering::SeqCst) == 1
    });
    let mut head = room.connect();
    head.send(b"GET / HT");
    let mut idle = room.connect();
    assert_eq!(idle.get("/ping").status, 200);
    std::thread::sleep(SETTLING);
    let mut busy = Vec::new();
    for (count, victim) in [(1, &mut idle), (2, &mut head), (3, &mut body)] {
        let mut client = room.connect();
        client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        room.probe.until_waiting(count);
        busy.push(client);
        assert!(victim.rest().is_empty());
    }
    let answer = room.connect().answer();
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1")),
        "all are at work now"
    );
    assert_eq!(
        answer.text(),
        "{\"message\":\"The server has no room for another connection.\"}"
    );
    assert_eq!(counters.shed.load(Ordering::SeqCst), 1);
    room.probe.open();
    for client in &mut busy {
        assert_eq!(client.answer().text(), "waited");
    }
    room.assert_alive();
}

#[test]
fn many_more_idle_clients_than_room_are_all_answered_once() {
    let room = room_for(32);
    let mut clients = Vec::new();
    for _ in 0..300 {
        let mut client = room.connect();
        assert_eq!(client.get("/ping").status, 200);
        clients.push(client);
    }
    let counters = room.counters();
    assert!(
        counters.connections.load(Ordering::SeqCst) <= 32 + 64,
        "evicted threads end"
    );
    until("evicted threads have ended", || {
        counters.connections.load(Ordering::SeqCst) <= 32
    });
}

#[test]
fn honest_clients_are_served_through_a_flood_of_half_open_ones() {
    let room = room_for(32);
    let mut flood = Vec::new();
    for _ in 0..20 {
        for _ in 0..32 {
            let mut client = room.connect();
            client.send(b"GET /");
            flood.push(client);
        }
        room.assert_alive();
    }
    assert_eq!(room.counters().shed.load(Ordering::SeqCst), 0);
}

#[test]
fn a_slow_request_holds_up_nobody_else() {
    let room = Room::new();
    let mut slow = room.connect();
    slow.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    slow.send(&b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n".repeat(7));
    room.probe.until_waiting(1);
    for _ in 0..24 {
        room.assert_alive();
    }
    room.probe.open();
    assert_eq!(slow.answer().text(), "waited");
    for _ in 0..7 {
        assert_eq!(slow.answer().text(), "pong");
    }
}
