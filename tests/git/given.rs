//! A server with a team and a repository, and git as its users run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use elastane::config::tool_environment;
use elastane::git::GitOptions;
use elastane::sandbox::Strength;
use elastane::server::ServerOptions;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Actor, Installation, TestServer};

/// A server, Ada with her team and repository, and folders for clones.
pub struct House {
    pub server: TestServer,
    pub ada: Actor,
    pub team: String,
    pub component: String,
    pub desk: TempDir,
}

impl House {
    /// Starts the server; Ada's repository is `ada-s/hello`.
    pub fn new() -> Self {
        Self::serving_ssh(None)
    }

    /// Starts the server with git over SSH on a port of loopback.
    pub fn serving_ssh(port: Option<u16>) -> Self {
        let installation = Installation::new();
        let options = ServerOptions {
            git: options_of(&installation),
            ssh: port.map(|port| ([127, 0, 0, 1], port).into()),
            ..ServerOptions::default()
        };
        let server = TestServer::over(installation, options);
        let ada = server.user("ada@example.com");
        let team = ada.post("/v1/teams", &json!({ "name": "Ada's" })).json(201);
        let sent = json!({ "name": "hello", "team_id": team["id"] });
        let repo = ada.post("/v1/repos", &sent).json(201);
        Self {
            component: repo["id"].as_str().expect("an id").to_owned(),
            server,
            ada,
            team: team["id"].as_str().expect("an id").to_owned(),
            desk: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Returns the address of the repository with an actor's credentials in it.
    pub fn url(&self, actor: &Actor, path: &str) -> String {
        let rest = self.server.base.strip_prefix("http://").expect("a URL");
        format!("http://{}:x@{rest}/git/{path}", actor.key)
    }

    /// Makes a clone's folder with these files in one commit on `branch`.
    pub fn committed(&self, name: &str, branch: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.desk.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        git(&folder, &["init", "-q", "-b", branch]).well();
        commit(&folder, files);
        folder
    }

    /// Makes a user a member of Ada's team.
    pub fn add_to_team(&self, actor: &Actor) {
        use elastane::domain::principal::{Channel, Principal};
        let user = actor.user.as_ref().expect("a user").id;
        let team = self.team.parse().expect("a team id");
        self.server
            .installation
            .app
            .add_team_members(&Principal::operator(Channel::Cli), team, vec![user])
            .expect("a member");
    }
}

/// Returns how git is run over a test's installation: by the real binary.
pub fn options_of(installation: &Installation) -> GitOptions {
    GitOptions {
        program: env!("CARGO_BIN_EXE_elastane").into(),
        flags: vec!["--db".into(), installation.database().into()],
        environment: tool_environment(),
        sandbox: Strength::Full,
        server: None,
    }
}

/// Writes files into a clone and commits them.
pub fn commit(folder: &Path, files: &[(&str, &str)]) -> String {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    git(folder, &["add", "-A"]).well();
    git(folder, &["commit", "-q", "--allow-empty", "-m", "change"]).well();
    git(folder, &["rev-parse", "HEAD"]).well().trim().to_owned()
}

/// Waits until a log has a text.
pub fn wait_for_line(log: &Path, text: &str) {
    for _ in 0..2_400 {
        if fs::read_to_string(log).is_ok_and(|there| there.contains(text)) {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("no {text:?} in {}", log.display());
}

/// What a command of git said.
pub struct Said(pub Output);

impl Said {
    /// Returns everything that was printed.
    pub fn text(&self) -> String {
        let out = String::from_utf8_lossy(&self.0.stdout);
        format!("{out}{}", String::from_utf8_lossy(&self.0.stderr))
    }

    /// Asserts that it went well and returns what was printed.
    #[track_caller]
    pub fn well(&self) -> String {
        assert!(self.0.status.success(), "{}", self.text());
        self.text()
    }

    /// Asserts that it did not and returns what was printed.
    #[track_caller]
    pub fn refused(&self) -> String {
        assert!(!self.0.status.success(), "{}", self.text());
        self.text()
    }
}

/// Makes a command of git with settings of nobody.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.com");
    command
}

/// Runs git in a folder.
pub fn git(folder: &Path, args: &[&str]) -> Said {
    Said(command(folder).args(args).output().expect("git"))
}
