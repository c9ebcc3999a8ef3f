//! Crowds: clients that idle, that drip, and that take every descriptor; the honest
//! client beside them is served throughout.
//!
//! Each test is this binary again, started by a shell with room for thousands of
//! descriptors: a desktop's limit of 1,024 would be the first thing to give.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use elastane::app::user::Role;
use elastane::http::CONNECTIONS;

use crate::support::{Actor, Installation, Served, TestServer};

/// Tells the process that it is the one with room.
const MARK: &str = "ELASTANE_TEST_CROWD";

/// Descriptors of that process: both ends of 2,000 connections, and what the rest needs.
const DESCRIPTORS: usize = 8_192;

/// Descriptors of the server that is to run out of them.
const FEW_DESCRIPTORS: usize = 128;

/// Nearly twice what the server holds at once.
const IDLE: usize = 2_000;

/// Clients that send a byte now and then.
const SLOW: usize = 200;

/// Clients of the server with few descriptors: more than twice as many.
const GREEDY: usize = 300;

/// Far longer than any answer takes; whoever waits so long was not served.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests of the honest client at least.
const SERVED_MIN: usize = 10;

/// Between two bytes of a slow client.
const DRIP_EVERY: Duration = Duration::from_millis(200);

/// Drips until the server must have cut everybody: 40 s, four times its deadline of a head.
const DRIPS_MAX: usize = 200;

/// Runs `body` in a process with many descriptors: this test, by its name, once more.
#[expect(
    clippy::disallowed_methods,
    reason = "the parent tells it so, not a setting"
)]
fn with_descriptors(test: &str, body: fn()) {
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let ran = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ulimit -n {DESCRIPTORS} && exec \"$0\" --exact \"$1\" --nocapture --test-threads=1"
        ))
        .arg(std::env::current_exe().expect("this binary"))
        .arg(format!("crowd::{test}"))
        .env(MARK, "1")
        .output()
        .expect("a shell");
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && told.contains("1 passed"),
        "{told}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// Returns the head of a GET that keeps the connection, with more lines after it.
fn head(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n")
}

/// Opens a connection on which no wait is endless.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("a connection");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream
        .set_write_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream
}

/// Sends a request and reads the answer, which is a short one; nothing where none comes.
fn ask(stream: &mut TcpStream, request: &str) -> Option<String> {
    stream.write_all(request.as_bytes()).ok()?;
    let mut got = Vec::new();
    let mut part = [0; 4_096];
    while !is_whole(&got) {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(length) => got.extend_from_slice(&part[..length]),
        }
    }
    String::from_utf8(got).ok()
}

/// Tells whether an answer has come to the end that its length announces.
fn is_whole(got: &[u8]) -> bool {
    let text = String::from_utf8_lossy(got);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.parse::<usize>().ok())?
    });
    length.is_some_and(|length| body.len() >= length)
}

/// Tells whether the server has ended a connection; what it still sent is read away.
fn is_ended(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a switch");
    let mut part = [0; 4_096];
    let ended = loop {
        match stream.read(&mut part) {
            Ok(0) => break true,
            Ok(_) => {}
            Err(error) => break error.kind() != ErrorKind::WouldBlock,
        }
    };
    stream.set_nonblocking(false).expect("a switch");
    ended
}

/// Reads a number of `/metrics`.
fn metric(address: SocketAddr, name: &str) -> usize {
    let page = ask(&mut connect(address), &head("/metrics", "")).expect("the metrics");
    let name = format!("elastane_{name} ");
    page.lines()
        .find_map(|line| line.strip_prefix(name.as_str())?.parse().ok())
        .unwrap_or_else(|| panic!("no {name}in {page}"))
}

/// Does something while an honest client asks who it is, again and again on new
/// connections; fails unless each time it is answered 200.
fn beside_an_honest_client<T>(address: SocketAddr, honest: &Actor, work: impl FnOnce() -> T) -> T {
    let authorization = honest.authorization.as_deref().expect("credentials");
    let request = head(
        "/v1/users",
        &format!("Authorization: {authorization}\r\nConnection: close\r\n"),
    );
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut served = 0;
            // Quick work leaves the crowd behind, so that a few requests always meet it.
            while served < SERVED_MIN || !ended.load(Ordering::SeqCst) {
                let answer = ask(&mut connect(address), &request);
                let status = answer.as_deref().and_then(|text| text.lines().next());
                assert_eq!(
                    status,
                    Some("HTTP/1.1 200 OK"),
                    "after {served} answers: {answer:?}"
                );
                served += 1;
                thread::sleep(Duration::from_millis(5));
            }
        });
        let end = End(&ended);
        let done = work();
        drop(end);
        asking.join().expect("the honest client was served");
        done
    })
}

