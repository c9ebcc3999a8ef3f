//! Flows that run on a real server, with a step that calls a machine which answers when
//! the test says so.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use elastane::app::AppOptions;
use elastane::server::ServerOptions;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Installation, TestServer};

/// How a JSON body is announced.
const JSON: (&str, &str) = ("content-type", "application/json");

/// How often something is looked at until it is so: two minutes of a busy machine.
const LOOKS: u32 = 6_000;

/// Waits until something is so.
#[track_caller]
pub(super) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never: {what}");
}

/// A server whose steps may call this machine.
pub(super) fn server(
    change: impl FnOnce(&mut AppOptions),
    set: impl FnOnce(&mut ServerOptions),
) -> TestServer {
    let installation = Installation::with(|options| {
        options.rules.allow_private_networks = true;
        change(options);
    });
    let mut options = ServerOptions::default();
    set(&mut options);
    TestServer::over(installation, options)
}

/// What a gate knows.
#[derive(Default)]
struct State {
    /// The paths that were called, in order.
    calls: Vec<String>,
    /// Whether calls are answered.
    is_open: bool,
}

/// A machine that is called by steps, and answers once it is open.
pub(super) struct Gate {
    at: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Gate {
    /// Starts a gate, which is shut.
    pub(super) fn shut() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let at = listener.local_addr().expect("an address");
        let state = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let shared = Arc::clone(&state);
        let accept = move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                elastane::thread::spawn("gate-call", None, move || answer(stream, &state))
                    .expect("a thread");
            }
        };
        elastane::thread::spawn("gate", None, accept).expect("a thread");
        Self { at, state }
    }

    /// Answers all calls from now on, those that wait among them.
    pub(super) fn open(&self) {
        self.state.0.lock().expect("the state").is_open = true;
        self.state.1.notify_all();
    }

    /// Returns the paths that were called so far.
    pub(super) fn calls(&self) -> Vec<String> {
        self.state.0.lock().expect("the state").calls.clone()
    }

    /// Returns a node that calls a path here.
    pub(super) fn node(&self, id: &str, path: &str) -> Value {
        json!({ "id": id, "command": "elasticio/rest-api:httpRequestAction", "fields": {
            "reader": { "method": "GET", "url": format!("\"http://{}{path}\"", self.at) },
        } })
    }
}

/// Takes one call, and answers it once the gate is open.
fn answer(mut stream: TcpStream, state: &(Mutex<State>, Condvar)) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut known = state.0.lock().expect("the state");
    known.calls.push(path);
    let open = state.1.wait_while(known, |known| !known.is_open);
    drop(open);
    let _ = stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
          connection: close\r\n\r\n{}",
    );
}

/// Makes a flow of API v2, starts it and returns its id.
#[track_caller]
pub(super) fn started(who: &Actor, nodes: &[Value], edges: &[(&str, &str)]) -> String {
    started_with(who, nodes, edges, &json!({}))
}

/// The same with more attributes.
#[track_caller]
pub(super) fn started_with(
    who: &Actor,
    nodes: &[Value],
    edges: &[(&str, &str)],
    more: &Value,
) -> String {
    let edges: Vec<Value> = edges
        .iter()
        .map(|(source, target)| match *source {
            "" => json!({ "target": target }),
            _ => json!({ "source": source, "target": target }),
        })
        .collect();
    let mut attributes = json!({
        "name": "Runs", "type": "ordinary", "default_mapper_type": "jsonata",
        "graph": { "nodes": nodes, "edges": edges },
    });
    for (name, value) in more.as_object().expect("attributes") {
        attributes[name] = value.clone();
    }
    let flow = json!({ "data": { "type": "flow", "attributes": attributes } });
    let made = who.post("/v2/flows", &flow).json(201);
    let id = made["data"]["id"].as_str().expect("an id").to_owned();
    start(who, &id);
    id
}

/// Starts a flow.
#[track_caller]
pub(super) fn start(who: &Actor, flow: &str) {
    let start = who.send("POST", &format!("/v2/flows/{flow}/start"), &[], "");
    assert_eq!(start.status, 202, "{}", start.text);
}

/// Returns the webhook trigger as a node.
pub(super) fn hook() -> Value {
    json!({ "id": "in", "command": "elasticio/webhook:receive" })
}

/// Calls a webhook with JSON, as somebody without credentials.
pub(super) fn call(server: &TestServer, flow: &str) -> Answer {
    let nobody = server.anonymous();
    nobody.send("POST", &format!("/hook/{flow}"), &[JSON], "{}")
}

/// Returns the states of a flow's runs, newest first.
pub(super) fn states(who: &Actor, flow: &str) -> Vec<String> {
    let path = format!("/v2/flow-executions?filter[flow]={flow}&page[size]=100");
    let runs = who.get(&path).json(200);
    let runs = runs["data"].as_array().expect("runs").iter();
    runs.map(|run| {
        run["attributes"]["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    })
    .collect()
}

/// Waits until so many runs of a flow have ended well.
#[track_caller]
pub(super) fn all_succeed(who: &Actor, flow: &str, count: usize) {
    eventually("all runs have ended well", || {
        let states = states(who, flow);
        states.len() == count && states.iter().all(|state| state == "success")
    });
}
