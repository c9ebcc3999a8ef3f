//! One step on an unmodified sailor: through this server, and through RabbitMQ of Debian,
//! in one run on one machine.
//!
//! RabbitMQ is started by `benches/rabbitmq/start.sh`, which says how it is installed; the
//! sailor comes from npm. Both sides run the same component in the same sailor, whose limit
//! of messages a second is lifted on both. Ours has its steps recorded durably, maps, and
//! keeps its queues in SQLite; RabbitMQ has messages that outlive it (`persistent`), and
//! once such that do not. Times on the wall swing with what else the machine does; times
//! on the cores hardly do, so both are told.
//!
//! `cargo bench --bench sailor`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark measures time and prints it"
)]

mod cpu;
mod median;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use elastane::app::component::NewBuild;
use elastane::app::user::Role;
use elastane::app::{App, AppOptions, SecretText};
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::domain::user::NewUser;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Messages of one figure.
const MESSAGES: u32 = 1_000;

/// Messages before, so that V8 has compiled what is hot.
const WARM_UP: u32 = 200;

/// How often each figure is taken, in turns; the median counts.
const ROUNDS: usize = 3;

/// How many messages a sailor has at once.
const PREFETCHES: [u32; 2] = [1, 10];

/// Flows that are started and idle.
const IDLE_FLOWS: usize = 200;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// How often something is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The component.
const ECHO: &str =
    "exports.process = async function (msg) { return { body: msg.body, headers: {} }; };";

fn main() {
    println!("load of the machine before: {}", cpu::load());
    let rabbit = Rabbit::start();
    let ours = Ours::start();
    let folder = ours.build.clone();
    for prefetch in PREFETCHES {
        let mut sides: [Vec<Figure>; 3] = Default::default();
        for _ in 0..ROUNDS {
            sides[0].push(ours.measure(prefetch));
            sides[1].push(rabbit.measure(&folder, prefetch, true));
            sides[2].push(rabbit.measure(&folder, prefetch, false));
        }
        println!("prefetch {prefetch}:");
        let [own, persistent, passing] = sides.map(|side| Figure::median(&side));
        own.tell("elastane");
        persistent.tell("RabbitMQ, persistent");
        passing.tell("RabbitMQ, not persistent");
        println!(
            "  ratio {:.2} (persistent), {:.2} (not persistent); start {:+.0} ms",
            own.per_s / persistent.per_s,
            own.per_s / passing.per_s,
            own.start_ms - persistent.start_ms,
        );
    }
    ours.idle();
    println!("load of the machine after: {}", cpu::load());
}

/// What was measured.
#[derive(Clone, Copy)]
struct Figure {
    per_s: f64,
    start_ms: f64,
    server_cpu_s: f64,
    sailor_cpu_s: f64,
}

impl Figure {
    fn median(all: &[Self]) -> Self {
        let of = |get: fn(&Self) -> f64| median::median(all.iter().map(get).collect());
        Self {
            per_s: of(|it| it.per_s),
            start_ms: of(|it| it.start_ms),
            server_cpu_s: of(|it| it.server_cpu_s),
            sailor_cpu_s: of(|it| it.sailor_cpu_s),
        }
    }

    fn tell(&self, name: &str) {
        let ms = 1_000.0 / f64::from(MESSAGES);
        println!(
            "  {name}: {:.0} messages/s; CPU a message: server {:.2} ms, sailor {:.2} ms; \
             first message {:.0} ms after the start",
            self.per_s,
            self.server_cpu_s * ms,
            self.sailor_cpu_s * ms,
            self.start_ms,
        );
    }
}

/// A running RabbitMQ; killed when it goes.
struct Rabbit {
    port: u16,
    child: Child,
    broker: u32,
    _folder: TempDir,
}

