//! The engine against Node-RED, in one run on one machine: a webhook that maps and
//! answers, and a burst of messages inside; and what a run costs: of a script, on disk,
//! after a million others, and with thousands of flows that wait.
//!
//! Node-RED is installed and started by `benches/node-red/start.sh`, which needs Node.js
//! and npm. It gets the better part where sides differ: it keeps nothing on disk, has no
//! editor, and counts the burst where ours writes a log. Ours is the real binary over a
//! database on disk, and records each execution durably.
//!
//! `cargo bench --bench engine -- PART...` measures some of it: `script`, `webhook`,
//! `burst`, `disk`, `idle`, `depth`; with `alone` nothing is compared with Node-RED.
//! One thread makes the load, so that most of the machine is the servers'.
//! Times on the wall swing with what else the machine does; times on the cores hardly do,
//! so both are told.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures time and prints it"
)]

mod answer;
mod cost;
mod cpu;
mod event_load;
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

/// Microseconds in a second.
const US_PER_S: f64 = 1e6;

/// The order that each request brings and each message of a burst holds.
const ORDER: &str = include_str!("node-red/order.json");

/// What is measured where nothing is named.
const PARTS: [&str; 6] = ["script", "webhook", "burst", "disk", "idle", "depth"];

fn main() {
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_alone = named.iter().any(|name| name == "alone");
    let all = named.iter().all(|name| name == "alone");
    let is_wanted = |part: &str| all || named.iter().any(|name| name == part);
    println!("load of the machine before: {}", cpu::load());
    for part in PARTS.iter().filter(|part| is_wanted(part)) {
        match *part {
            "script" => script_cost(),
            "webhook" => webhook(is_alone),
            "burst" => bursts(is_alone),
            "disk" => cost::disk(),
            "idle" => cost::idle(),
            _ => cost::depth(),
        }
    }
    println!("load of the machine after: {}", cpu::load());
}

/// Measures the webhook that maps and answers, and the memory of both sides under it.
fn webhook(is_alone: bool) {
    let ours = ours::Ours::start(&[ours::map_flow()]);
    let own = map_request(&ours.hook_path(0));
    let theirs = map_request("/map");
    assert_mapped(&ask(ours.address, &own));
    requests_per_s(ours.address, &own, WARM_UP);
    let node_red = (!is_alone).then(node_red::NodeRed::start);
    if let Some(node_red) = &node_red {
        assert_mapped(&ask(node_red.address, &theirs));
        requests_per_s(node_red.address, &theirs, WARM_UP);
    }
    let (mut speed, mut memory) = (vec![], vec![]);
    for round in 1..=ROUNDS {
        let we = side(ours.address, ours.process(), &own);
        println!("round {round}: Elastane {we}");
        if let Some(node_red) = &node_red {
            let they = side(node_red.address, node_red.process(), &theirs);
            println!("round {round}: Node-RED {they}");
            speed.push(we.per_s / they.per_s);
            memory.push(we.mb / they.mb);
        }
    }
    if node_red.is_some() {
        let (speed, memory) = (median::median(speed), median::median(memory));
        println!("webhook, JSONata, answer against Node-RED: {speed:.2} times (goal 3)");
        println!("memory under it against Node-RED's: {memory:.2} (goal at most 0.20)");
    }
}

/// What one side does under load.
struct Side {
    per_s: f64,
    cpu_us: f64,
    mb: f64,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { per_s, cpu_us, mb } = self;
        write!(
            f,
            "{per_s:.0}/s, {cpu_us:.0} us of a core each, in {mb:.1} MB"
        )
    }
}

/// Measures a server under load.
fn side(address: SocketAddr, process: u32, request: &[u8]) -> Side {
    let before = cpu::cpu_s(process);
    let began = Instant::now();
    let per_s = requests_per_s(address, request, DURATION);
    let answers = per_s * began.elapsed().as_secs_f64();
    Side {
        per_s,
        cpu_us: (cpu::cpu_s(process) - before) * US_PER_S / answers,
        mb: resident::resident_mb(process),
    }
}

/// Measures a burst of messages inside.
fn bursts(is_alone: bool) {
    let ours = ours::Ours::start(&[ours::burst_flow()]);
    let node_red = (!is_alone).then(node_red::NodeRed::start);
    let mut ratios = vec![];
    for round in 1..=ROUNDS {
        let before = cpu::cpu_s(ours.process());
        let we = ours.burst_per_s();
        let cost = (cpu::cpu_s(ours.process()) - before) * US_PER_S / f64::from(BURST);
        println!("round {round}: burst Elastane {we:.0}/s, {cost:.1} us of a core each");
        if let Some(node_red) = &node_red {
            let before = cpu::cpu_s(node_red.process());
            let they = burst_of(node_red);
            let cost = (cpu::cpu_s(node_red.process()) - before) * US_PER_S / f64::from(BURST);
            println!("round {round}: burst Node-RED {they:.0}/s, {cost:.1} us of a core each");
            ratios.push(we / they);
        }
    }
    if node_red.is_some() {
        let ratio = median::median(ratios);
        println!("a burst of {BURST} messages against Node-RED's: {ratio:.2} times (goal 2)");
    }
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
    event_load::answers_per_s(address, CONNECTIONS, duration, request)
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
        if answer::answer_length(&answer).is_some_and(|length| answer.len() >= length) {
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
