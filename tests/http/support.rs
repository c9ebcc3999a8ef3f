//! A server with a small handler, and a client that speaks raw bytes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use elastane::http::{
    Address, BodyError, Counters, Exchange, Handler, Refusal, Request, Response, Server, Settings,
};

/// How long a client waits before it calls an answer missing. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A body limit small enough to exceed.
pub(crate) const SMALL: u64 = 10;

/// Length of the answer of `/big`.
pub(crate) const BIG_BYTES: usize = 8 * 1_024 * 1_024;

/// What the handler remembers and waits for.
#[derive(Default)]
pub(crate) struct Probe {
    pub(crate) smuggled: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) log: Mutex<Vec<String>>,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Probe {
    /// Lets all requests for `/wait` go on, now and later.
    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        let _open = self
            .opened
            .wait_timeout_while(open, PATIENCE, |open| !*open)
            .unwrap();
    }

    /// Waits until exactly these exchanges were reported: reports come after the client has its answer.
    pub(crate) fn until_log(&self, lines: &[&str]) {
        until("the log is as expected", || {
            *self.log.lock().unwrap() == lines
        });
    }

    /// Waits until so many requests are inside the handler.
    pub(crate) fn until_waiting(&self, count: u64) {
        until("requests are in the handler", || {
            self.waiting.load(Ordering::SeqCst) >= count
        });
    }
}

pub(crate) struct Routes(pub(crate) Arc<Probe>);

impl Handler for Routes {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        let text = |text: String| {
            Response::new(200)
                .header("Content-Type", "text/plain")
                .bytes(text)
        };
        match request.path().raw() {
            "/ping" | "/" => text("pong".to_owned()),
            "/echo" => answer_body(request.body(1_024 * 1_024)),
            "/small" => answer_body(request.body(SMALL)),
            "/pieces" => pieces(request),
            "/unread" => Response::new(404).bytes("nothing here"),
            "/twice" => {
                let first = request.body(SMALL).map_err(BodyError::status);
                let second = request.body(1_024 * 1_024).map_err(BodyError::status);
                text(format!("{first:?} {second:?}"))
            }
            "/smuggled" => {
                self.0.smuggled.fetch_add(1, Ordering::SeqCst);
                text("smuggled".to_owned())
            }
            "/wait" => {
                self.0.wait();
                text("waited".to_owned())
            }
            "/panic" => panic!("the test asked for it"),
            "/big" => Response::new(200).bytes(vec![b'x'; BIG_BYTES]),
            "/no-content" => Response::new(204).bytes("never sent"),
            "/close" => text("bye".to_owned()).closing(),
            "/split" => {
                text("x".to_owned()).header("X-A", "a\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK")
            }
            "/stream" => Response::new(200).stream(Pieces::new(&["one", "two", "three"]), None),
            "/stream-known" => Response::new(200).stream(Pieces::new(&["one", "two"]), Some(6)),
            "/stream-short" => Response::new(200).stream(Pieces::new(&["one"]), Some(6)),
            "/stream-failing" => Response::new(200).stream(Pieces::failing(), None),
            "/stream-panicking" => Response::new(200).stream(Panicking, None),
            "/wait-streaming" => {
                Response::new(200).stream(Waiting(Some(Arc::clone(&self.0))), None)
            }
            "/who" => text(format!("{:?} {:?}", request.peer(), request.client())),
            "/host" => text(format!("{:?} {:?}", request.host(), request.version())),
            path if path.starts_with("/see") => {
                let segments: Vec<&str> = request.path().segments().collect();
                text(format!(
                    "{segments:?} {:?} {:?}",
                    request.query(),
                    request.header("x-see")
                ))
            }
            _ => Response::new(404),
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        refusal
            .to_json()
            .header("X-Refused", refusal.target.as_deref().unwrap_or("-"))
    }

    fn finished(&self, exchange: &Exchange<'_>) {
        let Exchange {
            method,
            target,
            status,
            complete,
            ..
        } = exchange;
        self.0
            .log
            .lock()
            .unwrap()
            .push(format!("{method} {target} {status} {complete}"));
    }
}

fn answer_body(body: Result<Vec<u8>, BodyError>) -> Response {
    match body {
        Ok(body) => Response::new(200).bytes(body),
        Err(error) => Response::new(error.status()).bytes(error.to_string()),
    }
}

