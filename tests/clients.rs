//! The official Node client drives a real server through its v1 calls, and two clients of
//! JSON:API through v2.
//!
//! Where Node with npm or Python with venv is missing these tests fail and say so: a client that nobody ran
//! proves nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use elastane::domain::principal::{Channel, Principal};
use serde_json::Value;

use crate::support::TestServer;
use crate::support::installation::PASSWORD;
use crate::support::programs::{install_node_modules, install_python, run};

/// How long a script may run: the client waits 15 s for an answer, three times.
const SCRIPT_LIMIT: Duration = Duration::from_mins(2);

/// How often a running program is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[test]
fn the_official_node_client_makes_all_its_calls() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let bob = server.user("bob@example.com");
    let lines = run_node(
        &server,
        "v1.mjs",
        &[
            ("ADA_EMAIL", "ada@example.com"),
            ("ADA_KEY", &ada.key),
            ("ADA_ID", &ada.id()),
            ("BOB_EMAIL", "bob@example.com"),
            ("BOB_KEY", &bob.key),
            ("PASSWORD", PASSWORD),
        ],
    );
    let last = lines.last().expect("lines of the report");
    assert_eq!(last["call"], "all calls", "the script ran to its end");
}

#[test]
fn a_client_of_json_api_makes_all_its_calls() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let lines = run_node(&server, "kitsu.mjs", &[("ADA_KEY", &ada.key)]);
    let last = lines.last().expect("lines of the report");
    assert_eq!(last["call"], "all calls", "the script ran to its end");
}

#[test]
fn another_client_of_json_api_makes_all_its_calls() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let script = "jsonapi_requests_client.py";
    let python = install_python(
        "json-api-client",
        "jsonapi_requests",
        &folder().join("requirements.txt"),
    );
    let mut command = Command::new(python);
    command.arg(script);
    let lines = run_client(&server, script, command, &[("ADA_KEY", &ada.key)]);
    let last = lines.last().expect("lines of the report");
    assert_eq!(last["call"], "all calls", "the script ran to its end");
}

#[test]
fn the_node_client_repeats_a_503_and_nothing_is_kept() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let installation = &server.installation;
    let operator = Principal::operator(Channel::Cli);
    let told = Some("back at noon");
    installation
        .app
        .set_maintenance(&operator, told)
        .expect("maintenance on");
    wait_for(|| ada.get("/v1/users").status == 503);
    let lines = run_node(&server, "maintenance.mjs", &[("ADA_KEY", &ada.key)]);
    for line in &lines {
        assert_eq!(line["sent"].as_array().map(Vec::len), Some(3), "{line}");
    }
    installation
        .app
        .set_maintenance(&operator, None)
        .expect("maintenance off");
    wait_for(|| ada.get("/v1/users").status == 200);
    assert_eq!(ada.get("/v1/teams").json(200), serde_json::json!([]));
}

/// Runs a script of `tests/clients` against a server, and returns its report: one value
/// a call. Every call has to be as the script wants it.
#[track_caller]
pub fn run_node(server: &TestServer, script: &str, settings: &[(&str, &str)]) -> Vec<Value> {
    install_node_modules(&folder());
    let mut command = Command::new("node");
    command.arg(script);
    run_client(server, script, command, settings)
}

/// Runs a client against a server, and returns its report.
#[track_caller]
fn run_client(
    server: &TestServer,
    script: &str,
    mut command: Command,
    settings: &[(&str, &str)],
) -> Vec<Value> {
    command
        .current_dir(folder())
        .env("ELASTICIO_API_URI", format!("{}//", server.base))
        .env_remove("ELASTICIO_API_USERNAME")
        .env_remove("ELASTICIO_API_KEY")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .envs(settings.iter().copied());
    let ended = run(command, SCRIPT_LIMIT);
    let lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON a call"))
        .collect();
    assert!(ended.success, "{script}:\n{}{}", ended.stdout, ended.stderr);
    assert!(!lines.is_empty(), "{script} reports its calls");
    for line in &lines {
        assert_eq!(line["ok"], true, "{line}");
    }
    lines
}

/// Returns the folder with the scripts and the pinned clients.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Waits until something is so; what never comes fails the test.
#[track_caller]
fn wait_for(is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        sleep(LOOK_EVERY);
    }
    panic!("it never came");
}

#[test]
fn the_bundled_recipes_are_activated_by_the_node_client_and_run() {
    let installation = crate::support::Installation::with(|options| {
        // One of them asks this very server, which is on a private address.
        options.rules.allow_private_networks = true;
    });
    let server = TestServer::over(installation, elastane::server::ServerOptions::default());
    let ada = server.user("ada@example.com");
    let lines = run_node(&server, "run_recipes.mjs", &[("ADA_KEY", &ada.key)]);
    let flows: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["flow"].as_str())
        .collect();
    assert!(flows.len() >= 4, "each recipe makes a flow: {flows:?}");
    for flow in flows {
        let path = format!("/v2/flow-executions?filter[flow]={flow}");
        wait_for(|| {
            let runs = ada.get(&path).json(200);
            let statuses: Vec<Value> = runs["data"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|run| run["attributes"]["status"].clone())
                .collect();
            assert!(!statuses.contains(&"error".into()), "{runs}");
            statuses.contains(&"success".into())
        });
    }
}
