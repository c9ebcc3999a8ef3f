//! One call, parsed, and the reply to it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::route::Route;
use super::shared::Shared;
use super::v2::query::Query;
use crate::app::App;
use crate::app::step_run::StepRun;
use crate::domain::principal::Principal;
use crate::domain::{Error, Result};
use crate::http::router::Params;

/// Which shape a client wants where the first and the later documents exclude each
/// other (`v1.md 1.6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compat {
    /// The shape of the first documents: the default.
    Seed,
    /// The shape of the later ones, by `?compat=later` or `X-Elastane-Compat: later`.
    Later,
}

/// One call: who asks, for what, with which body.
pub struct Call<'a> {
    /// The verbs.
    pub app: &'a App,
    /// What the server shares between its calls.
    pub shared: &'a Shared,
    /// Who asks.
    pub who: Principal,
    /// The step whose process asks, where one does.
    pub step: Option<Arc<StepRun>>,
    /// The parameters of the path, decoded.
    pub params: Params<'a>,
    /// The pairs of the query, decoded.
    pub query: &'a [(String, String)],
    /// The members of the body; empty where there was none (`v1.md 1.3`).
    pub body: Map<String, Value>,
    /// The wanted shape.
    pub compat: Compat,
    /// The host that the client named.
    pub host: Option<&'a str>,
    /// The route that was found.
    pub route: &'a Route,
    /// The path as it was sent.
    pub path: &'a str,
    /// The query by the rules of the route; v1 has none.
    pub asked: Query,
    /// The preferences of the client (RFC 7240), such as `return=representation`.
    pub prefer: Option<&'a str>,
    /// The states that a change may be made to (RFC 9110, 13.1.1): entity tags.
    pub if_match: Option<&'a str>,
}

impl Call<'_> {
    /// Returns scheme and host for absolute links, without a final slash: what the
    /// operator set, else the host that the client named.
    pub fn base_url(&self) -> String {
        match (&self.shared.options.public_url, self.host) {
            (Some(url), _) => url.clone(),
            (None, Some(host)) => format!("http://{host}"),
            (None, None) => String::new(),
        }
    }

    /// Returns the step whose process asks; its routes let nobody else in.
    pub fn step(&self) -> Result<Arc<StepRun>> {
        self.step
            .clone()
            .ok_or_else(crate::domain::principal::unauthenticated)
    }

    /// Returns a parameter of the path as text.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).unwrap_or_default()
    }

    /// Returns a parameter of the path as an id; one that is not well-formed is the id
    /// of nothing: 404 for the thing called `what` (`v1.md 1.1`).
    pub fn id<T: FromStr>(&self, name: &str, what: &str) -> Result<T> {
        self.param(name).parse().map_err(|_| Error::not_found(what))
    }
}

/// What a handler answers.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub content: Content,
}

/// The body of a reply.
#[derive(Debug)]
pub enum Content {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// JSON that is written already.
    Written(Vec<u8>),
    /// Text of the given media type.
    Text(&'static str, String),
    /// A file and its length in bytes; its media type is a header.
    File(File, u64),
    /// A source of unknown length, read while it is sent; its media type is a header.
    Stream(Source),
    /// Bytes with headers of their own, the media type among them.
    Raw(Vec<(String, String)>, Vec<u8>),
}

/// A source of bytes.
pub struct Source(pub Box<dyn Read + Send>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl Reply {
    /// Makes a JSON reply.
    pub fn json(status: u16, value: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Json(value),
        }
    }

    /// Makes a JSON reply with status 200.
    pub fn ok(value: Value) -> Self {
        Self::json(200, value)
    }

    /// Makes a reply of text in a media type.
    pub fn text(status: u16, media_type: &'static str, text: String) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Text(media_type, text),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
