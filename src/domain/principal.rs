//! Who is asking, and through which door.

use std::net::IpAddr;

use super::error::{Error, Result};
use super::id::{ApiKeyId, OrganizationId, UserId};
use super::organization::Scope;
use super::user::User;

/// Through which door a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The REST API.
    Api,
    /// The command line, on the machine itself.
    Cli,
    /// The admin console, on the machine itself.
    Console,
    /// The server's own doing.
    Server,
    /// Git over SSH.
    Ssh,
}

impl Channel {
    /// Returns the word that the audit log stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Console => "console",
            Self::Server => "server",
            Self::Ssh => "ssh",
        }
    }
}

/// Where a request comes from: for the audit log and the limits.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The door.
    pub channel: Channel,
    /// The network address of the peer; none over a Unix socket or on the machine.
    pub address: Option<IpAddr>,
    /// The id of the request, as the log line shows it.
    pub request_id: Option<String>,
}

impl Origin {
    /// Returns the origin of something done on the machine itself.
    pub fn local(channel: Channel) -> Self {
        Self {
            channel,
            address: None,
            request_id: None,
        }
    }
}

/// Who acts.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A signed-in user, as loaded when the request was authenticated.
    User(Box<User>),
    /// Whoever has the database file: the operator at the command line or console.
    Operator,
    /// The server itself.
    System,
    /// Somebody who could not be signed in.
    Anonymous,
}

/// An actor with the origin of what it asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Who acts.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// For whom it acts, as chosen when it signed in; roles in it are read anew by
    /// every verb that changes something.
    pub scope: Scope,
    /// Whether a tenant administrator passes the checks of other people's objects: in v2
    /// (`v2.md 2.7`), not in v1, whose documents know no such role (`v1.md 1.7`).
    pub admin_passes: bool,
    /// The API key that signed it in, where one did.
    pub api_key: Option<ApiKeyId>,
}

impl Principal {
    /// Makes the principal of a signed-in user.
    pub fn user(user: User, origin: Origin) -> Self {
        Self::new(Actor::User(Box::new(user)), origin)
    }

    /// Makes the operator's principal, for the command line and the console.
    pub fn operator(channel: Channel) -> Self {
        Self::new(Actor::Operator, Origin::local(channel))
    }

    /// Makes the server's own principal.
    pub fn system() -> Self {
        Self::new(Actor::System, Origin::local(Channel::Server))
    }

    /// Makes the principal of somebody who could not be signed in, or needs not be.
    pub fn anonymous(origin: Origin) -> Self {
        Self::new(Actor::Anonymous, origin)
    }

    /// Makes a principal that acts for itself.
    fn new(actor: Actor, origin: Origin) -> Self {
        Self {
            actor,
            origin,
            scope: Scope::Personal,
            admin_passes: false,
            api_key: None,
        }
    }

    /// Returns the same principal acting for somebody else.
    #[must_use]
    pub fn in_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Returns the same principal as v2 sees it: a tenant administrator passes.
    #[must_use]
    pub fn with_passing_admin(mut self) -> Self {
        self.admin_passes = true;
        self
    }

    /// Returns the organization that new objects belong to, where there is one.
    pub fn organization(&self) -> Option<OrganizationId> {
        self.scope.organization()
    }

    /// Returns the signed-in user's id, where there is one.
    pub fn user_id(&self) -> Option<UserId> {
        match &self.actor {
            Actor::User(user) => Some(user.id),
            Actor::Operator | Actor::System | Actor::Anonymous => None,
        }
    }

    /// Returns the signed-in user; verbs that act for a user begin with it.
    pub fn require_user(&self) -> Result<&User> {
        match &self.actor {
            Actor::User(user) => Ok(user),
            Actor::Operator | Actor::System => {
                Err(Error::forbidden("this belongs to a user: name one"))
            }
            Actor::Anonymous => Err(unauthenticated()),
        }
    }

    /// Tells whether the principal administers the installation.
    pub fn is_tenant_admin(&self) -> bool {
        match &self.actor {
            Actor::User(user) => user.is_tenant_admin,
            Actor::Operator | Actor::System => true,
            Actor::Anonymous => false,
        }
    }

    /// Refuses everyone but tenant administrators and the operator.
    pub fn require_tenant_admin(&self) -> Result<()> {
        if self.is_tenant_admin() {
            Ok(())
        } else {
            Err(Error::forbidden("this is for tenant administrators"))
        }
    }

    /// Tells whether the principal passes the checks of other people's objects: the
    /// operator, and in v2 a tenant administrator (`v2.md 2.7`). Credentials, SSH keys,
    /// API keys and scheduled executions are no such objects (`v2.md 9`).
    pub fn passes_all(&self) -> bool {
        self.is_operator() || (self.admin_passes && self.is_tenant_admin())
    }

    /// Returns the signed-in user as somebody who makes or changes objects, and refuses
    /// a guest: one reads and nothing else, everywhere (`v2.md 9`).
    pub fn require_writer(&self) -> Result<&User> {
        let user = self.require_user()?;
        self.refuse_guest()?;
        Ok(user)
    }

    /// Refuses a guest. The scope is that of the sign-in: a role taken away meanwhile
    /// counts from the next request on, as with every role that a request carries.
    pub fn refuse_guest(&self) -> Result<()> {
        if self.scope.may_write() || self.is_tenant_admin() {
            Ok(())
        } else {
            Err(Error::forbidden(
                "you are a guest of this organization: guests read and change nothing",
            ))
        }
    }

    /// Tells whether the principal is the operator at the machine or the server itself.
    pub fn is_operator(&self) -> bool {
        matches!(self.actor, Actor::Operator | Actor::System)
    }
}

/// The one answer to credentials that sign nobody in: it never says which part was wrong.
pub fn unauthenticated() -> Error {
    Error::new(
        super::error::Kind::Unauthenticated,
        "missing or wrong credentials: use HTTP Basic with your API key",
    )
}
