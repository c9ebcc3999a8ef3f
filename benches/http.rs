//! Requests a second of a no-op route, ours beside a bare asynchronous server in the same run.
//!
//! The ratio is the figure: absolute numbers depend on the machine, and client and servers share its
//! cores. The goal is 0.65 of hyper on tokio, which is what the blocking design costs in thread
//! switches. Rounds are interleaved and the best of each counts, so that a neighbour's load hits
//! both alike. Run with `cargo bench --bench http`; it exits with 1 below the goal.

mod bare;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use elastane::http::{Address, Request, Response, Server, Settings};
use hyper::body::Bytes;

/// Client connections of a measurement, spread over a few threads.
///
/// Each client thread writes to all of its connections and then reads from all of them. So the load
/// costs few thread switches, and what is compared is the servers.
const CONNECTIONS: [usize; 2] = [16, 64];
const CLIENT_THREADS: usize = 2;

/// Rounds of each server and number of connections.
const ROUNDS: usize = 3;

/// Length of a round, and the most times that a client thread goes round its connections in it.
const ROUND: Duration = Duration::from_secs(2);
const MOST_TURNS: u64 = 1_000_000;

/// What is asked of the ratio.
const GOAL: f64 = 0.65;

const REQUEST: &[u8] =
    b"GET /ping HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

fn main() -> ExitCode {
    let ours = Server::start(
        &["127.0.0.1:0"
            .parse::<Address>()
            .expect("the text is an address")],
        Settings::default(),
        |_: &mut Request<'_>| {
            Response::new(200)
                .header("Content-Type", "text/plain")
                .bytes("pong")
        },
    );
    let ours = match ours {
        Ok(server) => server,
        Err(error) => return fail(&format!("the server doesn't start: {error}")),
    };
    let Some(address) = ours.local_addr() else {
        return fail("the server has no address");
    };
    let other = bare::start("text/plain", Bytes::from_static(b"pong"));
    let mut fine = true;
    for connections in CONNECTIONS {
        let mut best = [0.0_f64; 2];
        for _round in 0..ROUNDS {
            for (best, address) in best.iter_mut().zip([address, other]) {
                *best = best.max(requests_per_s(address, connections));
            }
        }
        let ratio = best[0] / best[1];
        fine &= ratio >= GOAL;
        say(&format!(
            "c={connections}: ours {:.0}/s, hyper {:.0}/s, ratio {ratio:.2} (goal {GOAL})",
            best[0], best[1]
        ));
    }
    ours.wait(Duration::from_secs(1));
    if fine {
        ExitCode::SUCCESS
    } else {
        fail("the ratio is below its goal")
    }
}

fn say(line: &str) {
    // A closed pipe is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn fail(why: &str) -> ExitCode {
    say(why);
    ExitCode::FAILURE
}

/// Loads a server for one round.
fn requests_per_s(address: SocketAddr, connections: usize) -> f64 {
    let stop = AtomicBool::new(false);
    let answered = AtomicU64::new(0);
    let began_ms = elastane::clock::monotonic_ms();
    std::thread::scope(|scope| {
        for _thread in 0..CLIENT_THREADS {
            scope.spawn(|| {
                let got = client(address, connections / CLIENT_THREADS, &stop);
                answered.fetch_add(got, Ordering::Relaxed)
            });
        }
        std::thread::sleep(ROUND);
        stop.store(true, Ordering::Relaxed);
    });
    let took_ms = elastane::clock::monotonic_ms() - began_ms;
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of a few million are exact"
    )]
    let rate = answered.load(Ordering::Relaxed) as f64 * 1_000.0 / took_ms as f64;
    rate
}

/// Keeps one request in flight on each connection; returns how many were answered.
fn client(address: SocketAddr, connections: usize, stop: &AtomicBool) -> u64 {
    let connect = || {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream
            .set_nodelay(true)
            .expect("a fresh socket takes options");
        stream
            .set_read_timeout(Some(ROUND * 2))
            .expect("a fresh socket takes options");
        stream
    };
    let mut streams: Vec<TcpStream> = (0..connections).map(|_| connect()).collect();
    let mut answered = 0;
    for _turn in 0..MOST_TURNS {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for stream in &mut streams {
            stream.write_all(REQUEST).expect("the server reads");
        }
        for stream in &mut streams {
            read_answer(stream);
            answered += 1;
        }
    }
    answered
}

fn read_answer(stream: &mut TcpStream) {
    let mut buffer = [0; 4_096];
    let mut filled = 0;
    while !buffer[..filled].ends_with(b"\r\n\r\npong") {
        let read = stream
            .read(&mut buffer[filled..])
            .expect("the server answers");
        assert!(read > 0, "the server closed");
        filled += read;
    }
}
