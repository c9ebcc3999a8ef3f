//! The real binary over a database of its own, with the flows of the benchmark.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ANSWER_TIME, BURST, ORDER, per_s};

/// Who owns the flows.
const EMAIL: &str = "ada@example.com";

/// Runs that make a burst together: each emits its part of it, within what one run of a
/// script may emit and a queue may hold.
const BURST_CALLS: u32 = 20;

/// A running server; killed when it goes.
pub(crate) struct Ours {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    flows: Vec<String>,
    folder: TempDir,
}

impl Ours {
    /// Makes an installation with these flows started, and serves it.
    pub(crate) fn start(flows: &[Value]) -> Self {
        Self::start_with(flows, |_, _| ())
    }

    /// Makes an installation with these flows started, adds something to its database, and
    /// serves it.
    pub(crate) fn start_with(flows: &[Value], add: impl FnOnce(&Connection, &[String])) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let password = "a long password of a benchmark";
        let person = ["--first-name", "Ada", "--last-name", "Lovelace"];
        let init = [
            &["init", "--email", EMAIL, "--password", password],
            &person[..],
        ];
        elastane(folder.path(), &init.concat());
        let start = |flow| start_flow(folder.path(), flow);
        let flows: Vec<String> = flows.iter().map(start).collect();
        let database = Connection::open(folder.path().join("elastane.db"));
        add(&database.expect("the database"), &flows);
        let mut child = Command::new(env!("CARGO_BIN_EXE_elastane"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-rate-limit"])
            .current_dir(folder.path())
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server");
        Self {
            address: address_of(&mut child),
            child,
            flows,
            folder,
        }
    }

    /// Returns the path of the webhook of a flow, by its place.
    pub(crate) fn hook_path(&self, flow: usize) -> String {
        format!("/hook/{}", self.flows[flow])
    }

    /// Returns the id of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Returns the messages a second of one burst inside, until all are recorded.
    pub(crate) fn burst_per_s(&self) -> f64 {
        let before = self.finished_bursts();
        let began = Instant::now();
        for _ in 0..BURST_CALLS {
            elastane(self.folder.path(), &["flow", "run", &self.flows[0]]);
        }
        while self.finished_bursts() < before + BURST_CALLS {
            assert!(began.elapsed() < ANSWER_TIME, "the burst ends");
            thread::sleep(Duration::from_millis(20));
        }
        per_s(BURST, began)
    }

    /// Opens its database to look at it.
    pub(crate) fn database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = self.folder.path().join("elastane.db");
        Connection::open_with_flags(database, flags).expect("the database")
    }

    /// Returns how many runs of the burst have ended, as the database tells; none may
    /// have failed, and each must have recorded all of its messages.
    fn finished_bursts(&self) -> u32 {
        let (runs, failed, least): (u32, u32, Option<u32>) = self
            .database()
            .query_row(
                "SELECT count(*), coalesce(sum(status <> 'success'), 0), min(steps_total)
                 FROM executions WHERE flow_id = ?1 AND finished_at IS NOT NULL",
                [&self.flows[0]],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .expect("the runs");
        assert_eq!(failed, 0, "no run fails");
        let part = BURST / BURST_CALLS;
        assert!(least.is_none_or(|steps| steps >= part), "{least:?} steps");
        runs
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the binary in a folder and returns what it prints.
fn elastane(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_elastane"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the binary");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).expect("text")
}

/// Imports a flow, starts it and returns its id.
fn start_flow(folder: &Path, attributes: &Value) -> String {
    let file = json!({ "data": { "type": "flow", "attributes": attributes } });
    std::fs::write(folder.join("flow.json"), file.to_string()).expect("a file");
    let arguments = ["flow", "import", "flow.json", "--user", EMAIL, "--json"];
    let made: Value = serde_json::from_str(&elastane(folder, &arguments)).expect("JSON");
    let id = made["id"].as_str().expect("an id").to_owned();
    elastane(folder, &["flow", "start", &id]);
    id
}

/// Reads where the server says that it listens.
fn address_of(server: &mut Child) -> SocketAddr {
    let out = BufReader::new(server.stdout.take().expect("its output"));
    let mut lines = out.lines().map_while(Result::ok);
    let address = lines
        .find_map(|line| {
            let (_, rest) = line.split_once("http://")?;
            let end = rest.find(|c: char| c == '/' || c.is_whitespace());
            rest[..end.unwrap_or(rest.len())].parse().ok()
        })
        .expect("an address");
    // A closed pipe would end the server when it says more.
    thread::spawn(move || lines.for_each(drop));
    address
}

/// The mapping of an order, the same six expressions as Node-RED's.
fn mapping() -> Value {
    json!({
        "reference": "\"ORD-\" & id",
        "customer": "name.first & \" \" & name.last",
        "email": "$lowercase(email)",
        "total": "$sum(items.(price * quantity))",
        "skus": "items.sku",
        "country": "$uppercase(address.country)",
    })
}

/// A webhook whose call is answered with the mapped order.
pub(crate) fn map_flow() -> Value {
    json!({
        "name": "Map", "type": "ordinary", "default_mapper_type": "jsonata",
        "graph": {
            "nodes": [
                { "id": "step_1", "command": "elasticio/webhook:receive" },
                { "id": "step_2", "command": "elasticio/request-reply:reply" },
            ],
            "edges": [{
                "source": "step_1", "target": "step_2",
                "config": { "mapper_type": "jsonata", "mapper": { "responseBody": mapping() } },
            }],
        },
    })
}

/// A trigger that emits its part of a burst, which is mapped and logged.
pub(crate) fn burst_flow() -> Value {
    let code = format!(
        "async function run() {{\n  const order = {ORDER};\n  for (let i = 0; i < {}; i += 1) {{\n    \
         emitter.emit('data', messages.newMessageWithBody(order));\n  }}\n}}\n",
        BURST / BURST_CALLS
    );
    json!({
        "name": "Burst", "type": "ordinary", "default_mapper_type": "jsonata",
        // It is run by hand: its own time comes once a year.
        "cron": "0 0 1 1 *",
        "graph": {
            "nodes": [
                { "id": "step_1", "command": "elasticio/code:executeTrigger", "fields": { "code": code } },
                { "id": "step_2", "command": "elasticio/debug:log" },
            ],
            "edges": [{
                "source": "step_1", "target": "step_2",
                "config": { "mapper_type": "jsonata", "mapper": mapping() },
            }],
        },
    })
}
