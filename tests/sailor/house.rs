//! A server, Ada, and her component with its sailor.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use elastane::app::App;
use elastane::app::component::NewBuild;
use elastane::domain::component::Component;
use elastane::domain::principal::{Channel, Origin, Principal};
use elastane::engine::{EngineOptions, SailorOptions};
use elastane::server::ServerOptions;
use serde_json::{Value, json};

use crate::support::installation::Installation;
use crate::support::programs::install_node_modules;
use crate::support::{Actor, TestServer};

/// How often something is looked at that will come, and how long in between.
const LOOKS: usize = 1_500;
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// The revision under which builds of the tests lie.
const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// Which sailor a component has.
#[derive(Clone, Copy)]
pub enum Sailor {
    /// 2.7: promises.
    New,
    /// 1.3: callbacks, one connection, no confirms.
    Old,
}

impl Sailor {
    /// Puts the sailor into the folder of a component.
    pub fn install(self, folder: &Path) {
        copy_modules(&self.modules(), folder);
    }

    /// Returns the folder with its modules, installed.
    fn modules(self) -> PathBuf {
        let name = match self {
            Self::New => "new",
            Self::Old => "old",
        };
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sailor");
        install_node_modules(&tests.join(name));
        tests.join(name).join("node_modules")
    }
}

/// A server with Ada.
pub struct House {
    pub server: TestServer,
    pub ada: Actor,
    pub who: Principal,
}

impl House {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// Starts a server whose options a test changes first.
    pub fn with(change: impl FnOnce(&mut EngineOptions)) -> Self {
        Self::over(Installation::new(), change)
    }

    /// Starts a server over an installation.
    pub fn over(installation: Installation, change: impl FnOnce(&mut EngineOptions)) -> Self {
        let mut engine = EngineOptions::default();
        change(&mut engine);
        let options = ServerOptions {
            engine,
            ..ServerOptions::default()
        };
        let server = TestServer::over(installation, options);
        let ada = server.user("ada@example.com");
        let user = ada.user.clone().expect("a user");
        let who = Principal::user(user, Origin::local(Channel::Api));
        Self { server, ada, who }
    }

    /// Adds a component: its descriptor's functions, and its files by name.
    pub fn component(
        &self,
        name: &str,
        sailor: Sailor,
        descriptor: &Value,
        files: &[(&str, &str)],
    ) -> Component {
        let app = &self.server.installation.app;
        add_component(app, &self.who, name, sailor, descriptor, files)
    }

    /// Makes and starts a flow of these nodes behind a webhook, which edges lead through
    /// in order.
    pub fn flow(&self, nodes: &[Value]) -> String {
        let mut all = vec![json!({ "id": "hook", "command": "elasticio/webhook:receive" })];
        all.extend(nodes.iter().cloned());
        self.flow_of(&all, &json!({}))
    }

    /// Makes and starts a flow of these nodes, the first its trigger.
    pub fn flow_of(&self, nodes: &[Value], nodes_config: &Value) -> String {
        let edges: Vec<Value> = nodes
            .windows(2)
            .map(|pair| json!({ "source": pair[0]["id"], "target": pair[1]["id"] }))
            .collect();
        let sent = json!({ "data": { "type": "flow", "attributes": {
            "name": "Flow", "type": "ordinary",
            "graph": { "nodes": nodes, "edges": edges },
            "nodes_config": nodes_config,
        } } });
        let made = self.ada.post("/v2/flows", &sent).json(201);
        let id = made["data"]["id"].as_str().expect("an id").to_owned();
        let started = self.ada.post(&format!("/v2/flows/{id}/start"), &json!({}));
        assert_eq!(started.status, 202, "{}", started.text);
        id
    }

    /// Calls a flow's webhook.
    pub fn call(&self, flow: &str, body: &Value) -> crate::support::Answer {
        let nobody = self.server.anonymous();
        nobody.post(&format!("/hook/{flow}"), body)
    }