/// Sets a flag when it goes, so that a failed check does not leave a thread asking.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Returns where a server listens.
fn address_of(base: &str) -> SocketAddr {
    let address = base.strip_prefix("http://").expect("an http address");
    address.parse().expect("an address")
}

#[test]
fn two_thousand_idle_clients_keep_nobody_out() {
    with_descriptors("two_thousand_idle_clients_keep_nobody_out", || {
        let server = TestServer::start();
        let ada = server.user("ada@example.com");
        let address = address_of(&server.base);
        beside_an_honest_client(address, &ada, || {
            let mut idle: Vec<TcpStream> = Vec::new();
            for number in 0..IDLE {
                let mut client = connect(address);
                let answer = ask(&mut client, &head("/healthz", ""));
                let is_ok = answer.is_some_and(|text| text.starts_with("HTTP/1.1 200 "));
                assert!(is_ok, "client {number} was not served");
                idle.push(client);
            }
            let evicted = metric(address, "connections_evicted_total");
            assert!(evicted > 0, "the crowd was too small to be one");
            assert!(!is_ended(&mut idle[IDLE - 1]), "the newest had to go");
            assert!(is_ended(&mut idle[0]), "the oldest did not make room");
            let open = idle
                .iter_mut()
                .filter_map(|client| (!is_ended(client)).then_some(()));
            let open = open.count();
            assert!(open <= CONNECTIONS, "{open} are still open");
            idle
        });
    });
}

#[test]
fn two_hundred_slow_clients_are_cut_and_slow_nobody_down() {
    with_descriptors(
        "two_hundred_slow_clients_are_cut_and_slow_nobody_down",
        || {
            let server = TestServer::start();
            let ada = server.user("ada@example.com");
            let address = address_of(&server.base);
            beside_an_honest_client(address, &ada, || {
                let mut slow: Vec<TcpStream> = (0..SLOW).map(|_| connect(address)).collect();
                let begun = head("/healthz", "X-Slow: ");
                for client in &mut slow {
                    client
                        .write_all(begun.trim_end().as_bytes())
                        .expect("a beginning");
                }
                let held = metric(address, "connections");
                assert!(held > SLOW, "only {held} connections are held");
                for _ in 0..DRIPS_MAX {
                    // A write fails where the server has just hung up, and the next look tells.
                    slow.retain_mut(|client| !is_ended(client) && client.write(b"a").is_ok());
                    if slow.is_empty() {
                        break;
                    }
                    thread::sleep(DRIP_EVERY);
                }
                assert_eq!(slow.len(), 0, "slow clients were never cut");
                let late = metric(address, "connections_timed_out_total");
                assert!(late >= SLOW, "only {late} were cut for being late");
            });
        },
    );
}

#[test]
fn without_descriptors_the_real_server_lives_and_recovers() {
    with_descriptors(
        "without_descriptors_the_real_server_lives_and_recovers",
        || {
            let installation = Installation::new();
            let (user, key) = installation.register("ada@example.com", Role::Member);
            installation.app.close();
            let limit = format!("ulimit -n {FEW_DESCRIPTORS}");
            let served = Served::limited(&installation.database(), &limit);
            let ada = Actor::of(&served.base, user, &key);
            let address = address_of(&served.base);
            assert_eq!(ada.get("/v1/users").status, 200);
            let greedy = beside_an_honest_client(address, &ada, || {
                let mut greedy: Vec<TcpStream> = Vec::new();
                for number in 0..GREEDY {
                    let mut client = connect(address);
                    // Every second one asks and stays; the others never say a word.
                    if number % 2 == 0 {
                        let answer = ask(&mut client, &head("/healthz", ""));
                        assert!(answer.is_some(), "client {number} got no answer");
                    }
                    greedy.push(client);
                }
                greedy
            });
            let missed = metric(address, "accept_errors_total");
            assert!(missed > 0, "the server never ran out of descriptors");
            drop(greedy);
            beside_an_honest_client(address, &ada, || {});
        },
    );
}
