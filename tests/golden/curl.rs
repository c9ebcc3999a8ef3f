//! Real curl, for what its way of sending decides.

use std::io::ErrorKind;
use std::process::Command;

use crate::support::{Answer, TestServer};

/// Runs curl with the given arguments, of which the last is a path of the server.
///
/// Where curl is missing the test fails: it is part of what is tested.
#[track_caller]
pub fn curl(server: &TestServer, arguments: &[&str]) -> Answer {
    let (path, options) = arguments.split_last().expect("a path");
    let output = Command::new("curl")
        // A configuration file of the person who runs the tests must not count.
        .arg("--disable")
        .args(["--silent", "--show-error", "--include"])
        .args(["--noproxy", "*", "--max-time", "30"])
        .args(options)
        .arg(format!("{}{path}", server.base))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("`curl` is not installed: the acceptance checklist needs it")
        }
        Err(error) => panic!("`curl` can't be started: {error}"),
    };
    assert!(
        output.status.success(),
        "curl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("an answer in UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .expect("a status line");
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Answer {
        status,
        headers,
        text: body.to_owned(),
    }
}
