//! What these tests find in a database that no verb puts there yet: rows of flows,
//! builds and shared components, and a look at the rows themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use elastane::domain::audit::AuditEntry;
use elastane::domain::component::Component;
use elastane::domain::id::{TeamId, UserId};
use elastane::domain::principal::{Channel, Principal};
use rusqlite::{Connection, Params, params};
use serde_json::Value;

use crate::support::Installation;

/// Returns the operator.
pub fn operator() -> Principal {
    Principal::operator(Channel::Cli)
}

/// Returns the id of the user who asks.
pub fn id_of(who: &Principal) -> UserId {
    who.user_id().unwrap()
}

/// Opens the database beside the application, as the console of SQLite does.
#[expect(clippy::disallowed_methods, reason = "a test looks at the rows")]
pub fn rows(installation: &Installation) -> Connection {
    Connection::open(installation.database()).unwrap()
}

/// Changes rows, and asserts that one changed.
#[track_caller]
pub fn change(installation: &Installation, sql: &str, params: impl Params) {
    assert_eq!(rows(installation).execute(sql, params).unwrap(), 1, "{sql}");
}

/// Counts the rows of a query that selects a count.
pub fn count(installation: &Installation, sql: &str) -> i64 {
    rows(installation)
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

/// Lets everyone use a component.
pub fn share(installation: &Installation, component: &Component) {
    change(
        installation,
        "UPDATE components SET access = 'tenant' WHERE id = ?1",
        params![component.id.to_string()],
    );
}

/// Adds a build, as a push would.
pub fn build(installation: &Installation, component: &Component, number: i64, descriptor: &Value) {
    change(
        installation,
        "INSERT INTO component_versions (component_id, revision, number, title, descriptor, icon, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'aWNvbg==', 0)",
        params![
            component.id.to_string(),
            format!("{number:040x}"),
            number,
            descriptor["title"].as_str().unwrap(),
            descriptor.to_string()
        ],
    );
}

/// Adds an inactive flow of `owner` with one step of a component.
pub fn flow_with(installation: &Installation, owner: &Principal, component: &Component) {
    change(
        installation,
        "INSERT INTO flows (id, user_id, name, graph, created_at, updated_at)
         VALUES ('f00000000000000000000001', ?1, 'flow', '{}', 0, 0)",
        params![id_of(owner).to_string()],
    );
    change(
        installation,
        "INSERT INTO flow_steps (flow_id, position, step_id, team, component)
         VALUES ('f00000000000000000000001', 0, 'step_1', ?1, ?2)",
        params![component.team.as_str(), component.slug.as_str()],
    );
}

/// Adds a member to a team.
pub fn member(installation: &Installation, team: TeamId, who: &Principal) {
    change(
        installation,
        "INSERT INTO team_members (team_id, user_id, added_at) VALUES (?1, ?2, 0)",
        params![team.to_string(), id_of(who).to_string()],
    );
}

/// Returns the newest entry of the audit log.
pub fn last_audit(installation: &Installation) -> AuditEntry {
    let entries = installation.app.audit_entries(&operator(), None, 1);
    entries.unwrap().pop().unwrap()
}

/// Returns an Ed25519 public key that `seed` decides, as a line without a comment.
pub fn ed25519_line(seed: u8) -> String {
    let point = SigningKey::from_bytes(&[seed; 32]).verifying_key();
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend_from_slice(point.as_bytes());
    format!("ssh-ed25519 {}", STANDARD.encode(blob))
}
