//! How small: size of the binary, time to the first answer, memory when idle, each of
//! the real binary serving the demo. Benchmarks are built without LTO, so the figures of
//! a release are those of `cargo bench --bench footprint -- target/release/elastane`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures time and prints it"
)]

mod median;
mod resident;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Starts that the median is taken of.
const STARTS: usize = 9;

/// A kibibyte and a mebibyte.
const KIB: f64 = 1024.0;

fn main() {
    let named = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let binary = &named.unwrap_or_else(|| env!("CARGO_BIN_EXE_elastane").to_owned());
    let size = std::fs::metadata(binary).expect("the binary").len();
    println!(
        "binary: {:.1} MB, stripped where the profile strips (goal at most 12)",
        mb(size)
    );
    let mut starts = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..STARTS {
        // Ours, since a demo that is killed can't remove a folder of its own.
        let folder = tempfile::tempdir().expect("a folder");
        let began = Instant::now();
        let mut demo = Command::new(binary)
            .args(["demo", "--listen", "127.0.0.1:0", "--db"])
            .arg(folder.path().join("demo.db"))
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo");
        let address = address_of(&mut demo);
        first_answer(&address);
        starts.push(began.elapsed().as_secs_f64() * 1_000.0);
        thread::sleep(Duration::from_secs(1));
        memory.push(resident::resident_mb(demo.id()));
        demo.kill().expect("killed");
        demo.wait().expect("ended");
    }
    println!(
        "start to first answer: {:.0} ms (goal at most 150)",
        median::median(starts)
    );
    println!(
        "idle memory: {:.1} MB (goal at most 15)",
        median::median(memory)
    );
}

/// Returns bytes as megabytes.
#[expect(clippy::cast_precision_loss, reason = "a size is told to one digit")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / KIB / KIB
}

/// Reads where the demo listens.
fn address_of(demo: &mut Child) -> String {
    let out = BufReader::new(demo.stdout.take().expect("its output"));
    let mut lines = out.lines().map_while(Result::ok);
    let address = lines
        .find_map(|line| {
            let rest = line.split_once("http://")?.1.to_owned();
            Some(
                rest.split(|c: char| c == '/' || c.is_whitespace())
                    .next()?
                    .to_owned(),
            )
        })
        .expect("an address");
    // Whoever closes the pipe ends the demo's banner half way.
    thread::spawn(move || lines.for_each(drop));
    address
}

/// Asks for the health of the server and reads the answer.
fn first_answer(address: &str) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
