//! Git over SSH: the system's sshd and client against a real server.
//!
//! Where `sshd`, `ssh` or `ssh-keygen` is missing these tests fail and say so.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use elastane::domain::principal::{Channel, Principal};
use elastane::domain::user::UserState;
use serde_json::json;

use super::build::{borrowed, component, versions};
use super::given::{House, Said, command, wait_for_line};
use crate::support::Actor;

/// A server with git over SSH, and Ada's key.
struct Ssh {
    house: House,
    port: u16,
    account: String,
    key: PathBuf,
    key_id: String,
}

impl Ssh {
    /// Starts it and waits until sshd answers.
    fn start() -> Self {
        let port = free_port();
        let house = House::serving_ssh(Some(port));
        let (key, key_id) = register(&house, &house.ada, "ada");
        let ssh = Self {
            account: account(),
            house,
            port,
            key,
            key_id,
        };
        ssh.wait_for(&ssh.key, "git is served here");
        ssh
    }

    /// Returns the words of ssh with a key.
    fn client(&self, key: &Path) -> Vec<String> {
        client(key, self.port)
    }

    /// Runs a command on the server, or asks for a shell.
    fn ask(&self, key: &Path, words: &[&str]) -> Said {
        let client = self.client(key);
        let output: Output = Command::new(&client[0])
            .args(&client[1..])
            .arg(format!("{}@127.0.0.1", self.account))
            .args(words)
            .output()
            .expect("ssh");
        Said(output)
    }

    /// Asks until the answer holds a text; a change of keys takes a moment.
    fn wait_for(&self, key: &Path, text: &str) {
        let mut said = String::new();
        for _ in 0..200 {
            said = self.ask(key, &[]).text();
            if said.contains(text) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("no {text:?}: {said}");
    }

    /// Runs git with a key.
    fn git(&self, folder: &Path, key: &Path, words: &[&str]) -> Said {
        let output = command(folder)
            .env("GIT_SSH_COMMAND", self.client(key).join(" "))
            .args(words)
            .output();
        Said(output.expect("git"))
    }

    /// Returns a remote.
    fn remote(&self, path: &str) -> String {
        format!("{}@127.0.0.1:{path}", self.account)
    }
}

/// Returns the name of the account that the tests run as.
pub fn account() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    let name = String::from_utf8(output.stdout).expect("text");
    name.trim().to_owned()
}

/// Returns a port of loopback that nobody has.
pub fn free_port() -> u16 {
    // Somebody may take it in between, which nothing but luck prevents.
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("its address").port()
}

/// Returns the words of ssh with a key, to a port.
pub fn client(key: &Path, port: u16) -> Vec<String> {
    let mut words = vec![
        "ssh".to_owned(),
        "-T".to_owned(),
        "-F".to_owned(),
        "/dev/null".to_owned(),
    ];
    words.extend(["-i".to_owned(), key.display().to_string()]);
    words.extend(["-p".to_owned(), port.to_string()]);
    for option in [
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        "LogLevel=ERROR",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
    ] {
        words.extend(["-o".to_owned(), option.to_owned()]);
    }
    words
}

/// Makes a key, registers it for an actor, and returns its file and its id.
fn register(house: &House, actor: &Actor, name: &str) -> (PathBuf, String) {
    let key = make_key(house.desk.path(), name);
    let line = fs::read_to_string(key.with_extension("pub")).expect("the public key");
    let made = actor.post("/v1/sshkey", &json!({ "key": line })).json(201);
    (key, made["id"].as_str().expect("an id").to_owned())
}

/// Makes a key.
pub fn make_key(desk: &Path, name: &str) -> PathBuf {
    let key = desk.join(name);
    let made = Command::new("ssh-keygen")
        .args([
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "a \"quoted\" comment",
            "-f",
        ])
        .arg(&key)
        .status();
    assert!(made.expect("ssh-keygen").success());
    key
}

#[test]
fn a_registered_key_pushes_and_clones_by_each_form_of_the_remote() {
    let ssh = Ssh::start();
    let clone = ssh.house.committed("one", "topic", &[("a.txt", "one\n")]);
    let by_team = ssh.remote("ada-s/hello.git");
    let said = ssh
        .git(&clone, &ssh.key, &["push", &by_team, "topic"])
        .well();
    assert!(said.contains("remote: topic is stored"), "{said}");
    let url = format!(
        "ssh://{}@127.0.0.1:{}/ada-s/hello.git",
        ssh.account, ssh.port
    );
    for (number, remote) in [by_team, ssh.remote("hello.git"), url].iter().enumerate() {
        let name = format!("clone{number}");
        let desk = ssh.house.desk.path();
        ssh.git(
            desk,
            &ssh.key,
            &["clone", "-q", "-b", "topic", remote, &name],
        )
        .well();
        assert!(desk.join(name).join("a.txt").is_file(), "{remote}");
    }
    let keys = ssh.house.ada.get("/v1/sshkey").json(200);
    assert_eq!(keys[0]["id"], ssh.key_id.as_str());
}

#[test]
fn a_push_over_ssh_is_built_and_refused_like_any_other() {
    let ssh = Ssh::start();
    let clone = ssh.house.committed("one", "master", &[("a.txt", "one\n")]);
    let remote = ssh.remote("ada-s/hello.git");
    let said = ssh
        .git(&clone, &ssh.key, &["push", &remote, "master"])
        .refused();
    assert!(
        said.contains("remote: error: component.json is missing"),
        "{said}"
    );
    assert_eq!(
        ssh.git(&clone, &ssh.key, &["ls-remote", &remote]).well(),
        ""
    );
}

