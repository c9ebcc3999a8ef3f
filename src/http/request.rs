//! Requests, as a handler sees them.

use std::net::{IpAddr, SocketAddr};

use super::body::{Body, BodyError, BodyStream};
use super::head::Head;
use super::target::{Path, Target};

/// A version of HTTP that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0, which closes by default and knows no chunks.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// A request whose head is complete and sound, and whose body may still be on its way.
///
/// What [`Request::path`] and its siblings return outlives the borrow of the request, so a handler
/// may hold them while it reads the body.
#[derive(Debug)]
pub struct Request<'c> {
    pub(crate) head: &'c Head,
    pub(crate) target: &'c Target,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) trusted_proxies: &'c [IpAddr],
    pub(crate) body: Body<'c>,
}

impl<'c> Request<'c> {
    /// Returns the method as it was sent; methods are case-sensitive.
    #[must_use]
    pub fn method(&self) -> &'c str {
        self.head.method()
    }

    /// Returns the raw target. Its query may hold secrets: don't log it whole.
    #[must_use]
    pub fn target(&self) -> &'c str {
        self.head.target()
    }

    /// Returns the path, decoded once and segment by segment.
    #[must_use]
    pub fn path(&self) -> &'c Path {
        &self.target.path
    }

    /// Returns the decoded pairs of the query, in their order.
    #[must_use]
    pub fn query(&self) -> &'c [(String, String)] {
        &self.target.query
    }

    /// Returns the raw query without its question mark; `None` if there is no question mark.
    #[must_use]
    pub fn raw_query(&self) -> Option<&'c str> {
        self.target.raw_query.as_deref()
    }

    /// Returns the first value of a name in the query.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&'c str> {
        let found = self.query().iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the host that the client asked for, with its port if it named one.
    ///
    /// The target's own host wins over the header (RFC 9112 3.2.2). Only HTTP/1.0 may have none.
    #[must_use]
    pub fn host(&self) -> Option<&'c str> {
        self.target.host.as_deref().or_else(|| self.header("host"))
    }

    /// Returns the first value of a header, whatever the case of its name.
    ///
    /// `Host`, `Content-Type`, `Authorization`, `Expect` and the framing headers occur once at most.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'c str> {
        self.headers()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Iterates over all values of a header, in their order.
    pub fn header_values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'c str> + use<'c, 'n> {
        self.headers()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Iterates over all headers, in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&'c str, &'c str)> + use<'c> {
        self.head.fields()
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version()
    }

    /// Returns the address of the other end of the socket; `None` for Unix sockets.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Returns the address of the client: the peer, or what trusted proxies say about it.
    ///
    /// Of `X-Forwarded-For` the last address that is no trusted proxy counts: what stands before it
    /// may have been made up.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        let peer = self.peer?;
        if !self.trusted_proxies.contains(&peer) {
            return Some(peer);
        }
        let mut client = peer;
        let values: Vec<&str> = self
            .header_values("x-forwarded-for")
            .flat_map(|value| value.split(','))
            .collect();
        for value in values.iter().rev() {
            let Some(address) = forwarded_address(value) else {
                break;
            };
            client = address.to_canonical();
            if !self.trusted_proxies.contains(&client) {
                break;
            }
        }
        Some(client)
    }

    /// Reads the whole body, of at most so many bytes; an absent body is empty.
    ///
    /// # Errors
    ///
    /// Returns an error for a body that is too large (before reading any of it, if its length was
    /// announced), malformed, cut off or too slow.
    pub fn body(&mut self, limit: u64) -> Result<Vec<u8>, BodyError> {
        self.body.whole(limit)
    }

    /// Returns the body as a stream of at most so many bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if an announced length is over the limit, or an earlier read has failed.
    pub fn body_stream(&mut self, limit: u64) -> Result<BodyStream<'_, 'c>, BodyError> {
        self.body.stream(limit)
    }

    /// Says whether there is a body and none of it was read.
    #[must_use]
    pub fn is_body_unread(&self) -> bool {
        self.body.progress.is_unread()
    }
}

/// Reads an address as proxies write it: bare, or with a port and an IPv6 one in brackets.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.parse::<IpAddr>().ok();
    bare.or_else(|| {
        text.parse::<SocketAddr>()
            .ok()
            .map(|with_port| with_port.ip())
    })
}
