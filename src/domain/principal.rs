//! Who is asking, and through which door.

use std::net::IpAddr;

use super::error::{Error, Result};
use super::id::UserId;
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
}

impl Channel {
    /// Returns the word that the audit log stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Console => "console",
            Self::Server => "server",
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
}

impl Principal {
    /// Makes the principal of a signed-in user.
    pub fn user(user: User, origin: Origin) -> Self {
        Self {
            actor: Actor::User(Box::new(user)),
            origin,
        }
    }

    /// Makes the operator's principal, for the command line and the console.
    pub fn operator(channel: Channel) -> Self {
        Self {
            actor: Actor::Operator,
            origin: Origin::local(channel),
        }
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
