//! Who may use what: the table of ARCHITECTURE.md as data.

use std::collections::BTreeSet;

use super::Violation;
use super::code::{self, Named, Placed, Token};
use super::manifest;
use super::tree::Tree;

/// A room, with the rooms whose paths it may name besides its own.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
}

/// Every room and every foundation file. `main` is the binary's file.
const ROOMS: &[Room] = &[
    room("domain", &[]),
    room("store", &["domain", "clock", "thread"]),
    room("app", &["domain", "store", "clock", "thread"]),
    room(
        "engine",
        &["domain", "app", "amqp", "sandbox", "clock", "thread"],
    ),
    room("git", &["domain", "app", "sandbox", "clock", "thread"]),
    room("http", &["clock", "thread"]),
    room("amqp", &["thread"]),
    room("api", &["domain", "app", "http", "clock"]),
    room("console", &["domain", "app", "clock", "thread"]),
    room(
        "cli",
        &[
            "domain", "app", "engine", "git", "console", "server", "config", "sandbox", "clock",
            "thread",
        ],
    ),
    room(
        "server",
        &[
            "domain", "app", "engine", "git", "http", "api", "config", "sandbox", "clock", "thread",
        ],
    ),
    room("config", &["domain", "app", "sandbox"]),
    room("sandbox", &[]),
    room("clock", &[]),
    room("thread", &[]),
    room("main", &["cli"]),
    room("lib", &[]),
];

/// Makes a room.
const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use }
}

/// Modules that must not name each other, though they share a room: versions of the
/// API sit beside each other over the same verbs.
const STRANGERS: &[(&str, &str)] = &[("api::v1", "api::v2"), ("api::v2", "api::v1")];

/// Any room may name it.
const ANYWHERE: &[&str] = &["*"];

/// Every crate of Cargo.toml, as the code calls it, and the rooms that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("aes", &["engine"]),
    ("argon2", &["app"]),
    (
        "base64",
        &["domain", "app", "console", "engine", "git", "http"],
    ),
    ("cbc", &["engine"]),
    ("chacha20poly1305", &["app"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("croner", &["domain"]),
    ("crossbeam_channel", ANYWHERE),
    ("ed25519_dalek", &["app"]),
    ("getrandom", &["app"]),
    ("handlebars", &["domain"]),
    ("hmac", &["engine"]),
    ("httparse", &["http"]),
    ("jiff", ANYWHERE),
    ("jsonata_core", &["domain"]),
    ("landlock", &["sandbox"]),
    ("lettre", &["app"]),
    ("md5", &["app"]),
    ("mimalloc", &["main"]),
    ("nucleo_matcher", &["console"]),
    ("p256", &["app"]),
    ("p384", &["app"]),
    ("p521", &["app"]),
    ("quick_xml", &["domain"]),
    ("ratatui", &["console"]),
    ("regex", &["domain", "store"]),
    (
        "rustix",
        &["amqp", "app", "cli", "engine", "git", "http", "sandbox"],
    ),
    ("ratatui_textarea", &["console"]),
    ("rquickjs", &["engine"]),
    ("rusqlite", &["store"]),
    ("serde", ANYWHERE),
    ("serde_json", ANYWHERE),
    ("sha2", &["domain", "app", "engine", "api"]),
    ("signal_hook", &["console", "server"]),
    ("socket2", &["http"]),
    ("ssh_key", &["app"]),
    ("strsim", &["config", "cli"]),
    ("subtle", &["app", "engine", "api"]),
    ("thiserror", ANYWHERE),
    ("toml", &["config"]),
    ("tracing", ANYWHERE),
    ("tracing_subscriber", &["cli"]),
    ("unicode_width", &["console"]),
    ("ureq", &["app", "engine"]),
    ("zeroize", &["app", "config", "console", "cli"]),
];

/// Paths of the standard library that have one home, and the rooms that are it.
const STD: &[(&str, &[&str])] = &[
    ("std::net::TcpListener", &["amqp", "http"]),
    ("std::net::TcpStream", &["amqp", "engine", "http"]),
    ("std::os::unix::net", &["engine", "http"]),
    ("std::process::Command", &["engine", "git", "sandbox"]),
    ("std::env::var", &["config"]),
    ("std::env::var_os", &["config"]),
    ("std::env::vars", &["config"]),
    ("std::env::vars_os", &["config"]),
];

/// Crates that are pure data to the domain; all others are I/O or envelopes to it.
const PURE: &[&str] = &[
    "base64",
    "croner",
    "handlebars",
    "jiff",
    "jsonata_core",
    "quick_xml",
    "regex",
    // Times and zones as values; clock.rs alone reads the time.
    "jiff",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
];

/// Finds the paths of a file that its room may not name.
pub(super) fn check_paths(path: &str, text: &str) -> Vec<Violation> {
    if !path.starts_with("src/") {
        return Vec::new();
    }
    let module = code::module_of(path);
    let name = room_of(path, &module);
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![Violation::new(
            path,
            0,
            format!("`{name}` has no place in the table of rooms"),
        )];
    };
    let tokens = code::tokens(text);
    let paths = code::paths(&module, &tokens);
    let locals = locals(&tokens, &paths);
    paths
        .iter()
        .filter(|named| !locals.contains(named.segments[0].as_str()))
        .filter_map(|named| {
            let reason = refusal(room, &module, named)?;
            Some(Violation::new(path, named.line, reason))
        })
        .collect()
}

