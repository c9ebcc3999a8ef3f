//! Organizations with people in them, over the API.

use serde_json::{Value, json};

use super::{Actor, TestServer};

/// An organization and who made it.
pub struct Organization {
    /// A tenant administrator, no member.
    pub root: Actor,
    /// The id.
    pub id: String,
}

impl Organization {
    /// Makes an organization without members.
    pub fn new(server: &TestServer, name: &str) -> Self {
        let root = server.admin(&format!("root-of-{}@example.com", name.to_lowercase()));
        let sent = document("organization", &json!({ "name": name }));
        let made = root.post("/v2/organizations", &sent).json(201);
        let id = made["data"]["id"].as_str().expect("an id").to_owned();
        Self { root, id }
    }

    /// Makes a user a member.
    pub fn join(&self, actor: &Actor, role: &str) {
        let mut sent = document("member", &json!({ "role": role }));
        sent["data"]["id"] = actor.id().into();
        let joined = self.root.post(&self.path("/members"), &sent);
        assert_eq!(joined.status, 201, "{}", joined.text);
    }

    /// Registers a user and makes it a member.
    pub fn member(&self, server: &TestServer, email: &str, role: &str) -> Actor {
        let actor = server.user(email);
        self.join(&actor, role);
        actor
    }

    /// Returns a path below the organization's own.
    pub fn path(&self, rest: &str) -> String {
        format!("/v2/organizations/{}{rest}", self.id)
    }
}

/// Returns the request of a resource.
pub fn document(kind: &str, attributes: &Value) -> Value {
    json!({ "data": { "type": kind, "attributes": attributes } })
}

/// Returns the id of the one resource of a document.
#[track_caller]
pub fn id_of(document: &Value) -> String {
    document["data"]["id"].as_str().expect("an id").to_owned()
}
