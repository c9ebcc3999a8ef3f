//! Answers, as a handler makes them.

use std::fmt;
use std::io::Read;

/// The body of an answer.
#[non_exhaustive]
pub enum Content {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// A source that is read while it's sent.
    Stream {
        /// Where the bytes come from. A read may take its time: each result is sent at once.
        source: Box<dyn Read + Send>,
        /// How many there will be, in bytes. Without it the body is sent in chunks.
        length: Option<u64>,
    },
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies may hold secrets.
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream { length, .. } => write!(f, "a stream of {length:?} bytes"),
        }
    }
}

/// An answer to a request.
///
/// The server adds `Date`, `Content-Length` or `Transfer-Encoding`, and `Connection`. A header with
/// a control character in it (or a malformed name) is never sent: the whole answer becomes a 500,
/// since whatever put a line break there might have put a second answer behind it.
#[derive(Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
    pub(crate) close: bool,
}

impl Response {
    /// Returns an answer without headers and body; a status outside 200 to 599 is sent as 500.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Bytes(Vec::new()),
            close: false,
        }
    }

    /// Adds a header. The server's own framing headers are left out when the answer is sent.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Replaces all headers of that name by one.
    pub fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Returns the first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Takes bytes as the body.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.content = Content::Bytes(bytes.into());
        self
    }

    /// Takes a source as the body, of a known length in bytes or in chunks.
    ///
    /// If the source fails, or ends before its length, the connection is torn down, so that no
    /// client takes the part for the whole.
    #[must_use]
    pub fn stream(mut self, source: impl Read + Send + 'static, length: Option<u64>) -> Self {
        self.content = Content::Stream {
            source: Box::new(source),
            length,
        };
        self
    }

    /// Closes the connection after this answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Replaces the status.
    pub fn set_status(&mut self, status: u16) {
        self.status = status;
    }

    /// Returns the body.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }
}
