//! README.md: its tables are made from the code, so they can't age.
//!
//! A table stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. Where one is
//! stale, the test writes the right README beside the build and says where.

use std::fmt::Write as _;
use std::path::Path;

use elastane::api;
use elastane::api::route::Access;
use elastane::app::data_sample::DATA_SAMPLES_MAX;
use elastane::app::invite::INVITES_MAX;
use elastane::app::limiter::{
    FAILURES_PER_ACCOUNT, FAILURES_PER_ADDRESS, Limit, REQUESTS_PER_ACCOUNT, REQUESTS_PER_ADDRESS,
};
use elastane::app::lookup::LOOKUPS_MAX;
use elastane::app::organization::{MEMBERS_MAX, MEMBERSHIPS_MAX};
use elastane::app::password::MAX_PASSWORD_BYTES;
use elastane::app::ssh_key_policy::{RSA_BITS_MAX, RSA_BITS_MIN, TEXT_BYTES_MAX};
use elastane::config;
use elastane::domain::credential::KEYS_MAX_BYTES;
use elastane::domain::data_sample::RESULT_MAX_BYTES;
use elastane::domain::env_var::{ENV_VALUE_MAX_BYTES, ENV_VARS_MAX};
use elastane::domain::lookup::LOOKUP_MAX_BYTES;
use elastane::http;

use super::tree::Tree;

/// Returns the tables of the README by their names.
fn tables() -> Vec<(&'static str, String)> {
    vec![
        ("routes", routes()),
        ("limits", limits()),
        ("settings", config::reference()),
    ]
}

/// Returns every route that the server has.
fn routes() -> String {
    let mut table = String::from("| method | path | what it does | who may |\n|---|---|---|---|\n");
    for route in api::routes() {
        let who = match route.access {
            Access::Public => "anybody",
            Access::User | Access::Git => "signed-in users",
            Access::Step => "processes of steps",
            Access::Token => "whoever has the token",
            Access::Metrics => "this machine, or the token",
        };
        let (method, path, summary) = (route.method, route.path, route.summary);
        writeln!(table, "| {method} | `{path}` | {summary} | {who} |").expect("a text grows");
    }
    table
}

/// Returns the limits that a client can meet.
fn limits() -> String {
    let mut table = String::from("| what | limit | beyond it |\n|---|---|---|\n");
    for (what, limit, beyond) in socket_limits().into_iter().chain(value_limits()) {
        writeln!(table, "| {what} | {limit} | {beyond} |").expect("a text grows");
    }
    table
}

/// What is limited, the limit, and what happens beyond it.
type Row = (&'static str, String, &'static str);

/// Returns the limits on connections and requests.
fn socket_limits() -> Vec<Row> {
    let seconds = |ms: u64| format!("{} s", ms / 1_000);
    let evicts = "the least useful one makes room";
    let closes = "408, then closed";
    let per_ip = "connections from one address, loopback aside";
    vec![
        ("body of a request", kib(http::BODY_BYTES), "413"),
        ("head of a request", kib(http::HEAD_BYTES as u64), "431"),
        ("request line", kib(http::REQUEST_LINE_BYTES as u64), "414"),
        ("header fields", http::HEADERS.to_string(), "431"),
        ("time for a head", seconds(http::HEAD_MS), closes),
        ("body without progress", seconds(http::BODY_MS), closes),
        ("idle connection", seconds(http::IDLE_MS), "closed"),
        ("connections", http::CONNECTIONS.to_string(), evicts),
        (per_ip, http::CONNECTIONS_PER_IP.to_string(), evicts),
        (
            "time to finish at a stop",
            seconds(http::STOP_GRACE_MS),
            "closed",
        ),
    ]
}

/// Returns the limits on callers and on what they send.
fn value_limits() -> Vec<Row> {
    let bits = format!("{RSA_BITS_MIN} to {RSA_BITS_MAX} bits");
    let password = format!("{MAX_PASSWORD_BYTES} bytes");
    let env_vars = "environment variables of one repository";
    vec![
        ("requests of one account", rate(REQUESTS_PER_ACCOUNT), "429"),
        (
            "requests from one address",
            rate(REQUESTS_PER_ADDRESS),
            "429",
        ),
        (
            "failed sign-ins from one address",
            rate(FAILURES_PER_ADDRESS),
            "429",
        ),
        (
            "wrong passwords for one account",
            rate(FAILURES_PER_ACCOUNT),
            "429",
        ),
        ("password", password, "400"),
        ("SSH key as sent", kib(TEXT_BYTES_MAX as u64), "400"),
        ("RSA key", bits, "400"),
        (
            "credentials of one account",
            kib(KEYS_MAX_BYTES as u64),
            "400",
        ),
        ("lookups of one owner", LOOKUPS_MAX.to_string(), "409"),
        ("lookup table", kib(LOOKUP_MAX_BYTES as u64), "400"),
        (
            "data samples of one owner",
            DATA_SAMPLES_MAX.to_string(),
            "409",
        ),
        (
            "result of a data sample",
            kib(RESULT_MAX_BYTES as u64),
            "400",
        ),
        (
            "members of one organization",
            MEMBERS_MAX.to_string(),
            "409",
        ),
        (
            "open invites of one organization",
            INVITES_MAX.to_string(),
            "409",
        ),
        (
            "organizations of one user",
            MEMBERSHIPS_MAX.to_string(),
            "409",
        ),
        (env_vars, ENV_VARS_MAX.to_string(), "400"),
        (
            "environment variable",
            kib(ENV_VALUE_MAX_BYTES as u64),
            "400",
        ),
    ]
}

/// Returns bytes as text.
fn kib(bytes: u64) -> String {
    let kib = bytes / 1_024;
    if kib.is_multiple_of(1_024) {
        format!("{} MiB", kib / 1_024)
    } else {
        format!("{kib} KiB")
    }
}

/// Returns a limit on how often something may happen, as text.
fn rate(limit: Limit) -> String {
    format!("{} a minute, {} at once", limit.per_minute, limit.burst)
}

/// Puts a table into its place in a text; none where the text has no such place.
fn put(text: &str, name: &str, table: &str) -> Option<String> {
    let begin = format!("<!-- {name}:begin -->\n");
    let end = format!("<!-- {name}:end -->");
    let from = text.find(&begin)? + begin.len();
    let to = from + text[from..].find(&end)?;
    Some(format!("{}{table}{}", &text[..from], &text[to..]))
}

#[test]
fn the_tables_of_the_readme_are_those_of_the_code() {
    let tree = Tree::of_repository();
    let now = tree.text("README.md").expect("a README");
    let right = tables().iter().fold(now.to_owned(), |text, (name, table)| {
        put(&text, name, table).unwrap_or_else(|| panic!("README.md has no place for {name}"))
    });
    if now != right {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("README.md");
        std::fs::write(&path, right).expect("the right README is written");
        panic!("README.md is stale: cp {} README.md", path.display());
    }
}

#[test]
fn the_commands_of_the_readme_have_their_marks() {
    let tree = Tree::of_repository();
    let text = tree.text("README.md").expect("a README");
    for (name, command) in [
        ("demo-command", "cargo run --release -- demo"),
        ("test-command", "cargo test"),
    ] {
        let block = format!("```sh\n{command}\n```\n");
        assert_eq!(put(text, name, &block).as_deref(), Some(text), "{name}");
    }
}

#[test]
fn a_stale_table_is_seen() {
    let text = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n";
    let right = put(text, "x", "new\n").expect("a place");
    assert_eq!(right, "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n");
    assert_eq!(put(text, "y", "new\n"), None);
}