#[test]
fn strangers_members_of_other_teams_and_shells_are_refused() {
    let ssh = Ssh::start();
    let carl = ssh.house.server.user("carl@example.com");
    let (carls, _) = register(&ssh.house, &carl, "carl");
    ssh.wait_for(&carls, "git is served here");
    let clone = ssh.house.committed("one", "topic", &[("a.txt", "one\n")]);
    for path in ["ada-s/hello.git", "hello.git"] {
        let said = ssh
            .git(&clone, &carls, &["push", &ssh.remote(path), "topic"])
            .refused();
        assert!(said.contains("there is no such repository"), "{said}");
        assert!(said.contains("@HOST:"), "names the remote: {said}");
    }
    let forward = client(&ssh.key, ssh.port);
    let forward = Command::new(&forward[0])
        .args(&forward[1..])
        .args(["-W", &format!("127.0.0.1:{}", ssh.port)])
        .arg(format!("{}@127.0.0.1", ssh.account))
        .stdin(Stdio::null())
        .output();
    let said = Said(forward.expect("ssh")).refused();
    assert!(!said.contains("SSH-2.0"), "nothing is forwarded: {said}");
    let unknown = make_key(ssh.house.desk.path(), "unknown");
    assert!(
        ssh.ask(&unknown, &[])
            .refused()
            .contains("Permission denied")
    );
    for words in [
        &["id"][..],
        &["git-upload-pack", "'../../x'"],
        &["sh", "-c", "id"],
    ] {
        let said = ssh.ask(&ssh.key, words).refused();
        assert!(said.contains("the remote is"), "{words:?}: {said}");
        assert!(!said.contains("uid="), "{said}");
    }
}

#[test]
fn a_removed_key_and_a_disabled_user_are_shut_out() {
    let ssh = Ssh::start();
    let bea = ssh.house.server.user("bea@example.com");
    ssh.house.add_to_team(&bea);
    let (beas, _) = register(&ssh.house, &bea, "bea");
    ssh.wait_for(&beas, "git is served here");
    assert_eq!(
        ssh.house
            .ada
            .delete(&format!("/v1/sshkey/{}", ssh.key_id))
            .status,
        200
    );
    ssh.wait_for(&ssh.key, "Permission denied");
    let operator = Principal::operator(Channel::Cli);
    let user = bea.user.as_ref().expect("a user").id;
    let app = &ssh.house.server.installation.app;
    app.set_user_state(&operator, user, UserState::Disabled)
        .expect("disabled");
    ssh.wait_for(&beas, "Permission denied");
}

#[test]
fn an_sshd_of_ones_own_is_given_the_line_of_a_key_by_its_fingerprint() {
    let house = House::new();
    let (key, id) = register(&house, &house.ada, "ada");
    let shown = house.ada.get("/v1/sshkey").json(200);
    let fingerprint = shown[0]["fingerprint"].as_str().expect("a fingerprint");
    let line_of = |fingerprint: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_elastane"))
            .args(["ssh", "keys", fingerprint, "--db"])
            .arg(house.server.installation.database())
            .output()
            .expect("elastane");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text")
    };
    let line = line_of(fingerprint);
    assert!(line.starts_with("restrict,command=\"'"), "{line}");
    assert!(
        line.contains(&format!("'ssh' 'serve' '{id}' '--db'")),
        "{line}"
    );
    let public = fs::read_to_string(key.with_extension("pub")).expect("the public key");
    let blob = public.split(' ').nth(1).expect("a blob");
    assert!(line.contains(blob) && line.ends_with('\n'), "{line}");
    assert_eq!(line_of("SHA256:nobodys"), "");
}

#[test]
fn a_key_that_is_removed_during_a_push_pushes_nothing_and_the_log_names_the_door() {
    let ssh = Ssh::start();
    // The test waits until it is let go, by a file in the one folder that both can see.
    let script = "
        console.log('the test waits');
        setInterval(() => { if (require('fs').existsSync('../../npm/go')) process.exit(0); }, 50);";
    let mut files = component("1.0.0", "node wait.js");
    files.push(("wait.js", script.to_owned()));
    let clone = ssh.house.committed("one", "master", &borrowed(&files));
    let remote = ssh.remote("ada-s/hello.git");
    let push = command(&clone)
        .env("GIT_SSH_COMMAND", ssh.client(&ssh.key).join(" "))
        .args(["push", &remote, "master"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("git");
    let builds = ssh.house.server.installation.dir.path();
    let builds = builds.join("elastane.builds").join(&ssh.house.component);
    wait_for_line(&builds.join("new/log"), "the test waits");
    let path = format!("/v1/sshkey/{}", ssh.key_id);
    assert_eq!(ssh.house.ada.delete(&path).status, 200);
    fs::write(builds.join("npm/go"), "").expect("a file");
    let ended = Said(push.wait_with_output().expect("its end"));
    let said = ended.refused();
    assert!(
        said.contains("remote: error: your SSH key was removed"),
        "{said}"
    );
    assert!(versions(&ssh.house).is_empty());

    let (key, _) = register(&ssh.house, &ssh.house.ada, "next");
    ssh.wait_for(&key, "git is served here");
    ssh.git(&clone, &key, &["push", &remote, "master"]).well();
    assert_eq!(versions(&ssh.house).len(), 1);
    let app = &ssh.house.server.installation.app;
    let entries = app.audit_entries(&Principal::operator(Channel::Cli), None, 50);
    let entries = entries.expect("the log");
    let entry = entries.iter().find(|entry| entry.channel == "ssh");
    let entry = entry.expect("what the push did");
    assert_eq!(entry.address.as_deref(), Some("127.0.0.1"));
    assert_eq!(entry.actor_id, Some(ssh.house.ada.id()));
    assert_eq!(entry.object_id.as_deref(), Some(&*ssh.house.component));
}
