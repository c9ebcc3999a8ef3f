//! Pages stay flat: a page of users and of a user's flows with 1,000,000 rows against the
//! same page with 1,000, in one run. The goal is 1.5.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark makes rows, measures time and prints it"
)]

mod median;

use std::path::Path;
use std::time::Instant;

use elastane::app::user::Role;
use elastane::app::{App, AppOptions, Opening, SecretText};
use elastane::domain::id::UserId;
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::user::NewUser;

/// Rows of the small and of the large installation.
const ROWS: [u32; 2] = [1_000, 1_000_000];

/// Entries of a page.
const PAGE: u32 = 50;

/// Pages that one figure is the median of.
const PAGES: usize = 400;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let figures = ROWS.map(|rows| {
        let path = folder.path().join(format!("{rows}")).join("elastane.db");
        std::fs::create_dir(path.parent().expect("a folder")).expect("a folder");
        measure(&path, rows)
    });
    let [small, large] = figures;
    for (what, at) in [("users", 0), ("flows", 1), ("flows, last page", 2)] {
        println!(
            "a page of {what}: {:.0} us with {} rows, {:.0} us with {}: {:.2} (goal at most 1.5)",
            small[at],
            ROWS[0],
            large[at],
            ROWS[1],
            large[at] / small[at]
        );
    }
}

/// Makes an installation of so many users and flows of one of them; returns the medians
/// of a page of users, the first page of flows, and the last one, in microseconds.
fn measure(path: &Path, rows: u32) -> [f64; 3] {
    let options = AppOptions::new(path);
    let app = App::init(&options).expect("an installation");
    let operator = Principal::operator(Channel::Cli);
    let new = NewUser::parse(Some("ada@example.com"), Some("Ada"), Some("Lovelace"), None);
    let ada = app
        .register_user(
            &operator,
            new.expect("valid"),
            &SecretText::new("secret"),
            Role::Member,
        )
        .expect("registered")
        .user
        .id;
    app.close();
    fill(path, ada, rows);
    let app = App::open(&options, Opening::Use).expect("an installation");
    let middle: UserId = format!("ffffff{:018x}", rows / 2).parse().expect("an id");
    let last = format!("ffffff{:018x}", rows - PAGE - 1)
        .parse()
        .expect("an id");
    let pages = [
        timed(|| {
            app.users(&operator, Some(middle), PAGE)
                .expect("users")
                .len()
        }),
        timed(|| {
            app.flows_of(&operator, ada, None, PAGE)
                .expect("flows")
                .len()
        }),
        timed(|| {
            app.flows_of(&operator, ada, Some(last), PAGE)
                .expect("flows")
                .len()
        }),
    ];
    app.close();
    pages
}

/// Adds rows as the store would write them, past its verbs for the sake of time.
fn fill(path: &Path, ada: UserId, rows: u32) {
    let conn = rusqlite::Connection::open(path).expect("the database");
    conn.execute_batch(&format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows})
         INSERT INTO users (id, email, email_key, first_name, last_name, password_hash, created_at, updated_at)
         SELECT printf('ffffff%018x', i), i || '@example.com', i || '@example.com', 'A', 'B', '', 0, 0 FROM n;
         WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {rows})
         INSERT INTO flows (id, user_id, name, graph, created_at, updated_at)
         SELECT printf('ffffff%018x', i), '{ada}', 'flow ' || i,
             '{{\"nodes\":[{{\"id\":\"step_1\",\"command\":\"elasticio/timer:timer\"}}],\"edges\":[]}}', 0, 0 FROM n;
         COMMIT;"
    ))
    .expect("filled");
}

/// Returns the median time of a page in microseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a page are few")]
fn timed(page: impl Fn() -> usize) -> f64 {
    let took = (0..PAGES).map(|_| {
        let began = Instant::now();
        assert_eq!(page(), PAGE as usize, "a full page");
        began.elapsed().as_nanos() as f64 / 1_000.0
    });
    median::median(took.collect())
}
