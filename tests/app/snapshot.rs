//! Snapshots: changed by hand only while the flow rests.

use elastane::domain::{Error, Kind};
use serde_json::json;

use super::given::last_audit;
use crate::support::Installation;
use crate::support::history::{FIRST, SECOND, flow};

fn kind(result: Result<(), Error>) -> Kind {
    result.unwrap_err().kind()
}

#[test]
fn a_snapshot_is_made_once_replaced_and_deleted() {
    let at = Installation::new();
    let (ada, eve) = (
        at.principal("ada@example.com"),
        at.principal("eve@example.com"),
    );
    let id = flow(&at.app, &ada).id;
    let app = &at.app;
    let replaced = app.replace_snapshot(&ada, id, SECOND, json!(1));
    assert_eq!(kind(replaced), Kind::NotFound);
    assert_eq!(
        kind(app.create_snapshot(&ada, id, "step_9", json!(1))),
        Kind::Invalid
    );
    assert_eq!(
        kind(app.create_snapshot(&eve, id, SECOND, json!(1))),
        Kind::NotFound
    );
    let large = json!("x".repeat(5 * 1024));
    assert_eq!(
        kind(app.create_snapshot(&ada, id, SECOND, large)),
        Kind::Invalid
    );
    app.create_snapshot(&ada, id, SECOND, json!(null)).unwrap();
    assert_eq!(last_audit(&at).action, "snapshot.create");
    assert_eq!(
        kind(app.create_snapshot(&ada, id, SECOND, json!(2))),
        Kind::Conflict
    );
    app.create_snapshot(&ada, id, FIRST, json!({ "at": 1 }))
        .unwrap();
    app.replace_snapshot(&ada, id, SECOND, json!([2])).unwrap();
    let all = app.flow_snapshots(&ada, id).unwrap();
    let expected = [(FIRST, json!({ "at": 1 })), (SECOND, json!([2]))];
    assert_eq!(all, expected.map(|(step, value)| (step.to_owned(), value)));
    let seen = app.flow_snapshots(&eve, id).unwrap_err();
    assert_eq!(seen.kind(), Kind::NotFound);
    app.delete_snapshot(&ada, id, SECOND).unwrap();
    assert_eq!(last_audit(&at).action, "snapshot.delete");
    assert_eq!(kind(app.delete_snapshot(&ada, id, SECOND)), Kind::NotFound);
    let missing = app.flow_snapshot(&ada, id, SECOND).unwrap_err();
    assert_eq!(missing.kind(), Kind::NotFound);
}

#[test]
fn nobody_changes_the_snapshots_of_an_active_flow() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let id = flow(&at.app, &ada).id;
    at.app.create_snapshot(&ada, id, FIRST, json!(1)).unwrap();
    at.app.start_flow(&ada, id).unwrap();
    assert_eq!(at.app.flow_snapshot(&ada, id, FIRST).unwrap(), json!(1));
    for refused in [
        at.app.create_snapshot(&ada, id, SECOND, json!(1)),
        at.app.replace_snapshot(&ada, id, FIRST, json!(2)),
        at.app.delete_snapshot(&ada, id, FIRST),
    ] {
        assert_eq!(kind(refused), Kind::Conflict);
    }
}
