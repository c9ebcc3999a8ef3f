//! The seam to whatever runs git: the room `git` puts itself here, since neither the verbs
//! nor the API may name it.

use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use super::App;
use super::repository::GitRight;
use crate::domain::Result;
use crate::domain::id::{ApiKeyId, ComponentId, UserId};

/// One of git's two programs at the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitProgram {
    /// Sends objects: clone and fetch.
    UploadPack,
    /// Takes objects: push.
    ReceivePack,
}

impl GitProgram {
    /// Reads the name that clients send.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::UploadPack),
            "git-receive-pack" => Some(Self::ReceivePack),
            _ => None,
        }
    }

    /// Returns that name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    /// Returns the right that it needs.
    pub fn right(self) -> GitRight {
        match self {
            Self::UploadPack => GitRight::Clone,
            Self::ReceivePack => GitRight::Push,
        }
    }
}

/// A call of git's smart HTTP protocol that was let in.
pub struct GitCall<'a> {
    /// The repository.
    pub component: ComponentId,
    /// Who calls.
    pub user: UserId,
    /// By which API key; none where a password signed in.
    pub api_key: Option<ApiKeyId>,
    /// From which network address.
    pub address: Option<IpAddr>,
    /// Which program is meant.
    pub program: GitProgram,
    /// Whether it only asks for the refs, which has no body.
    pub is_advertisement: bool,
    /// The version of the protocol that the client speaks, as its header says it.
    pub protocol: Option<&'a str>,
    /// How the body is packed: `gzip` or not at all.
    pub is_gzip: bool,
    /// The body, bounded by the caller.
    pub body: &'a mut dyn Read,
}

/// What git answers.
pub struct GitAnswer {
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// The body, which ends when git does; dropping it ends git.
    pub body: Box<dyn Read + Send>,
}

impl fmt::Debug for GitAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.content_type)
    }
}

/// Runs git for the API.
pub trait GitServer: Send + Sync {
    /// Answers a call whose caller has the right to it.
    ///
    /// Errors: unavailable where git can't be run, or too many calls run already.
    fn answer(&self, call: GitCall<'_>) -> Result<GitAnswer>;
}

impl App {
    /// Puts a server of git in place.
    pub fn set_git_server(&self, server: Arc<dyn GitServer>) {
        let slot = self.inner.git.write();
        *slot.unwrap_or_else(PoisonError::into_inner) = Some(server);
    }

    /// Takes it away: it holds the application, so both would live for ever.
    pub fn clear_git_server(&self) {
        let slot = self.inner.git.write();
        *slot.unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the server of git, where one is in place.
    pub fn git_server(&self) -> Option<Arc<dyn GitServer>> {
        let slot = self.inner.git.read();
        slot.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
