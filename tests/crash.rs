//! kill -9 over the real server: what was acknowledged is there afterwards.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use elastane::app::user::Role;
use elastane::app::{App, Opening};
use elastane::domain::principal::{Channel, Principal};
use elastane::store::{OpenMode, Store};
use serde_json::json;

use crate::support::installation::options_in;
use crate::support::{Actor, Installation, Served};

/// Rounds of starting, writing and killing.
const ROUNDS: u64 = 6;

/// Clients that write at once.
const CLIENTS: u64 = 8;

#[test]
fn every_acknowledged_write_survives_kill_9() {
    let installation = Installation::new();
    let database = installation.database();
    let (user, key) = installation.register("ada@example.com", Role::Member);
    installation.app.close();
    let acknowledged = Mutex::new(BTreeSet::new());
    for round in 0..ROUNDS {
        let served = Served::start(&database);
        let ada = Actor::of(&served.base, user.clone(), &key);
        write_until_killed(served, &ada, round, &acknowledged);
        let store = Store::open(&database, OpenMode::Existing).expect("an openable database");
        assert!(store.check().expect("a check").is_sound(), "round {round}");
        store.close();
    }
    let acknowledged = acknowledged.into_inner().expect("the names");
    assert!(
        acknowledged.len() > 50,
        "only {} writes",
        acknowledged.len()
    );
    let app = App::open(&options_in(database), Opening::Serve).expect("an installation");
    let operator = Principal::operator(Channel::Cli);
    let mut there = BTreeSet::new();
    let mut after = None;
    loop {
        let page = app.teams(&operator, after, 500).expect("teams");
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        there.extend(page.into_iter().map(|team| team.name));
    }
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

/// Creates teams from several clients until the server is killed under them; a name is
/// acknowledged once its 201 was read.
fn write_until_killed(
    mut served: Served,
    ada: &Actor,
    round: u64,
    acknowledged: &Mutex<BTreeSet<String>>,
) {
    let killed = AtomicBool::new(false);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !killed.load(Ordering::SeqCst) {
                    let name = format!("team {round} {}", next.fetch_add(1, Ordering::SeqCst));
                    let made = ada.try_post("/v1/teams", &json!({ "name": name }));
                    if made.is_some_and(|answer| answer.status == 201) {
                        acknowledged.lock().expect("the names").insert(name);
                    }
                }
            });
        }
        // The moment differs from round to round, so the kill meets different work.
        thread::sleep(Duration::from_millis(120 + 70 * round));
        served.kill();
        killed.store(true, Ordering::SeqCst);
    });
}
