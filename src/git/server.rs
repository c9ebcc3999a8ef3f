//! The server that a push came through, as the processes of the push know it.
//!
//! A server that is killed ends nobody: git, sshd's sessions and our hook live on, and a
//! build would move its ref after everybody thought it gone. So each of them is told which
//! process the server is, and looks whether it is still there.

use std::fmt;
use std::fs;
use std::str::FromStr;

use super::Git;
use crate::domain::{Error, Kind, Result};

/// The variable that tells them.
pub(super) const SERVER: &str = "ELASTANE_SERVER";

/// The place of the state among the words of `/proc/PID/stat` that follow the name.
const STATE: usize = 0;

/// The place of the time of the start there, in ticks since the machine's own.
const STARTED: usize = 19;

/// A process, told from a later one of the same number by when it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerProcess {
    number: u32,
    started: u64,
}

impl ServerProcess {
    /// Returns the process that runs now; none where the system does not tell.
    pub fn own() -> Option<Self> {
        let number = std::process::id();
        let started = started(number)?;
        Some(Self { number, started })
    }

    /// Tells whether it runs still.
    pub fn is_there(self) -> bool {
        started(self.number) == Some(self.started)
    }
}

impl fmt::Display for ServerProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, self.started)
    }
}

impl FromStr for ServerProcess {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let words = text.split_once('-');
        let read = words.and_then(|(number, started)| {
            Some(Self {
                number: number.parse().ok()?,
                started: started.parse().ok()?,
            })
        });
        read.ok_or_else(|| Error::internal("a session was told no server"))
    }
}

/// Returns when a process was started; none where it is gone, or only waits for its parent.
fn started(number: u32) -> Option<u64> {
    let line = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name may hold anything, parentheses among it.
    let (_, words) = line.rsplit_once(") ")?;
    let words: Vec<&str> = words.split(' ').collect();
    let is_dead = matches!(*words.get(STATE)?, "Z" | "X");
    (!is_dead).then(|| words.get(STARTED)?.parse().ok())?
}

impl Git {
    /// Refuses to go on where the server is gone; a push without a server has none to miss.
    pub(super) fn require_server(&self) -> Result<()> {
        require(self.options.server)
    }
}

/// Refuses to go on where this server is gone.
pub(super) fn require(server: Option<ServerProcess>) -> Result<()> {
    match server {
        Some(server) if !server.is_there() => {
            Err(Error::new(Kind::Unavailable, "the server stopped"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_there_until_it_ends_and_another_of_its_number_is_not_it() {
        let own = ServerProcess::own().unwrap();
        assert!(own.is_there());
        assert_eq!(own.to_string().parse::<ServerProcess>().unwrap(), own);
        let other = ServerProcess {
            started: own.started + 1,
            ..own
        };
        assert!(!other.is_there());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let number = child.id();
        // Also while nobody has asked how it ended.
        while started(number).is_some() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        for text in ["", "1", "1-", "-1", "a-b", "1-2-3"] {
            assert!(text.parse::<ServerProcess>().is_err(), "{text}");
        }
    }
}
