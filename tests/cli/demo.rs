//! The demo: built from its sources, and served as it says.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use super::Place;
use super::serve::Served;

/// The embedded database, as the repository has it.
const EMBEDDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo.db");

/// Returns the rows of every table as text, sorted.
#[expect(
    clippy::disallowed_methods,
    reason = "two files are compared row by row, below every room"
)]
fn content_of(path: &Path) -> BTreeMap<String, Vec<String>> {
    let conn =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    let mut names = conn
        .prepare(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
        .expect("the schema");
    let tables: Vec<(String, String)> = names
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .expect("the tables");
    let mut content = BTreeMap::new();
    for (table, sql) in tables {
        let mut statement = conn
            .prepare(&format!("SELECT * FROM {table}"))
            .expect("a table");
        let columns = statement.column_count();
        let mut rows: Vec<String> = statement
            .query_map([], |row| {
                (0..columns)
                    .map(|at| row.get::<_, Value>(at))
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .expect("rows")
            .map(|row| format!("{:?}", row.expect("a row")))
            .collect();
        rows.sort();
        rows.push(sql);
        content.insert(table, rows);
    }
    content
}

#[test]
fn the_embedded_database_equals_its_sources() {
    let place = Place::empty();
    place.run(&["demo", "--build", "demo.db"]).succeeds();
    let built = content_of(&place.path("demo.db"));
    let embedded = content_of(Path::new(EMBEDDED));
    let names = |content: &BTreeMap<String, Vec<String>>| -> Vec<String> {
        content.keys().cloned().collect()
    };
    let cure = "run `cargo run -- demo --build assets/demo.db`, then build again";
    assert_eq!(names(&built), names(&embedded), "{cure}");
    for (table, rows) in &built {
        assert_eq!(rows, &embedded[table], "{table}: {cure}");
    }
    assert_eq!(place.names(), ["demo.db"]);
}

#[test]
fn the_three_commands_work_as_they_are_printed() {
    let place = Place::empty();
    let mut demo = Served::start(&place, &["demo", "--listen", "127.0.0.1:0"]);
    let text = demo.lines_until("Ctrl-C");
    for email in ["ada@example.com", "bob@example.com"] {
        assert!(text.iter().any(|line| line.contains(email)), "{text:#?}");
    }
    assert!(
        !text.iter().any(|line| line.contains("grace")),
        "she is disabled"
    );
    let commands: Vec<&String> = text
        .iter()
        .filter(|line| line.trim_start().starts_with("curl "))
        .collect();
    assert_eq!(commands.len(), 3, "{text:#?}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let key = words[2].trim_end_matches(':');
        let method = if words.contains(&"POST") {
            "POST"
        } else {
            "GET"
        };
        let url = words.last().expect("an address");
        let path = url
            .strip_prefix(&format!("http://{}", demo.address))
            .expect("the address of the demo");
        let (status, body) = demo.ask(method, path, key);
        assert_eq!(status, 200, "{command}: {body}");
    }
    assert_eq!(demo.stop(), Some(0));
    assert_eq!(
        place.names(),
        Vec::<String>::new(),
        "nothing is left behind"
    );
}

#[test]
fn there_is_something_to_look_at_before_anything_has_run() {
    let place = Place::empty();
    let args = ["demo", "--listen", "127.0.0.1:0", "--db", "mine.db"];
    let mut demo = Served::start(&place, &args);
    demo.lines_until("Ctrl-C");
    let list = |filter: &str| {
        let args = [
            "execution",
            "list",
            "--db",
            "mine.db",
            "--json",
            "--filter",
            filter,
        ];
        let rows = place.run(&args).json();
        rows.as_array().expect("rows").len()
    };
    assert!(list("state:success age:<1h") > 50);
    assert!(list("state:error age:<1h") > 2);
    let frame = place.run(&["console", "--once", "--db", "mine.db"]);
    let frame = frame.succeeds();
    assert!(
        frame.contains("503 Service") || frame.contains("Amazon"),
        "{frame}"
    );
    assert_eq!(demo.stop(), Some(0));
}

#[test]
fn a_kept_demo_is_used_again_and_a_real_key_file_is_not_touched() {
    let place = Place::empty();
    let args = ["demo", "--listen", "127.0.0.1:0", "--db", "mine.db"];
    let demo = Served::start(&place, &args);
    assert_eq!(demo.stop(), Some(0));
    let at = ["--db", "mine.db"];
    let created = [&["key", "create", "bob@example.com", "--json"][..], &at].concat();
    let made = place.run(&created).json();
    let demo = Served::start(&place, &args);
    let key = made["api_secret"].as_str().expect("a key");
    assert_eq!(demo.ask("GET", "/v1/users", key).0, 200);
    assert_eq!(demo.stop(), Some(0));
    let real = Place::installed();
    let told = real.run(&["demo", "--db", "new.db"]).fails(5);
    assert!(told.contains("is the key file of something else"), "{told}");
    assert!(!real.path("new.db").exists());
}

#[test]
fn a_real_installation_is_never_served_as_the_demo() {
    let real = Place::installed();
    let before = std::fs::read(real.path("elastane.db")).expect("the database");
    let args = ["demo", "--listen", "127.0.0.1:0", "--db", "elastane.db"];
    let told = real.run(&args).fails(5);
    assert!(told.contains("is the key file of something else"), "{told}");
    assert!(told.contains("hint: name a --db in an empty"), "{told}");
    std::fs::rename(real.path("elastane.key"), real.path("other.key")).expect("moved");
    let told = real.run(&args).fails(5);
    assert!(told.contains("without the demo's key file"), "{told}");
    assert_eq!(real.names(), ["elastane.db", "other.key"]);
    assert_eq!(
        std::fs::read(real.path("elastane.db")).expect("there"),
        before
    );
}

#[test]
fn a_second_demo_of_one_file_is_told_about_the_file() {
    let place = Place::empty();
    let args = ["demo", "--listen", "127.0.0.1:0", "--db", "mine.db"];
    let demo = Served::start(&place, &args);
    let told = place.run(&args).fails(5);
    assert!(told.contains("another server serves"), "{told}");
    assert!(told.contains("hint: stop it, or name another"), "{told}");
    assert_eq!(demo.stop(), Some(0));
}

#[test]
fn the_environment_of_a_real_installation_is_left_alone() {
    let place = Place::installed();
    let before = std::fs::read(place.path("elastane.db")).expect("the database");
    let told = place
        .run_with(
            &["demo", "--listen", "0.0.0.0:0"],
            &[
                ("ELASTANE_DB", "elastane.db"),
                ("ELASTANE_AUDIT_DAYS", "never"),
            ],
            "",
        )
        .fails(7);
    assert!(told.contains("without TLS"), "{told}");
    assert_eq!(
        std::fs::read(place.path("elastane.db")).expect("there"),
        before
    );
}

#[test]
fn the_demo_holds_what_it_promises() {
    let place = Place::empty();
    place.run(&["demo", "--build", "demo.db"]).succeeds();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/elastane.key");
    std::fs::copy(source, place.path("elastane.key")).expect("copied");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(place.path("elastane.key"), private).expect("private");
    let list = |what: &str| {
        let found = place
            .run(&[what, "list", "--json", "--db", "demo.db"])
            .json();
        found.as_array().expect("an array").clone()
    };
    let roles: Vec<String> = list("user")
        .iter()
        .map(|user| user["role"].to_string())
        .collect();
    assert!(roles.iter().any(|role| role.contains("admin")));
    assert!(roles.iter().any(|role| role.contains("member")));
    let kinds: std::collections::BTreeSet<String> = list("sshkey")
        .iter()
        .map(|key| key["algorithm"].to_string())
        .collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert_eq!(
        list("team").len(),
        3,
        "two and the one of the built-in components"
    );
    assert!(list("recipe").len() >= 4);
    let content = content_of(&place.path("demo.db"));
    let flows = content["flows"].join("\n");
    assert!(flows.contains("\"active\"") && flows.contains("\"inactive\""));
    assert!(content["credentials"].len() > 2);
}
