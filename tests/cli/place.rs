//! A folder to run the binary in, and what it answered.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// The password of the administrator of every place.
pub(super) const PASSWORD: &str = "analytical";

/// A folder, with an installation where a test wants one.
pub(super) struct Place {
    dir: TempDir,
}

/// What the binary answered.
#[must_use = "assert how it ended"]
#[derive(Debug)]
pub(super) struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Place {
    /// Makes an empty folder.
    pub(super) fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder for the test"),
        }
    }

    /// Makes a folder with an installation: a copy, since hashing a password takes long.
    pub(super) fn installed() -> Self {
        static FIRST: OnceLock<Place> = OnceLock::new();
        let first = FIRST.get_or_init(|| {
            let place = Self::empty();
            place.run(&init_args()).succeeds();
            place
        });
        let place = Self::empty();
        for name in ["elastane.db", "elastane.key"] {
            fs::copy(first.path(name), place.path(name)).expect("a copy");
        }
        place
    }

    /// Returns a path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file.
    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the file is written");
    }

    /// Returns the names of the files in the folder, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                let entry = entry.expect("the folder");
                entry.file_name().to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// Returns a command that runs the binary here, without an environment.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elastane"));
        command
            .env_clear()
            .env("TMPDIR", self.dir.path())
            .current_dir(self.dir.path());
        command
    }

    /// Runs the binary.
    pub(super) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[], "")
    }

    /// Runs the binary with variables and something on stdin.
    pub(super) fn run_with(&self, args: &[&str], variables: &[(&str, &str)], stdin: &str) -> Ran {
        let mut child = self
            .command()
            .args(args)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        // A command that reads nothing may have ended, and then nobody holds the pipe.
        let _closed = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        let output = child.wait_with_output().expect("the binary ends");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Ran {
    /// Asserts that it went well; returns what was printed.
    #[track_caller]
    pub(super) fn succeeds(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// Asserts that it went well; returns the JSON that was printed.
    #[track_caller]
    pub(super) fn json(self) -> Value {
        let text = self.succeeds();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Asserts that it failed with a code and printed no result; returns the remarks.
    #[track_caller]
    pub(super) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        self.stderr
    }

    /// Asserts the code, and returns what was printed and the remarks.
    #[track_caller]
    pub(super) fn ends(self, code: i32) -> (String, String) {
        assert_eq!(self.code, code, "{self:?}");
        (self.stdout, self.stderr)
    }
}

/// Returns the arguments of an ordinary `init`.
pub(super) fn init_args() -> [&'static str; 10] {
    [
        "init",
        "--email",
        "ada@example.com",
        "--first-name",
        "Ada",
        "--last-name",
        "Lovelace",
        "--password",
        PASSWORD,
        "--json",
    ]
}
