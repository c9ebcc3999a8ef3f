//! A server that is killed while it builds: nothing of the pushes is true, and nothing of
//! the builds runs on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use elastane::app::user::Role;
use elastane::config::tool_environment;
use serde_json::json;

use super::build::{borrowed, component};
use super::given::{Said, command, commit, git, wait_for_line};
use super::ssh::{account, client, free_port, make_key};
use crate::support::{Actor, Installation, Served};

/// Starts a real server over a database, with git over SSH.
fn serve(database: &Path, port: u16) -> Served {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elastane"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--ssh"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("--db")
        .arg(database)
        .env_clear()
        .envs(tool_environment());
    Served::by(&mut command)
}

/// Returns the command lines of the processes that name a text.
fn processes(text: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").expect("processes").flatten();
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(text))
        .collect()
}

/// Makes a clone of a component whose test waits for ever, as does a child of it; both have
/// a word on their command lines.
fn waiting(desk: &Path, word: &str) -> PathBuf {
    // Silent but for one line, so that nothing is written to a pusher who is gone.
    let script = "
        const words = ['-c', 'trap : TERM; sleep 1000; true', process.argv[2]];
        require('child_process').spawn('sh', words, { detached: true });
        console.log('the test waits');
        setInterval(() => {}, 1000);";
    let mut files = component("1.0.0", &format!("node wait.js {word}"));
    files.push(("wait.js", script.to_owned()));
    let clone = desk.join("clone");
    fs::create_dir_all(&clone).expect("a folder");
    git(&clone, &["init", "-q", "-b", "master"]).well();
    commit(&clone, &borrowed(&files));
    clone
}

/// Waits until no process names a text.
#[track_caller]
fn wait_for_the_end_of(text: &str) {
    for _ in 0..400 {
        if processes(text).is_empty() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("they live on: {:?}", processes(text));
}

#[test]
fn a_server_that_is_killed_takes_its_builds_along_and_no_ref_moves() {
    let installation = Installation::new();
    let (user, key) = installation.register("ada@example.com", Role::Member);
    installation.app.close();
    let port = free_port();
    let mut served = serve(&installation.database(), port);
    let ada = Actor::of(&served.base, user.clone(), &key);
    let team = ada.post("/v1/teams", &json!({ "name": "Ada" })).json(201);
    let desk = tempfile::tempdir().expect("a folder");
    let ssh_key = make_key(desk.path(), "key");
    let line = fs::read_to_string(ssh_key.with_extension("pub")).expect("the public key");
    ada.post("/v1/sshkey", &json!({ "key": line })).json(201);

    let mark = installation.dir.path().file_name().expect("a name");
    let mark = mark.to_str().expect("text");
    let clone = waiting(desk.path(), mark);
    let http = served.base.replace("http://", &format!("http://{key}:x@"));
    let remotes = [
        ("one", format!("{http}/git/ada/one.git")),
        ("two", format!("{}@127.0.0.1:ada/two.git", account())),
    ];
    let builds = installation.dir.path().join("elastane.builds");
    let mut pushes = Vec::new();
    for (name, remote) in &remotes {
        let sent = json!({ "name": name, "team_id": team["id"] });
        let made = ada.post("/v1/repos", &sent).json(201);
        let component = made["id"].as_str().expect("an id").to_owned();
        let push = || {
            let mut push = command(&clone);
            push.args(["push", remote, "master"])
                .env("GIT_SSH_COMMAND", client(&ssh_key, port).join(" "))
                .stderr(Stdio::piped());
            push
        };
        // The key is known within a second.
        while !Said(push().arg("--dry-run").output().expect("git"))
            .0
            .status
            .success()
        {
            sleep(Duration::from_millis(50));
        }
        pushes.push((component, push().spawn().expect("git")));
    }
    for (component, _) in &pushes {
        wait_for_line(&builds.join(component).join("new/log"), "the test waits");
    }
    assert!(processes(mark).len() > 10, "{:?}", processes(mark));

    served.kill();
    wait_for_the_end_of(mark);
    let repositories = installation.dir.path().join("elastane.repositories");
    let mut components = Vec::new();
    for (component, push) in pushes {
        Said(push.wait_with_output().expect("its end")).refused();
        let place = repositories.join(format!("{component}.git"));
        assert_eq!(git(&place, &["for-each-ref"]).well(), "");
        components.push(component);
    }

    let served = serve(&installation.database(), port);
    let ada = Actor::of(&served.base, user, &key);
    for component in components {
        let path = format!("/v2/components/{component}/versions");
        assert_eq!(ada.get(&path).json(200)["data"], json!([]));
        let left = fs::read_dir(builds.join(&component)).expect("a folder");
        for entry in left {
            let name = entry.expect("an entry").file_name();
            assert!(name == "lock" || name == "npm", "{name:?}");
        }
    }
}
