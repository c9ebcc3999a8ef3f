//! A process without descriptors, memory or threads.
//!
//! Limits hold for a whole process, so the server under test is a child: this test binary again,
//! started by a shell that lowers the limit, running [`child`] only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use elastane::http::Settings;

use super::support::{Client, Room, until};

/// Tells the child that it is one.
const MARK: &str = "ELASTANE_TEST_HTTP_CHILD";

/// Descriptors that the child may have: enough for the test harness and some 50 connections.
const DESCRIPTORS: usize = 64;

/// Address space of the child in KiB, and the stacks that soon fill it.
const ADDRESS_SPACE_KIB: usize = 2 * 1_024 * 1_024;
const HUGE_STACK_BYTES: usize = 256 * 1_024 * 1_024;

/// Not a test by itself: the server of the tests below, which tells its port and lives until its input ends.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the parent tells it so, not a setting"
)]
fn child() {
    let Some(mode) = std::env::var_os(MARK) else {
        return;
    };
    let mut settings = Settings::default();
    if mode == "stacks" {
        settings.stack_bytes = HUGE_STACK_BYTES;
    }
    let room = Room::with(settings);
    let mut out = std::io::stdout();
    writeln!(out, "\nlistening {}", room.address).unwrap();
    out.flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    if line.trim() == "open" {
        room.probe.open();
        std::io::stdin().read_to_string(&mut line).unwrap();
    }
    if mode == "threads" {
        drop(room);
        // The harness has its main thread and the one of this test.
        until("only the harness is left", || {
            std::fs::read_dir("/proc/self/task").unwrap().count() <= 2
        });
        writeln!(out, "\nno thread left").unwrap();
    }
}

struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    address: SocketAddr,
}

impl Process {
    fn start(mode: &str, limit: &str) -> Self {
        let name = format!("{}::child", module_path!().split_once("::").unwrap().1);
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "{limit}; exec \"$0\" --exact \"$1\" --nocapture --test-threads=1"
            ))
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env(MARK, mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(
                output.read_line(&mut line).unwrap() > 0,
                "the child never listened"
            );
            if let Some(address) = line.strip_prefix("listening ") {
                break address.trim().parse().unwrap();
            }
        };
        Self {
            child,
            output,
            address,
        }
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
        rest
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn without_descriptors_idle_clients_make_room_and_the_port_stays_open() {
    let process = Process::start("descriptors", &format!("ulimit -n {DESCRIPTORS}"));
    let mut clients = Vec::new();
    for _ in 0..3 * DESCRIPTORS {
        let mut client = Client::connect(process.address);
        assert_eq!(client.get("/ping").status, 200);
        clients.push(client);
    }
    drop(clients);
    for _ in 0..10 {
        assert_eq!(Client::connect(process.address).get("/ping").status, 200);
    }
    process.end();
}

#[test]
fn without_descriptors_and_with_everybody_at_work_newcomers_hear_503() {
    let mut process = Process::start("descriptors", &format!("ulimit -n {DESCRIPTORS}"));
    let mut busy = Vec::new();
    let mut shed = 0;
    for _ in 0..2 * DESCRIPTORS {
        let mut client = Client::connect(process.address);
        client.send(b"GET /wait-streaming HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        // Whoever sees the head of a streamed answer is at work, and can't be evicted any more.
        match client.answer_to_head().status {
            503 => shed += 1,
            status => {
                assert_eq!(status, 200);
                busy.push(client);
            }
        }
    }
    assert!(shed >= DESCRIPTORS, "{shed} were shed");
    assert!(busy.len() >= DESCRIPTORS / 4, "{} were served", busy.len());
    process.tell("open");
    for client in &mut busy {
        let rest = client.rest();
        assert!(
            rest.ends_with(b"6\r\nwaited\r\n0\r\n\r\n"),
            "{}",
            rest.escape_ascii()
        );
    }
    drop(busy);
    assert_eq!(Client::connect(process.address).get("/ping").status, 200);
    process.end();
}

#[test]
fn without_threads_newcomers_hear_503_and_later_ones_are_served() {
    let process = Process::start("stacks", &format!("ulimit -v {ADDRESS_SPACE_KIB}"));
    let mut clients = Vec::new();
    let mut shed = 0;
    for _ in 0..32 {
        let mut client = Client::connect(process.address);
        let answer = client.get("/ping");
        match answer.status {
            503 => shed += 1,
            status => assert_eq!(status, 200),
        }
        clients.push(client);
    }
    assert!((1..32).contains(&shed), "{shed} were shed");
    drop(clients);
    until("there is memory for a thread again", || {
        Client::connect(process.address).get("/ping").status == 200
    });
    process.end();
}

#[test]
fn no_thread_is_left_after_a_server() {
    let process = Process::start("threads", ":");
    let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(process.address)).collect();
    for client in &mut clients {
        assert_eq!(client.get("/ping").status, 200);
    }
    assert!(process.end().contains("no thread left"));
}