    /// Waits until a flow has so many runs, all of them over, and returns them, the oldest
    /// first.
    pub fn ended_runs(&self, flow: &str, count: usize) -> Vec<Value> {
        let path = format!("/v2/flow-executions?filter[flow]={flow}");
        let mut seen = Value::Null;
        for _ in 0..LOOKS {
            seen = self.ada.get(&path).json(200);
            let mut runs = seen["data"].as_array().expect("a list").clone();
            let is_over = |run: &Value| {
                let status = run["attributes"]["status"].as_str();
                !matches!(status, Some("running" | "waiting"))
            };
            if runs.len() >= count && runs.iter().all(is_over) {
                runs.reverse();
                return runs;
            }
            sleep(LOOK_EVERY);
        }
        panic!("{count} runs did not end: {seen:#}\n{}", self.log(flow));
    }

    /// Returns what a step emitted in a run, body by body, in order.
    pub fn outputs(&self, run: &Value, step: &str) -> Vec<Value> {
        let of_step = self.steps(run).into_iter();
        of_step
            .filter(|it| it["step_id"] == step || it["step"] == step)
            .flat_map(|it| it["outputs"].as_array().cloned().unwrap_or_default())
            .map(|message| message["body"].clone())
            .collect()
    }

    /// Returns the steps of a run as v2 shows them.
    pub fn steps(&self, run: &Value) -> Vec<Value> {
        let id = run["id"].as_str().expect("an id");
        let shown = self.ada.get(&format!("/v2/flow-executions/{id}/steps"));
        let shown = shown.json(200);
        let steps = shown["data"].as_array().expect("a list").iter();
        steps.map(|step| step["attributes"].clone()).collect()
    }

    /// Returns the first error of a step in a run.
    pub fn error(&self, run: &Value, step: &str) -> Value {
        let steps = self.steps(run);
        let mut of_step = steps
            .iter()
            .filter(|it| it["step_id"] == step || it["step"] == step);
        of_step
            .find_map(|it| it.get("error").filter(|error| !error.is_null()).cloned())
            .unwrap_or_default()
    }

    /// Returns the log of a flow as text.
    pub fn log(&self, flow: &str) -> String {
        let shown = self.ada.get(&format!("/v2/flows/{flow}/logs"));
        shown.text
    }

    /// Calls a flow once, and returns the one run when it is over.
    pub fn run(&self, flow: &str, body: &Value) -> Value {
        // A failed run answers 500 where its flow may reply; the run tells more.
        let _answer = self.call(flow, body);
        self.ended_runs(flow, 1).remove(0)
    }
}

/// Adds a component with a build: its descriptor's functions, and its files by name.
pub fn add_component(
    app: &App,
    who: &Principal,
    name: &str,
    sailor: Sailor,
    descriptor: &Value,
    files: &[(&str, &str)],
) -> Component {
    let made = app.create_component(who, None, Some(name));
    let component = made.expect("a repository");
    let folder = app.build_path(component.id, REVISION);
    fs::create_dir_all(&folder).expect("the folder of a build");
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    put("component.json", &descriptor.to_string());
    put("package.json", "{\"name\":\"test\",\"version\":\"1.0.0\"}");
    for (name, text) in files {
        put(name, text);
    }
    sailor.install(&folder);
    let build = NewBuild {
        revision: REVISION.to_owned(),
        descriptor: descriptor.clone(),
        icon: None,
    };
    app.add_build(who, component.id, build).expect("a build");
    component
}

/// Puts modules into a build; links to the files cost nothing, where the disk allows.
fn copy_modules(modules: &Path, folder: &Path) {
    for how in ["-al", "-a"] {
        let mut copy = Command::new("cp");
        copy.arg(how).arg(modules).arg(folder);
        if copy.output().expect("cp").status.success() {
            return;
        }
    }
    panic!("can't copy {}", modules.display());
}

/// Waits until something is so.
#[track_caller]
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS {
        if is_so() {
            return;
        }
        sleep(LOOK_EVERY);
    }
    panic!("waited in vain for {what}");
}

/// Options whose processes end as soon as they are idle.
pub fn restless() -> SailorOptions {
    SailorOptions {
        idle_ms: 300,
        retry_ms: 20,
        ..SailorOptions::default()
    }
}
