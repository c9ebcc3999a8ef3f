//! `serve` as a process: what it says, what it refuses, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use super::Place;

/// A server as a process; killed where a test fails before it stops it.
pub(super) struct Served {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    /// The address that it listens on.
    pub(super) address: String,
    /// What it printed up to the address.
    pub(super) first_line: String,
}

impl Served {
    /// Starts a server and waits until it says where it listens.
    pub(super) fn start(place: &Place, args: &[&str]) -> Self {
        let mut child = place
            .command()
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first_line = String::new();
        lines.read_line(&mut first_line).expect("a line");
        let address = first_line
            .trim()
            .rsplit_once("http://")
            .map(|(_, address)| address.to_owned())
            .unwrap_or_default();
        Self {
            child,
            lines,
            address,
            first_line,
        }
    }

    /// Sends a request; returns status and body.
    pub(super) fn ask(&self, method: &str, path: &str, user: &str) -> (u16, String) {
        use base64::Engine;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{user}:"));
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {basic}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned());
        (status.unwrap_or(0), body.unwrap_or_default())
    }

    /// Returns what it printed up to a line that holds `word`.
    pub(super) fn lines_until(&mut self, word: &str) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let mut line = String::new();
            let length = self.lines.read_line(&mut line).expect("a line");
            let is_last = length == 0 || line.contains(word);
            found.push(line.trim_end().to_owned());
            if is_last {
                return found;
            }
        }
    }

    /// Ends it as a service manager would; returns the exit code.
    pub(super) fn stop(mut self) -> Option<i32> {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Both fail where it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_says_where_it_listens_and_ends_with_zero() {
    let place = Place::installed();
    let made = place
        .run(&["key", "create", "ada@example.com", "--json"])
        .json();
    let key = made["api_secret"].as_str().expect("a key");
    let server = Served::start(&place, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(
        server
            .first_line
            .starts_with("Elastane listens on http://127.0.0.1:")
    );
    let (status, body) = server.ask("GET", "/v1/users", key);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("ada@example.com"), "{body}");
    assert_eq!(server.ask("GET", "/v1/users", "wrong").0, 401);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn commands_work_beside_a_server_and_restore_does_not() {
    let place = Place::installed();
    place.run(&["backup", "copy.db"]).succeeds();
    let server = Served::start(&place, &["serve", "--listen", "localhost:0"]);
    place.run(&["key", "create", "ada@example.com"]).succeeds();
    place.run(&["backup", "other.db"]).succeeds();
    let told = place.run(&["restore", "copy.db", "--yes"]).fails(5);
    assert!(told.contains("hint: stop the server first"), "{told}");
    let told = place.run(&["serve", "--listen", "127.0.0.1:0"]).fails(5);
    assert!(told.contains("another server"), "{told}");
    assert!(
        told.contains("hint: stop it, or name another database with --db"),
        "{told}"
    );
    // A link to the file is the same database.
    let (file, link) = (place.path("elastane.db"), place.path("linked.db"));
    std::os::unix::fs::symlink(file, &link).expect("a link");
    let linked = ["serve", "--listen", "127.0.0.1:0", "--db", "linked.db"];
    assert!(place.run(&linked).fails(5).contains("another server"));
    let lock = std::fs::metadata(place.path("elastane.db.lock")).expect("a lock file");
    assert_eq!(lock.permissions().mode() & 0o777, 0o600);
    assert_eq!(server.stop(), Some(0));
    place.run(&["restore", "copy.db", "--yes"]).succeeds();
}

#[test]
fn an_open_door_is_refused_with_the_reason() {
    let place = Place::installed();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let told = place.run(&["serve", "--listen", address]).fails(7);
        assert!(told.contains("without TLS"), "{told}");
        assert!(told.contains("hint: put a TLS proxy in front"), "{told}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let place = Place::installed();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let told = place.run(&["serve", "--listen", &address]).fails(6);
    assert!(
        told.contains("hint: choose another address with --listen"),
        "{told}"
    );
    assert!(!told.contains("cause: "), "it is told once: {told}");
}

#[test]
fn a_path_that_is_no_place_for_a_socket_is_told_as_such() {
    let place = Place::installed();
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--unix-socket",
        "gone/socket",
    ];
    let told = place.run(&args).fails(6);
    assert!(
        told.contains("hint: choose another path with --unix-socket"),
        "{told}"
    );
}