impl Rabbit {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rabbitmq/start.sh");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        let child = Command::new(script)
            .arg(port.to_string())
            .arg(folder.path())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a shell");
        wait_for("RabbitMQ", || {
            TcpStream::connect(("127.0.0.1", port))
                .is_ok()
                .then_some(())
        });
        let broker = wait_for("its process", || {
            let named = |pid: &u32| command_of(*pid).contains("beam.smp");
            children(child.id()).into_iter().find(named)
        });
        Self {
            port,
            child,
            broker,
            _folder: folder,
        }
    }

    fn measure(&self, folder: &Path, prefetch: u32, is_persistent: bool) -> Figure {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rabbitmq/drive.js");
        let mut command = Command::new("node");
        command
            .arg(script)
            .arg(format!("amqp://guest:guest@127.0.0.1:{}", self.port))
            .arg(folder)
            .args([MESSAGES.to_string(), prefetch.to_string()])
            .args([is_persistent.to_string(), self.broker.to_string()]);
        let said = command.output().expect("node");
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        let read: Value = serde_json::from_slice(&said.stdout).expect(&told);
        let number = |name: &str| read[name].as_f64().expect("a number");
        Figure {
            per_s: number("per_s"),
            start_ms: number("start_ms"),
            server_cpu_s: number("broker_cpu_s"),
            sailor_cpu_s: number("sailor_cpu_s"),
        }
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
        let port = (self.port + 1).to_string();
        let mut epmd = Command::new("epmd");
        epmd.args(["-port", &port, "-kill"]).stdout(Stdio::null());
        let _ = epmd.status();
    }
}

/// A running server with a component; killed when it goes.
struct Ours {
    child: Child,
    base: String,
    key: String,
    command: String,
    build: PathBuf,
    folder: TempDir,
}

impl Ours {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("elastane.db");
        let app = App::init(&AppOptions::new(&database)).expect("an installation");
        let new = NewUser::parse(Some("ada@example.com"), Some("Ada"), Some("L"), None);
        let password = SecretText::new("a long password");
        let operator = Principal::operator(Channel::Cli);
        let made = app.register_user(&operator, new.expect("valid"), &password, Role::Member);
        let made = made.expect("a user");
        let key = made.api_secret.expose().to_owned();
        let who = Principal::user(made.user, Origin::local(Channel::Api));
        let component = app.create_component(&who, None, Some("echo"));
        let component = component.expect("a component");
        let revision = "0123456789abcdef0123456789abcdef01234567".to_owned();
        let build = app.build_path(component.id, &revision);
        let descriptor = json!({ "title": "Echo", "actions": {
            "act": { "title": "Act", "main": "./act.js", "metadata": {} },
        } });
        install(&build, &descriptor);
        let build_of = NewBuild {
            revision,
            descriptor,
            icon: None,
        };
        app.add_build(&who, component.id, build_of)
            .expect("a build");
        app.close();
        let mut child = Command::new(env!("CARGO_BIN_EXE_elastane"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-rate-limit"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server");
        let out = child.stdout.take().expect("its output");
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        let base = { lines }
            .find_map(|line| Some(line[line.find("http://")?..].trim().to_owned()))
            .expect("its address");
        Self {
            child,
            base,
            key,
            command: format!("{}/{}:act", component.team, component.slug),
            build,
            folder,
        }
    }

