//! A load generator for the benchmarks: keep-alive connections to loopback, each with
//! a thread, bounded in number and time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::answer::answer_length;

/// The most bytes of one answer.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// Sends `request` again and again over `connections` for `duration`; returns answers a
/// second. Any answer but 2xx, and any broken connection, ends the run with a panic.
#[expect(clippy::cast_precision_loss, reason = "a rate is told to three digits")]
pub(crate) fn answers_per_s(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    request: impl Fn(usize) -> Vec<u8> + Sync,
) -> f64 {
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let total: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|worker| {
                let (stop, request) = (&stop, &request);
                scope.spawn(move || hammer(address, stop, || request(worker)))
            })
            .collect();
        thread::sleep(duration);
        stop.store(true, Ordering::Relaxed);
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker that ends"))
            .sum()
    });
    total as f64 / began.elapsed().as_secs_f64()
}

/// Sends requests over one connection until told to stop; returns how many were answered.
fn hammer(address: SocketAddr, stop: &AtomicBool, request: impl Fn() -> Vec<u8>) -> u64 {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a socket option");
    let mut buffer = Vec::with_capacity(16 * 1024);
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(&request()).expect("a sent request");
        read_answer(&mut stream, &mut buffer);
        answered += 1;
    }
    answered
}

/// Reads one answer with a `Content-Length` to its end.
pub(crate) fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(length) = answer_length(buffer)
            && buffer.len() >= length
        {
            let is_success = buffer.starts_with(b"HTTP/1.1 2");
            assert!(is_success, "{}", String::from_utf8_lossy(buffer));
            return;
        }
        let read = stream.read(&mut piece).expect("a readable answer");
        assert!(read > 0, "the connection was closed");
        buffer.extend_from_slice(&piece[..read]);
        assert!(buffer.len() <= ANSWER_MAX_BYTES, "an endless answer");
    }
}
