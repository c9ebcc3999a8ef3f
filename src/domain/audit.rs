//! The audit log: who did what, from where, to which object, when.

use serde_json::Value;

/// What kind of object an entry or a tombstone is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A user.
    User,
    /// An API key.
    ApiKey,
    /// A developer team.
    Team,
    /// A repository and its component.
    Component,
    /// An SSH public key.
    SshKey,
    /// A credential.
    Credential,
    /// A flow.
    Flow,
    /// A recipe.
    Recipe,
    /// A setting of the installation.
    Setting,
    /// An organization.
    Organization,
    /// A membership of an organization; its id is that of the organization, a slash, and
    /// that of the user.
    Member,
    /// An invite to an organization.
    Invite,
    /// A lookup table.
    Lookup,
    /// A data sample.
    DataSample,
    /// A run of a flow.
    Execution,
}

impl ObjectKind {
    /// Returns the word that the database stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Team => "team",
            Self::Component => "component",
            Self::SshKey => "ssh_key",
            Self::Credential => "credential",
            Self::Flow => "flow",
            Self::Recipe => "recipe",
            Self::Setting => "setting",
            Self::Organization => "organization",
            Self::Member => "organization_member",
            Self::Invite => "organization_invite",
            Self::Lookup => "lookup",
            Self::DataSample => "data_sample",
            Self::Execution => "execution",
        }
    }
}

/// An entry to be written in the transaction of the act that it tells of.
#[derive(Clone, Debug)]
pub struct NewAuditEntry {
    /// What was done: object and verb, such as `flow.start`.
    pub action: &'static str,
    /// The object's kind and id.
    pub object: Option<(ObjectKind, String)>,
    /// More facts as a JSON object; never a secret.
    pub detail: Option<Value>,
}

impl NewAuditEntry {
    /// Makes an entry about one object.
    pub fn of(action: &'static str, kind: ObjectKind, id: impl Into<String>) -> Self {
        Self {
            action,
            object: Some((kind, id.into())),
            detail: None,
        }
    }

    /// Adds facts.
    #[must_use]
    pub fn with(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }
}

/// An entry as it was written.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// The order of the entries.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// `user`, `operator`, `system` or `anonymous`.
    pub actor_kind: String,
    /// The user's id, where the actor is one.
    pub actor_id: Option<String>,
    /// `api`, `cli`, `console`, `server` or `ssh`.
    pub channel: String,
    /// The network address, where there is one.
    pub address: Option<String>,
    /// The id of the request, where there is one.
    pub request_id: Option<String>,
    /// What was done.
    pub action: String,
    /// The kind of the object.
    pub object_kind: Option<String>,
    /// The id of the object.
    pub object_id: Option<String>,
    /// More facts as JSON.
    pub detail: Option<Value>,
}
