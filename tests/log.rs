//! What the log says of a request, and what it must never say.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use elastane::app::user::Role;

use crate::support::{Actor, Installation};

#[test]
fn a_key_or_an_address_in_a_path_does_not_reach_the_log() {
    let installation = Installation::new();
    let (user, key) = installation.register("ada@example.com", Role::Member);
    installation.app.close();
    let mut served = Command::new(env!("CARGO_BIN_EXE_elastane"))
        .args(["serve", "--listen", "127.0.0.1:0", "--db"])
        .arg(installation.database())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let out = BufReader::new(served.stdout.take().expect("its output"));
    let base = out
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(format!("http://{}", line.split_once("http://")?.1)))
        .expect("the address that it serves");
    let ada = Actor::of(base.trim(), user, &key);
    let id = ada.id();
    assert_eq!(ada.delete(&format!("/v1/users/{key}")).status, 404);
    assert_eq!(ada.get("/v1/repos/ada@example.com").status, 404);
    assert_eq!(ada.get(&format!("/nowhere/{key}?key={key}")).status, 404);
    assert_eq!(ada.get(&format!("/v1/repos/{id}")).status, 404);
    served.kill().expect("killed");
    let mut log = String::new();
    let mut errors = served.stderr.take().expect("its log");
    errors.read_to_string(&mut log).expect("a log of text");
    served.wait().expect("ended");
    assert!(!log.contains(&key), "the key: {log}");
    assert!(!log.contains("ada@example.com"), "the address: {log}");
    // The lines are there, with what may be shown.
    assert!(log.contains("/v1/users/{user_id}"), "{log}");
    assert!(log.contains(&format!("/v1/repos/{id}")), "{log}");
}