/// Returns the modules that a file declares or imports: `ssh_key` is a file of ours in
/// most rooms, and a crate besides.
fn locals<'a>(tokens: &'a [Placed], paths: &'a [Named]) -> BTreeSet<&'a str> {
    let declared = tokens
        .windows(2)
        .filter(|pair| pair[0].1.is("mod"))
        .filter_map(|pair| pair[1].1.word());
    let imported = paths
        .iter()
        .filter(|named| named.is_use && named.segments.len() > 1)
        .filter_map(|named| named.segments.last().map(String::as_str));
    declared.chain(imported).collect()
}

/// Returns the room of a file: its first module, `lib` or `main`.
fn room_of<'a>(path: &'a str, module: &'a [String]) -> &'a str {
    match module.first() {
        Some(first) => first,
        None => path.trim_start_matches("src/").trim_end_matches(".rs"),
    }
}

/// Says why a room may not name a path; none where it may.
fn refusal(room: &Room, module: &[String], named: &Named) -> Option<String> {
    let full = named.segments.join("::");
    let (first, rest) = named.segments.split_first()?;
    if first == "crate" || first == "elastane" {
        return inner_refusal(room, module, named, rest, &full);
    }
    if let Some((_, homes)) = STD.iter().find(|(path, _)| is_under(&full, path)) {
        return (!homes.contains(&room.name))
            .then(|| format!("`{full}` is for {} alone", homes.join(", ")));
    }
    let (_, homes) = CRATES.iter().find(|(name, _)| name == first)?;
    if room.name == "domain" && !PURE.contains(&first.as_str()) {
        return Some(format!("domain is pure and may not name `{first}`"));
    }
    (*homes != ANYWHERE && !homes.contains(&room.name)).then(|| {
        format!(
            "{} may not name `{first}`: it is for {} alone",
            room.name,
            homes.join(", ")
        )
    })
}

/// Says why a room may not name a path of this crate.
fn inner_refusal(
    room: &Room,
    module: &[String],
    named: &Named,
    rest: &[String],
    full: &str,
) -> Option<String> {
    let target = rest.first()?;
    if target == "*" {
        return Some(format!("`{full}` names every room at once"));
    }
    if target == room.name {
        let own = module.join("::");
        let inside = rest.join("::");
        return STRANGERS
            .iter()
            .any(|(one, other)| is_under(&own, one) && is_under(&inside, other))
            .then(|| format!("`{full}`: versions of the API never import each other"));
    }
    if !ROOMS.iter().any(|known| known.name == target) {
        // A macro or an item of the crate's root, which has none of its own.
        return Some(format!("`{full}`: there is no room `{target}`"));
    }
    if !room.may_use.contains(&target.as_str()) {
        return Some(format!("{} may not use {target}: `{full}`", room.name));
    }
    // A room that handed on another's types would be a second door to it.
    named
        .is_public_use
        .then(|| format!("{} hands on `{full}`, which is {target}'s", room.name))
}

