//! The real binary as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The real binary, serving a database on loopback; killed when it goes.
pub struct Served {
    /// Scheme, host and port.
    pub base: String,
    child: Child,
}

impl Served {
    /// Starts it on a free port and waits until it says where it listens.
    pub fn start(database: &Path) -> Self {
        Self::limited(database, ":")
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
    }

    /// Starts it on a free port under a limit of the shell, such as `ulimit -n 128`, and
    /// waits until it says where it listens.
    pub fn limited(database: &Path, limit: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!(
                "{limit} && exec \"$0\" serve --listen 127.0.0.1:0 --no-rate-limit --db \"$1\""
            ))
            .arg(env!("CARGO_BIN_EXE_elastane"))
            .arg(database)
            .env_clear();
        Self::by(&mut command)
    }

    /// Starts it by a command, and waits until it says where it listens.
    pub fn by(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let out = child.stdout.take().expect("its output");
        let base = BufReader::new(out)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let at = line.find("http://127.0.0.1:")?;
                Some(line[at..].split_whitespace().next()?.to_owned())
            })
            .expect("the address that it serves");
        Self { base, child }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