    /// Sends a request that has to succeed.
    fn post(&self, path: &str, body: &Value) -> Value {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:", self.key));
        let mut answer = ureq::post(format!("{}{path}", self.base))
            .header("authorization", &format!("Basic {pair}"))
            .header("content-type", "application/json")
            .send(body.to_string())
            .expect("an answer");
        let text = answer.body_mut().read_to_string().expect("its body");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes and starts a flow: a webhook, a splitter, the step.
    fn flow(&self, prefetch: u32) -> String {
        let sent = json!({ "data": { "type": "flow", "attributes": {
            "name": "Echo", "type": "ordinary",
            "graph": {
                "nodes": [
                    { "id": "hook", "command": "elasticio/webhook:receive" },
                    { "id": "split", "command": "elasticio/splitter:split",
                      "fields": { "splitter": "list" } },
                    { "id": "step", "command": self.command },
                ],
                "edges": [
                    { "source": "hook", "target": "split" },
                    { "source": "split", "target": "step" },
                ],
            },
            // The other side has no steps before.
            "nodes_config": {
                "hook": { "passthrough": { "disabled": true } },
                "split": { "passthrough": { "disabled": true } },
                "step": { "prefetch": prefetch, "passthrough": { "disabled": true } },
            },
        } } });
        let made = self.post("/v2/flows", &sent);
        let id = made["data"]["id"].as_str().expect("an id").to_owned();
        self.post(&format!("/v2/flows/{id}/start"), &json!({}));
        id
    }

    /// Sends so many messages through the step, and returns how long that took.
    fn send(&self, flow: &str, messages: u32) -> f64 {
        let began = Instant::now();
        let list: Vec<Value> = (0..messages).map(|n| json!({ "n": n })).collect();
        self.post(&format!("/hook/{flow}"), &json!({ "list": list }));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let path = self.folder.path().join("elastane.db");
        let database = Connection::open_with_flags(path, flags).expect("the database");
        let status: String = wait_for("the end of the run", || {
            let read = database.query_row(
                "SELECT status FROM executions WHERE flow_id = ?1 AND finished_at IS NOT NULL
                 AND seq = (SELECT max(seq) FROM executions WHERE flow_id = ?1)",
                [flow],
                |row| row.get(0),
            );
            read.ok()
        });
        assert_eq!(status, "success");
        began.elapsed().as_secs_f64()
    }

    fn measure(&self, prefetch: u32) -> Figure {
        let flow = self.flow(prefetch);
        let start_s = self.send(&flow, 1);
        self.send(&flow, WARM_UP);
        let sailor = self.sailors().pop().expect("its process");
        let server = self.child.id();
        let before = (cpu::cpu_s(server), cpu::cpu_s(sailor));
        let took_s = self.send(&flow, MESSAGES);
        let figure = Figure {
            per_s: f64::from(MESSAGES) / took_s,
            start_ms: start_s * 1_000.0,
            server_cpu_s: cpu::cpu_s(server) - before.0,
            sailor_cpu_s: cpu::cpu_s(sailor) - before.1,
        };
        self.post(&format!("/v2/flows/{flow}/stop"), &json!({}));
        wait_for("the process to leave", || {
            self.sailors().is_empty().then_some(())
        });
        figure
    }

    /// Returns the processes of components.
    fn sailors(&self) -> Vec<u32> {
        let named = |pid: &u32| command_of(*pid).contains("run.js");
        children(self.child.id())
            .into_iter()
            .filter(named)
            .collect()
    }

    /// Tells what flows hold that are started and have nothing to do.
    fn idle(&self) {
        let before = self.sailors().len();
        for _ in 0..IDLE_FLOWS {
            self.flow(1);
        }
        let processes = self.sailors().len() - before;
        println!("{IDLE_FLOWS} idle flows hold {processes} processes");
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the component with its sailor into a folder.
fn install(folder: &Path, descriptor: &Value) {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sailor/new");
    if !modules.join("node_modules/.package-lock.json").exists() {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let installed = npm.current_dir(&modules).status().expect("npm");
        assert!(installed.success(), "npm ci");
    }
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("component.json"), descriptor.to_string()).expect("a file");
    fs::write(folder.join("package.json"), "{}").expect("a file");
    fs::write(folder.join("act.js"), ECHO).expect("a file");
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(modules.join("node_modules")).arg(folder);
    assert!(copy.status().expect("cp").success());
}

/// Waits until there is something.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(LOOK_EVERY);
    }
}

/// Returns the processes that a process started, and they.
fn children(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent == Some(of) {
            found.push(pid);
            found.extend(children(pid));
        }
    }
    found
}

/// Returns the words of a process.
fn command_of(pid: u32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}
