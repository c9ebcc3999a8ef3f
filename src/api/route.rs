//! Routes as data: method, path, access, handler. Nothing is reachable that is not here.

use super::call::{Call, Reply};
use crate::domain::Result;

/// Who may call a route; objects have rules of their own, in `app`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without credentials.
    Public,
    /// Any signed-in user.
    User,
    /// Loopback peers, or whoever has the token of the metrics.
    Metrics,
}

/// What answers a call.
pub type CallHandler = fn(&mut Call<'_>) -> Result<Reply>;

/// One operation.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method, in upper case. GET serves HEAD too.
    pub method: &'static str,
    /// The path without a final slash, parameters in braces; both slash forms match.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it does, as half a sentence.
    pub summary: &'static str,
    /// What answers it.
    pub handler: CallHandler,
}

impl Route {
    /// Makes a GET route for signed-in users.
    pub const fn get(path: &'static str, summary: &'static str, handler: CallHandler) -> Self {
        Self::new("GET", path, summary, handler)
    }

    /// Makes a POST route for signed-in users.
    pub const fn post(path: &'static str, summary: &'static str, handler: CallHandler) -> Self {
        Self::new("POST", path, summary, handler)
    }

    /// Makes a PUT route for signed-in users.
    pub const fn put(path: &'static str, summary: &'static str, handler: CallHandler) -> Self {
        Self::new("PUT", path, summary, handler)
    }

    /// Makes a DELETE route for signed-in users.
    pub const fn delete(path: &'static str, summary: &'static str, handler: CallHandler) -> Self {
        Self::new("DELETE", path, summary, handler)
    }

    /// Sets who may call it.
    #[must_use]
    pub const fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Makes a route for signed-in users.
    const fn new(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
        handler: CallHandler,
    ) -> Self {
        Self {
            method,
            path,
            access: Access::User,
            summary,
            handler,
        }
    }
}
