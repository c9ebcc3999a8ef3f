//! Routes as data: method, path, access, handler. Nothing is reachable that is not here.

use super::call::{Call, Reply};
use super::shape::{Answers, Attribute, QueryRules, ResourceInput};
use crate::domain::Result;
use crate::http::Request;

/// Who may call a route; objects have rules of their own, in `app`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without credentials.
    Public,
    /// Any signed-in user.
    User,
    /// Any signed-in user, who may send its key as a bearer token too; media types are
    /// git's own.
    Git,
    /// Whoever holds the token in the path; signed in where credentials are sent.
    Token,
    /// Processes of steps, with their own keys (`v1.md 4`).
    Step,
    /// Loopback peers, or whoever has the token of the metrics.
    Metrics,
}

/// What answers a call.
pub type CallHandler = fn(&mut Call<'_>) -> Result<Reply>;

/// What answers a call that reads its body itself: bytes of any type, as they come.
pub type StreamHandler = fn(&mut Call<'_>, &mut Request<'_>) -> Result<Reply>;

/// One operation.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method, in upper case. GET serves HEAD too.
    pub method: &'static str,
    /// The path without a final slash, parameters in braces; both slash forms match.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether processes of steps may call it too.
    pub lets_steps_in: bool,
    /// What it does, as half a sentence.
    pub summary: &'static str,
    /// What answers it.
    pub handler: CallHandler,
    /// What answers it instead, where the body is not one of JSON.
    pub stream: Option<StreamHandler>,
    /// The parameters of the query; v2 refuses others.
    pub query: &'static QueryRules,
    /// The resource in the body, where v2 takes one.
    pub takes: Option<&'static ResourceInput>,
    /// The members of the object in the body, where v1 takes one; others are ignored.
    pub takes_members: Option<&'static [Attribute]>,
    /// The status when all is well, where it is said.
    pub status: u16,
    /// What it answers then.
    pub answers: Answers,
    /// Another status that means success, and what is answered with it.
    pub also: Option<(u16, Answers)>,
    /// Whether what it answers has an `ETag`, and whether a change reads `If-Match`.
    pub is_tagged: bool,
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

    /// Makes a PATCH route for signed-in users.
    pub const fn patch(path: &'static str, summary: &'static str, handler: CallHandler) -> Self {
        Self::new("PATCH", path, summary, handler)
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

    /// Lets processes of steps call it too.
    #[must_use]
    pub const fn also_for_steps(mut self) -> Self {
        self.lets_steps_in = true;
        self
    }

    /// Sets what answers it with its body unread; the other handler is then never called.
    #[must_use]
    pub const fn streaming(mut self, handler: StreamHandler) -> Self {
        self.stream = Some(handler);
        self
    }

    /// Sets which parameters of the query it takes.
    #[must_use]
    pub const fn asking(mut self, query: &'static QueryRules) -> Self {
        self.query = query;
        self
    }

    /// Sets which resource its body holds.
    #[must_use]
    pub const fn taking(mut self, input: &'static ResourceInput) -> Self {
        self.takes = Some(input);
        self
    }

    /// Sets which members of an object its body holds.
    #[must_use]
    pub const fn taking_members(mut self, members: &'static [Attribute]) -> Self {
        self.takes_members = Some(members);
        self
    }

    /// Sets another answer that means success.
    #[must_use]
    pub const fn or_answering(mut self, status: u16, answers: Answers) -> Self {
        self.also = Some((status, answers));
        self
    }

    /// Says that what it answers has an `ETag`; with PATCH, that it reads `If-Match`.
    #[must_use]
    pub const fn tagged(mut self) -> Self {
        self.is_tagged = true;
        self
    }

    /// Sets what it answers when all is well.
    #[must_use]
    pub const fn answering(mut self, status: u16, answers: Answers) -> Self {
        self.status = status;
        self.answers = answers;
        self
    }

    /// Returns the group of the route, for reference documents: `flows` of `/v2/flows/{id}`.
    pub fn group(&self) -> &'static str {
        let mut segments = self.path.split('/').skip(1);
        match segments.next() {
            Some("v1" | "v2") => segments.next().unwrap_or_default(),
            first => first.unwrap_or_default(),
        }
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
            lets_steps_in: false,
            summary,
            handler,
            stream: None,
            query: &QueryRules::ONE,
            takes: None,
            takes_members: None,
            status: 200,
            answers: Answers::Unsaid,
            also: None,
            is_tagged: false,
        }
    }
}