/// Tells whether a path is `stem` or lies under it.
fn is_under(path: &str, stem: &str) -> bool {
    path.strip_prefix(stem)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Finds dependencies without a place in the table, and those that nothing names.
pub(super) fn check_dependencies(tree: &Tree) -> Vec<Violation> {
    let Some(manifest) = tree.text("Cargo.toml") else {
        return vec![Violation::new("Cargo.toml", 0, "is missing")];
    };
    let mut found = Vec::new();
    let tables: [(&str, bool, &[&str]); 2] = [
        ("dependencies", true, &["src/"]),
        ("dev-dependencies", false, &["src/", "tests/", "benches/"]),
    ];
    for (table, is_placed, folders) in tables {
        let named = named_in(tree, folders);
        for name in manifest::dependencies(manifest, table) {
            let line = manifest::line_of(manifest, &name);
            let called = manifest::called(&name);
            if is_placed && !CRATES.iter().any(|(known, _)| *known == called) {
                let text = format!("`{name}` has no place in the table of tests/tidy/rooms.rs");
                found.push(Violation::new("Cargo.toml", line, text));
            }
            if !named.contains(&called) {
                let text = format!("nothing names `{name}`");
                found.push(Violation::new("Cargo.toml", line, text));
            }
        }
    }
    found
}

/// Returns the words of the files in these folders that begin a path or end a `use`.
fn named_in(tree: &Tree, folders: &[&str]) -> BTreeSet<String> {
    let files = tree
        .rust()
        .filter(|(path, _)| folders.iter().any(|folder| path.starts_with(folder)));
    let mut named = BTreeSet::new();
    for (_, text) in files {
        for pair in code::tokens(text).windows(2) {
            let ends = pair[1].1 == Token::Path || pair[1].1.is_mark(';');
            if let Some(word) = pair[0].1.word().filter(|_| ends) {
                named.insert(word.to_owned());
            }
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the first violation of a file.
    fn first(path: &str, text: &str) -> Option<String> {
        let found = check_paths(path, text);
        found
            .first()
            .map(|found| format!("{}: {}", found.line, found.text))
    }

    #[test]
    fn a_layer_violation_is_found() {
        let found = first(
            "src/api/v1/team.rs",
            "use crate::app::App;\nuse crate::store::Read;",
        );
        assert_eq!(
            found.as_deref(),
            Some("2: api may not use store: `crate::store::Read`")
        );
    }

    #[test]
    fn no_form_of_a_path_slips_through() {
        for text in [
            "use crate::{app, store};",
            "fn f() { crate::store::g() }",
            "fn f() { super::super::super::store::g() }",
            "use crate::*;",
            "mod inner { fn f() -> super::super::super::super::store::Read {} }",
        ] {
            assert!(first("src/api/v1/team.rs", text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_the_table_allows_is_allowed() {
        for (path, text) in [
            (
                "src/api/v1/team.rs",
                "use crate::app::App; use super::super::call::Call;",
            ),
            (
                "src/store/team.rs",
                "use rusqlite::params; use crate::domain::team::Team;",
            ),
            (
                "src/domain/flow.rs",
                "use serde_json::Value; use croner::Cron;",
            ),
            (
                "src/app/team.rs",
                "// use rusqlite::params;\nconst A: &str = \"crate::http::x\";",
            ),
            ("src/main.rs", "fn main() { elastane::cli::run(); }"),
            ("src/api/v1.rs", "mod ssh_key; fn f() { ssh_key::routes() }"),
        ] {
            assert_eq!(first(path, text), None, "{text}");
        }
    }

    #[test]
    fn a_crate_outside_its_room_is_found() {
        for (path, text) in [
            ("src/app/team.rs", "use rusqlite::params;"),
            ("src/app/team.rs", "use ::rusqlite::params;"),
            ("src/console/teams.rs", "fn f() { rusqlite::params![] }"),
            ("src/domain/user.rs", "use tracing::info;"),
            ("src/server.rs", "use std::net::{IpAddr, TcpListener};"),
            ("src/cli/serve.rs", "fn f() { std::env::var(\"A\") }"),
            ("src/api/v1.rs", "use clap::Parser;"),
        ] {
            assert!(first(path, text).is_some(), "{text}");
        }
    }

    #[test]
    fn versions_that_import_each_other_are_found() {
        assert!(first("src/api/v1/user.rs", "use super::super::v2::user;").is_some());
        assert!(first("src/api/v2.rs", "use crate::api::v1::Shape;").is_some());
        assert_eq!(
            first("src/api.rs", "use v1::routes; use crate::api::v2;"),
            None
        );
    }

    #[test]
    fn a_second_door_is_found() {
        assert!(first("src/app.rs", "pub use crate::store::Read;").is_some());
        assert_eq!(first("src/app.rs", "pub use open::AppOptions;"), None);
    }

    #[test]
    fn an_unknown_room_is_found() {
        assert!(first("src/util.rs", "").is_some());
    }

    #[test]
    fn dependencies_without_place_or_use_are_found() {
        let manifest = "[dependencies]\nrusqlite = \"1\"\nmd-5 = \"1\"\nleft-pad = \"1\"\n";
        let tree = Tree::of(&[
            ("Cargo.toml", manifest),
            ("src/store.rs", "use rusqlite::params;"),
            ("src/app.rs", "use md5::Md5;"),
        ]);
        let found = check_dependencies(&tree);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|found| found.line == 4));
    }
}
