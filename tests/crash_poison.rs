//! A message that ends the server again and again is ended itself (`runtime.md 3.7`).

use elastane::app::user::Role;
use elastane::store::{OpenMode, Store};
use serde_json::json;

use crate::support::running::{ended, id_of, runs_of, seen, started, step_ids, steps_of};
use crate::support::{Actor, Installation, Served};

/// The servers that the message ends before it is ended.
const DEATHS: i64 = 5;

#[test]
fn a_message_that_was_in_work_when_five_servers_died_ends_as_interrupted() {
    let installation = Installation::new();
    let database = installation.database();
    let (user, key) = installation.register("ada@example.com", Role::Member);
    installation.app.close();
    let leases = || {
        let store = Store::open(&database, OpenMode::Existing).expect("the database");
        store
            .write(|write| {
                let sql = "SELECT coalesce(max(leases), -1) FROM queue";
                let row = write
                    .raw_for_tests()
                    .query_row(sql, [], |row| row.get::<_, i64>(0));
                Ok(row.expect("a number"))
            })
            .expect("read")
    };
    let mut flow = String::new();
    for death in 1..=DEATHS {
        let mut served = Served::start(&database);
        let ada = Actor::of(&served.base, user.clone(), &key);
        if flow.is_empty() {
            // It would end by itself after half a minute, which no server here lives.
            let code = "async function run() { while (true) {} }";
            let nodes = json!([
                { "id": "in", "command": "elasticio/webhook:receive" },
                { "id": "poison", "command": "elasticio/code:execute", "fields": { "code": code } },
            ]);
            flow = started(
                &ada,
                &nodes,
                &json!([{ "source": "in", "target": "poison" }]),
            );
            let called = ada.send("GET", &format!("/hook/{flow}?n=7"), &[], "");
            assert_eq!(called.status, 200, "{}", called.text);
        }
        seen("the message in work", || (leases() == death).then_some(()));
        served.kill();
    }
    let served = Served::start(&database);
    let ada = Actor::of(&served.base, user, &key);
    let runs = runs_of(&ada, &flow);
    assert_eq!(runs.len(), 1, "nothing was counted twice");
    let run = id_of(&runs[0]);
    let over = ended(&ada, &run);
    assert_eq!(over["status"], "interrupted", "{over}");
    assert_eq!(step_ids(&ada, &run), ["in", "poison"]);
    let last = &steps_of(&ada, &run)[1];
    assert_eq!(last["error"]["name"], "Interrupted", "{last}");
    assert_eq!(last["input"]["body"]["n"], "7", "its input is there");
    assert_eq!(leases(), -1, "nothing waits");
}
