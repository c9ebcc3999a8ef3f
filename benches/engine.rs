//! The engine against Node-RED, in one run on one machine: a webhook that maps and
//! answers, and a burst of messages inside; and what a run of a script costs.
//!
//! Node-RED is installed and started by `benches/node-red/start.sh`, which needs Node.js
//! and npm. It gets the better part where sides differ: it keeps nothing on disk, has no
//! editor, and counts the burst where ours writes a log. Ours is the real binary over a
//! database on disk, and records each execution durably.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures time and prints it"
)]

mod load;
mod median;
mod node_red;
mod ours;
mod resident;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use elastane::engine::script::{ScriptEvent, ScriptInput, ScriptLimits, run};
use serde_json::{Value, json};

/// How often each figure is taken, in turns; the median counts.
const ROUNDS: usize = 3;

/// How long each figure of requests is taken.
const DURATION: Duration = Duration::from_secs(5);

/// How long both sides are warmed up: V8 compiles what is hot.
const WARM_UP: Duration = Duration::from_secs(3);

/// Connections of the load.
const CONNECTIONS: usize = 16;

/// Messages of a burst, on both sides.
const BURST: u32 = 100_000;

/// Runs of a script that the cost of one is taken of.
const SCRIPT_RUNS: u32 = 2_000;

/// How long any answer may take: a burst takes many seconds.
const ANSWER_TIME: Duration = Duration::from_mins(5);

/// The order that each request brings and each message of a burst holds.
const ORDER: &str = include_str!("node-red/order.json");

fn main() {
    script_cost();
    let node_red = node_red::NodeRed::start();
    let ours = ours::Ours::start();
    let theirs = map_request("/map");
    assert_mapped(&ask(node_red.address, &theirs));
    let own = map_request(&ours.map_path());
    let answer = ask(ours.address, &own);
    if !answer.starts_with("HTTP/1.1 2") {
        let first = answer.lines().next().unwrap_or_default();
        println!("Elastane does not answer its webhook ({first}): Node-RED's figures alone");
        requests_per_s(node_red.address, &theirs, WARM_UP);
        let rate = requests_per_s(node_red.address, &theirs, DURATION);
        let memory = resident::resident_mb(node_red.process());
        println!("Node-RED: {rate:.0} requests/s, {memory:.0} MB");
        println!("Node-RED: {:.0} messages/s in a burst", burst_of(&node_red));
        return;
    }
    assert_mapped(&answer);
    webhook(&node_red, &theirs, &ours, &own);
    bursts(&node_red, &ours);
}

/// Measures the webhook that maps and answers, and the memory of both sides under it.
fn webhook(node_red: &node_red::NodeRed, theirs: &[u8], ours: &ours::Ours, own: &[u8]) {
    requests_per_s(node_red.address, theirs, WARM_UP);
    requests_per_s(ours.address, own, WARM_UP);
    let (mut speed, mut memory) = (vec![], vec![]);
    for round in 1..=ROUNDS {
        let they = requests_per_s(node_red.address, theirs, DURATION);
        let their_mb = resident::resident_mb(node_red.process());
        let we = requests_per_s(ours.address, own, DURATION);
        let our_mb = resident::resident_mb(ours.process());
        println!(
            "round {round}: Node-RED {they:.0}/s in {their_mb:.0} MB, \
             Elastane {we:.0}/s in {our_mb:.1} MB"
        );
        speed.push(we / they);
        memory.push(our_mb / their_mb);
    }
    let (speed, memory) = (median::median(speed), median::median(memory));
    println!("webhook, JSONata, answer against Node-RED: {speed:.2} times (goal 3)");
    println!("memory under it against Node-RED's: {memory:.2} (goal at most 0.20)");
}

/// Measures a burst of messages inside.
fn bursts(node_red: &node_red::NodeRed, ours: &ours::Ours) {
    let mut ratios = vec![];
    for round in 1..=ROUNDS {
        let they = burst_of(node_red);
        let we = ours.burst_per_s();
        println!("round {round}: burst Node-RED {they:.0}/s, Elastane {we:.0}/s");
        ratios.push(we / they);
    }
    let ratio = median::median(ratios);
    println!("a burst of {BURST} messages against Node-RED's: {ratio:.2} times (goal 2)");
}

/// Returns the messages a second of one burst inside Node-RED.
fn burst_of(node_red: &node_red::NodeRed) -> f64 {
    let began = Instant::now();
    let answer = ask(node_red.address, &request("/burst", ""));
    let counted = format!("\"count\":{BURST}");
    assert!(answer.contains(&counted), "all are counted: {answer}");
    per_s(BURST, began)
}

/// Prints what a run of a small script costs, its sandbox included.
fn script_cost() {
    let msg = json!({ "body": serde_json::from_str::<Value>(ORDER).expect("an order") });
    let input = ScriptInput {
        code: "async function run(msg) { return { id: msg.body.id, n: msg.body.items.length }; }",
        msg: &msg,
        cfg: &Value::Null,
        snapshot: &Value::Null,
        variables: &Value::Null,
    };
    let limits = ScriptLimits::default();
    let mut bodies = 0;
    let began = Instant::now();
    for _ in 0..SCRIPT_RUNS {
        let mut count = |event| bodies += u32::from(matches!(event, ScriptEvent::Data(_)));
        run(&input, &limits, &mut count).expect("a run");
    }
    assert_eq!(bodies, SCRIPT_RUNS, "each run emits");
    let cost = began.elapsed() / SCRIPT_RUNS;
    println!("a run of a script, its sandbox included: {cost:?} (goal at most 500µs)");
}

/// Returns how many times a second something was done since `began`.
fn per_s(times: u32, began: Instant) -> f64 {
    f64::from(times) / began.elapsed().as_secs_f64()
}

/// Sends the request over all connections and returns answers a second.
fn requests_per_s(address: SocketAddr, request: &[u8], duration: Duration) -> f64 {
    load::answers_per_s(address, CONNECTIONS, duration, |_| request.to_vec())
}

/// Writes the request that brings an order.
fn map_request(path: &str) -> Vec<u8> {
    request(path, ORDER)
}

/// Writes a request with a JSON body.
fn request(path: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends one request over a connection of its own and returns the whole answer.
fn ask(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(ANSWER_TIME))
        .expect("a socket option");
    stream.write_all(request).expect("a sent request");
    let mut answer = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        if load::answer_length(&answer).is_some_and(|length| answer.len() >= length) {
            return String::from_utf8(answer).expect("an answer of text");
        }
        let read = stream.read(&mut piece).expect("a readable answer");
        assert!(read > 0, "the connection was closed");
        answer.extend_from_slice(&piece[..read]);
    }
}

/// Holds that an answer is the mapped order: both sides do the same work.
fn assert_mapped(answer: &str) {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let mapped: Value = serde_json::from_str(body).expect("JSON");
    let expected = json!({
        "reference": "ORD-4711", "customer": "Ada Lovelace",
        "email": "ada.lovelace@example.com", "total": 137,
        "skus": ["A-1", "B-2", "C-3"], "country": "GB",
    });
    assert_eq!(mapped, expected);
}
