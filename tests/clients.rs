//! The official Node client drives a real server through its v1 calls.
//!
//! Where Node or npm is missing these tests fail and say so: a client that nobody ran
//! proves nothing.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use elastane::domain::principal::{Channel, Principal};
use serde_json::Value;

use crate::support::TestServer;
use crate::support::installation::PASSWORD;

/// How long npm may take to install: a slow network, but not for ever.
const INSTALL_LIMIT: Duration = Duration::from_mins(5);

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
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(install);
    let mut command = Command::new("node");
    command
        .arg(script)
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

/// What a program left behind.
struct Ended {
    success: bool,
    stdout: String,
    stderr: String,
}

/// Returns the folder with the scripts and the pinned clients.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Installs what the lock file pins, unless that is done already.
fn install() {
    let changed = |file: &str| -> Option<SystemTime> {
        fs::metadata(folder().join(file)).ok()?.modified().ok()
    };
    let pinned = changed("package-lock.json").expect("a lock file in tests/clients");
    // npm writes this file when everything else is in place.
    if changed("node_modules/.package-lock.json").is_some_and(|done| done >= pinned) {
        return;
    }
    let mut command = Command::new("npm");
    command
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder());
    let ended = run(command, INSTALL_LIMIT);
    assert!(
        ended.success,
        "`npm ci` in tests/clients failed:\n{}{}",
        ended.stdout, ended.stderr
    );
}

/// Runs a program to its end, or kills it when the limit is over.
#[track_caller]
fn run(mut command: Command, limit: Duration) -> Ended {
    let name = command.get_program().to_string_lossy().into_owned();
    // Files take any amount of output; a pipe that nobody reads stops the program.
    let folder = tempfile::tempdir().expect("a folder for the output");
    let (stdout, stderr) = (folder.path().join("stdout"), folder.path().join("stderr"));
    let spawned = command
        .stdin(Stdio::null())
        .stdout(File::create(&stdout).expect("a file"))
        .stderr(File::create(&stderr).expect("a file"))
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "`{name}` is not installed: the tests of the official client need Node.js 18 or \
             newer with npm, and fail without it"
        ),
        Err(error) => panic!("`{name}` can't be started: {error}"),
    };
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            break Some(status);
        }
        if waited > limit {
            child.kill().expect("a child to kill");
            child.wait().expect("a killed child");
            break None;
        }
        sleep(LOOK_EVERY);
        waited += LOOK_EVERY;
    };
    let text = |file: &Path| fs::read_to_string(file).expect("output in UTF-8");
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    let Some(status) = status else {
        panic!("`{name}` did not end within {limit:?}:\n{stdout}{stderr}");
    };
    Ended {
        success: status.success(),
        stdout,
        stderr,
    }
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
