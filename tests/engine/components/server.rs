//! A small server on this machine, for the requests of steps.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

/// What the small server was sent.
pub struct Sent {
    /// The head, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

/// A server that gives these answers, one a connection.
pub struct Server {
    at: SocketAddr,
    seen: Receiver<Sent>,
}

impl Server {
    /// Starts a server.
    pub fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let at = listener.local_addr().expect("an address");
        let (sender, seen) = channel();
        let serve = move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let _ = sender.send(read(&mut stream));
                let _ = stream.write_all(&answer);
            }
        };
        elastane::thread::spawn("test-server", None, serve).expect("a thread");
        Self { at, seen }
    }

    /// Returns an address on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// Tells whether somebody has called it.
    pub fn was_called(&self) -> bool {
        self.seen.try_recv().is_ok()
    }

    /// Returns what it was sent next.
    #[track_caller]
    pub fn sent(&self) -> Sent {
        self.seen.recv().expect("a request")
    }
}

/// Reads a request whose head says how long it is.
fn read(stream: &mut TcpStream) -> Sent {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                let body = body.to_owned();
                return Sent { head, body };
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => {
                return Sent {
                    head: text,
                    body: String::new(),
                };
            }
        }
    }
}

/// Makes an answer.
pub fn answer(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let kind = if content_type.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {content_type}\r\n")
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{kind}Content-Length: {length}\r\nX-A: 1\r\nX-A: 2\r\n\
         Set-Cookie: c=d\r\nConnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Makes an answer of JSON with status 200.
pub fn json_answer(body: &str) -> Vec<u8> {
    answer("200 OK", "application/json", body.as_bytes())
}