/// Reads three bytes at a time and tells how the stream ended.
fn pieces(request: &mut Request<'_>) -> Response {
    let unread = request.is_body_unread();
    let mut stream = match request.body_stream(1_000) {
        Ok(stream) => stream,
        Err(error) => return Response::new(error.status()),
    };
    let mut seen = Vec::new();
    let mut piece = [0; 3];
    let ended = loop {
        match stream.read(&mut piece) {
            Ok(0) => break "end".to_owned(),
            Ok(read) => seen.extend_from_slice(&piece[..read]),
            Err(error) => break format!("{:?}", error.kind()),
        }
    };
    let text = format!(
        "{} {ended} {unread} {}",
        String::from_utf8_lossy(&seen),
        request.is_body_unread()
    );
    Response::new(200).bytes(text)
}

/// A source that yields one text a read.
struct Pieces {
    texts: Vec<&'static str>,
    fails: bool,
}

impl Pieces {
    fn new(texts: &[&'static str]) -> Self {
        let texts = texts.iter().rev().copied().collect();
        Self {
            texts,
            fails: false,
        }
    }

    fn failing() -> Self {
        Self {
            texts: vec!["part"],
            fails: true,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(text) = self.texts.pop() else {
            return if self.fails {
                Err(io::Error::other("the source broke"))
            } else {
                Ok(0)
            };
        };
        into[..text.len()].copy_from_slice(text.as_bytes());
        Ok(text.len())
    }
}

/// A source that yields one text, once the probe is opened.
struct Waiting(Option<Arc<Probe>>);

impl Read for Waiting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(probe) = self.0.take() else {
            return Ok(0);
        };
        probe.wait();
        into[..6].copy_from_slice(b"waited");
        Ok(6)
    }
}

struct Panicking;

impl Read for Panicking {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("the test asked for it")
    }
}

/// Longer than a thread needs from the end of an answer to the start of its idle time.
pub(crate) const SETTLING: Duration = Duration::from_millis(50);

/// A running server with the routes above.
pub(crate) struct Room {
    pub(crate) server: Server,
    pub(crate) probe: Arc<Probe>,
    pub(crate) address: SocketAddr,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let probe = Arc::<Probe>::default();
        let listen: Address = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(&[listen], settings, Routes(Arc::clone(&probe))).unwrap();
        let address = server.local_addr().unwrap();
        Self {
            server,
            probe,
            address,
        }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        self.server.counters()
    }

    /// Asserts that the server still answers a new client.
    pub(crate) fn assert_alive(&self) {
        let mut client = self.connect();
        client.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().body, b"pong");
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Handlers that still wait would hold the drop of the server.
        self.probe.open();
    }
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        lines
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client that sends what it's told and reads what comes.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pending: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            pending: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        self.answer()
    }

    pub(crate) fn finish_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads the next answer.
    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer(false).unwrap().expect("an answer")
    }

    pub(crate) fn answer_to_head(&mut self) -> Answer {
        self.try_answer(true).unwrap().expect("an answer")
    }

    /// Reads the next answer, or `None` where the server has closed between answers.
    pub(crate) fn try_answer(&mut self, to_head: bool) -> io::Result<Option<Answer>> {
        while find(&self.pending, b"\r\n\r\n").is_none() {
            if !self.more()? {
                assert!(
                    self.pending.is_empty(),
                    "half a head: {}",
                    self.pending.escape_ascii()
                );
                return Ok(None);
            }
        }
        let end = find(&self.pending, b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8(self.pending.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        if to_head || matches!(status, 100 | 204 | 304) {
            return Ok(Some(answer));
        }
        if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().unwrap();
            while self.pending.len() < length {
                if !self.more()? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            answer.body = self.pending.drain(..length).collect();
        } else if answer.header("transfer-encoding") == Some("chunked") {
            while find(&self.pending, b"0\r\n\r\n").is_none() {
                if !self.more()? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let end = find(&self.pending, b"0\r\n\r\n").unwrap() + 5;
            answer.body = self.pending.drain(..end).collect();
        } else {
            while self.more()? {}
            answer.body = std::mem::take(&mut self.pending);
        }
        Ok(Some(answer))
    }

    fn more(&mut self) -> io::Result<bool> {
        let mut piece = [0; 16_384];
        let read = self.stream.read(&mut piece)?;
        self.pending.extend_from_slice(&piece[..read]);
        Ok(read > 0)
    }

    /// Waits for the server's end of the connection; returns whatever came before.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        loop {
            match self.more() {
                Ok(true) => {}
                Ok(false) => return std::mem::take(&mut self.pending),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return std::mem::take(&mut self.pending);
                }
                Err(error) => panic!("the server did not close: {error}"),
            }
        }
    }
}

pub(crate) fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}

/// Waits until something has become true; it fails the test if that never happens.
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let pause = Duration::from_millis(5);
    for _turn in 0..PATIENCE.as_millis() / pause.as_millis() {
        if is_true() {
            return;
        }
        std::thread::sleep(pause);
    }
    panic!("never came true: {what}");
}
