//! A load generator of one thread over many keep-alive connections, for servers that do
//! much for each request: with a thread a connection the generator took a third of the
//! machine from whoever is measured, most of it from the faster one.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::answer::answer_length;

/// Sends `request` again and again over `connections` for `duration`; returns answers a
/// second. Any answer but 2xx, and any broken connection, ends the run with a panic.
#[expect(clippy::cast_precision_loss, reason = "a rate is told to three digits")]
pub(crate) fn answers_per_s(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    request: &[u8],
) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime");
    let began = Instant::now();
    let until = began + duration;
    let mut all: Vec<Pin<Box<dyn Future<Output = u64> + '_>>> = Vec::new();
    for _ in 0..connections {
        all.push(Box::pin(hammer(address, until, request)));
    }
    let mut answered = 0;
    runtime.block_on(poll_fn(|context| {
        all.retain_mut(|one| match one.as_mut().poll(context) {
            Poll::Ready(count) => {
                answered += count;
                false
            }
            Poll::Pending => true,
        });
        if all.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    answered as f64 / began.elapsed().as_secs_f64()
}

/// Sends requests over one connection until the time is up; returns how many were answered.
async fn hammer(address: SocketAddr, until: Instant, request: &[u8]) -> u64 {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket option");
    let mut piece = vec![0; 16 * 1024];
    let mut answer = Vec::with_capacity(piece.len());
    let mut answered = 0;
    while Instant::now() < until {
        send(&stream, request).await;
        answer.clear();
        while answer_length(&answer).is_none_or(|length| answer.len() < length) {
            let read = receive(&stream, &mut piece).await;
            assert!(read > 0, "the connection was closed");
            answer.extend_from_slice(&piece[..read]);
        }
        let is_success = answer.starts_with(b"HTTP/1.1 2");
        assert!(is_success, "{}", String::from_utf8_lossy(&answer));
        answered += 1;
    }
    answered
}

/// Sends all of a request.
async fn send(stream: &TcpStream, mut request: &[u8]) {
    while !request.is_empty() {
        match stream.try_write(request) {
            Ok(count) => request = &request[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stream.writable().await.expect("a socket");
            }
            Err(error) => panic!("a request can't be sent: {error}"),
        }
    }
}

/// Receives what is there, and waits for it where nothing is.
async fn receive(stream: &TcpStream, piece: &mut [u8]) -> usize {
    loop {
        stream.readable().await.expect("a socket");
        match stream.try_read(piece) {
            Ok(count) => return count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("an answer can't be read: {error}"),
        }
    }
}
