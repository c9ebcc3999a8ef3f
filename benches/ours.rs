//! The real binary over a database of its own, with the flows of the benchmark.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ANSWER_TIME, BURST, ORDER, ask, per_s, request};

/// Who owns the flows.
const EMAIL: &str = "ada@example.com";

/// Calls that make a burst together: each code step emits its part of it, within what
/// one run may emit and a queue may hold.
const BURST_CALLS: usize = 10;

/// A running server; killed when it goes.
pub(crate) struct Ours {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    /// The line of the head that signs requests in.
    authorization: String,
    map_flow: String,
    burst_flow: String,
    _folder: TempDir,
}

impl Ours {
    /// Makes an installation with both flows started, and serves it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = elastane(
            folder.path(),
            &[
                "init",
                "--email",
                EMAIL,
                "--first-name",
                "Ada",
                "--last-name",
                "Lovelace",
                "--password",
                "a long password of a benchmark",
                "--json",
            ],
        );
        let made: Value = serde_json::from_str(&made).expect("JSON");
        let key = made["api_secret"].as_str().expect("a key");
        let credentials = format!("{EMAIL}:{key}");
        let credentials = base64::engine::general_purpose::STANDARD.encode(credentials);
        let map_flow = start_flow(folder.path(), &map_flow());
        let burst_flow = start_flow(folder.path(), &burst_flow());
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
            authorization: format!("Authorization: Basic {credentials}\r\n"),
            map_flow,
            burst_flow,
            _folder: folder,
        }
    }

    /// Returns the path of the webhook that maps and answers.
    pub(crate) fn map_path(&self) -> String {
        format!("/hook/{}", self.map_flow)
    }

    /// Returns the id of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Returns the messages a second of one burst inside, until all are recorded.
    pub(crate) fn burst_per_s(&self) -> f64 {
        let before = self.finished_bursts();
        let call = request("POST", &format!("/hook/{}", self.burst_flow), "", ORDER);
        let began = Instant::now();
        for _ in 0..BURST_CALLS {
            let answer = ask(self.address, &call);
            assert!(answer.starts_with("HTTP/1.1 2"), "accepted: {answer}");
        }
        while self.finished_bursts() < before + BURST_CALLS {
            assert!(began.elapsed() < ANSWER_TIME, "the burst ends");
            thread::sleep(Duration::from_millis(20));
        }
        per_s(BURST, began)
    }

    /// Returns how many runs of the burst have ended well; none may have failed.
    fn finished_bursts(&self) -> usize {
        let path = format!(
            "/v2/flow-executions?filter[flow]={}&page[size]=100",
            self.burst_flow
        );
        let answer = ask(
            self.address,
            &request("GET", &path, &self.authorization, ""),
        );
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let listed: Value = serde_json::from_str(body).expect("JSON");
        let runs = listed["data"].as_array().expect("a list of runs");
        let status = |run: &Value| run["attributes"]["status"].as_str().map(str::to_owned);
        let found: Vec<_> = runs.iter().filter_map(status).collect();
        let failed = found.iter().find(|state| {
            let state = state.as_str();
            !["running", "waiting", "success"].contains(&state)
        });
        assert_eq!(failed, None, "no run fails");
        found.iter().filter(|state| *state == "success").count()
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
fn map_flow() -> Value {
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

/// A webhook whose call makes a code step emit its part of a burst, which is mapped and
/// logged.
fn burst_flow() -> Value {
    let code = format!(
        "async function run(msg) {{\n  for (let i = 0; i < {}; i += 1) {{\n    \
         emitter.emit('data', messages.newMessageWithBody(msg.body));\n  }}\n}}\n",
        BURST / BURST_CALLS
    );
    json!({
        "name": "Burst", "type": "ordinary", "default_mapper_type": "jsonata",
        "graph": {
            "nodes": [
                { "id": "step_1", "command": "elasticio/webhook:receive" },
                { "id": "step_2", "command": "elasticio/code:execute", "fields": { "code": code } },
                { "id": "step_3", "command": "elasticio/debug:log" },
            ],
            "edges": [
                { "source": "step_1", "target": "step_2" },
                {
                    "source": "step_2", "target": "step_3",
                    "config": { "mapper_type": "jsonata", "mapper": mapping() },
                },
            ],
        },
    })
}
