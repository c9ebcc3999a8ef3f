//! Request heads: where one ends, and what it says.
//!
//! Both halves are pure, so a fuzz target runs them. The bytes go through [`Scan`] first, which
//! knows limits and line ends, and then through `httparse`, which knows the grammar. `httparse`
//! alone takes a bare line feed for a line end; a proxy in front may not, and the two would then
//! disagree on where a request ends.

use super::refusal::Refusal;
use super::request::Version;
use super::settings::HEADERS;

/// What a head may cost.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Longest head in bytes.
    pub head_bytes: usize,
    /// Longest request line in bytes.
    pub request_line_bytes: usize,
    /// Most header fields.
    pub headers: usize,
}

const NOT_HTTP: Refusal = Refusal::new(400, "The request line is malformed.");
const BARE_LINE_FEED: Refusal = Refusal::new(400, "Lines must end in CR LF.");
const LINE_TOO_LONG: Refusal = Refusal::new(414, "The request line is too long.");
const HEAD_TOO_LARGE: Refusal = Refusal::new(431, "The header fields are too large.");
const TOO_MANY_FIELDS: Refusal = Refusal::new(431, "There are too many header fields.");
const BAD_FIELD: Refusal = Refusal::new(400, "A header field is malformed.");
const NOT_TEXT: Refusal = Refusal::new(400, "The request's head is not UTF-8.");
const BAD_VERSION: Refusal = Refusal::new(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");

/// Looks for the end of a head in bytes that arrive piece by piece.
///
/// It remembers how far it looked, so a head that drips in costs no more than one that comes at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    looked_at: usize,
    line_start: usize,
    lines: usize,
    skip: usize,
}

impl Scan {
    /// Looks at all bytes that have come so far; returns the head's bounds once it's complete.
    ///
    /// # Errors
    ///
    /// Returns a refusal as soon as no continuation can make the head acceptable.
    pub fn advance(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<(usize, usize)>, Refusal> {
        // RFC 9112 2.2: one empty line before a request line is forgiven, as old clients send it after a body.
        if self.skip == 0 && self.lines == 0 && bytes.starts_with(b"\r\n") {
            self.skip = 2;
            self.looked_at = self.looked_at.max(2);
            self.line_start = 2;
        }
        let only_half_an_empty_line = bytes == b"\r";
        if let Some(&first) = bytes.get(self.skip)
            && !is_token(first)
            && !only_half_an_empty_line
        {
            return Err(NOT_HTTP);
        }
        while let Some(offset) = bytes[self.looked_at..]
            .iter()
            .position(|&byte| byte == b'\n')
        {
            let end = self.looked_at + offset;
            self.looked_at = end + 1;
            if end == self.line_start || bytes[end - 1] != b'\r' {
                return Err(BARE_LINE_FEED);
            }
            self.check_line(end + 1, limits)?;
            if end - 1 == self.line_start {
                return Ok(Some((self.skip, end + 1)));
            }
            self.lines += 1;
            self.line_start = end + 1;
        }
        self.looked_at = bytes.len();
        self.check_line(bytes.len(), limits)?;
        Ok(None)
    }

    fn check_line(&self, end: usize, limits: &HeadLimits) -> Result<(), Refusal> {
        if self.lines == 0 && end - self.line_start > limits.request_line_bytes {
            return Err(LINE_TOO_LONG);
        }
        if end - self.skip > limits.head_bytes {
            return Err(if self.lines == 0 {
                LINE_TOO_LONG
            } else {
                HEAD_TOO_LARGE
            });
        }
        // The request line and the empty line are not fields.
        if self.lines > limits.headers + 1 {
            return Err(TOO_MANY_FIELDS);
        }
        Ok(())
    }
}

/// How much of a target is kept of a head that was refused unparsed: enough for its version.
const TARGET_KEPT_BYTES: usize = 64;

/// Returns the beginning of the target in a request line that may be cut off.
pub(super) fn target_in(bytes: &[u8]) -> Option<String> {
    let line = bytes
        .split(|&byte| byte == b'\n')
        .find(|line| line.len() > 1)?;
    let target = line.split(|&byte| byte == b' ').nth(1)?;
    let kept = &target[..target.len().min(TARGET_KEPT_BYTES)];
    let is_printable = !kept.is_empty() && kept.iter().all(u8::is_ascii_graphic);
    is_printable.then(|| String::from_utf8_lossy(kept).into_owned())
}

/// Says whether a byte may stand in a method or a field name (RFC 9110 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    end: usize,
}

/// A request's head. One value serves all requests of a connection, so its memory is reused.
#[derive(Debug)]
pub struct Head {
    text: String,
    method: Span,
    target: Span,
    fields: Vec<(Span, Span)>,
    version: Version,
}

impl Default for Head {
    fn default() -> Self {
        Self::new()
    }
}

impl Head {
    /// Returns an empty head, to be filled by [`Head::parse`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            text: String::new(),
            method: Span::default(),
            target: Span::default(),
            fields: Vec::new(),
            version: Version::Http11,
        }
    }

    /// Empties the head, and keeps its memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
        self.method = Span::default();
        self.target = Span::default();
        self.version = Version::Http11;
    }

    /// Parses one complete head, as [`Scan`] has bounded it.
    ///
    /// # Errors
    ///
    /// Returns the refusal to answer with; the head is then empty except for its target, where one
    /// was found.
    pub fn parse(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
        self.clear();
        let text = std::str::from_utf8(bytes).map_err(|_| NOT_TEXT)?;
        self.text.push_str(text);
        self.find_target();
        let mut room = [httparse::EMPTY_HEADER; HEADERS];
        let fields = limits.headers.min(HEADERS);
        let mut parsed = httparse::Request::new(&mut room[..fields]);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            // The scan saw the whole head, so a parser that wants more disagrees with it.
            Ok(httparse::Status::Partial) => return Err(BAD_FIELD),
            Err(error) => return Err(self.refusal_of(error)),
        };
        let (Some(method), Some(target), Some(minor)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return Err(NOT_HTTP);
        };
        if length != bytes.len() || method.is_empty() {
            return Err(NOT_HTTP);
        }
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::new(
                400,
                "The request target must be printable ASCII.",
            ));
        }
        self.version = if minor == 0 {
            Version::Http10
        } else {
            Version::Http11
        };
        self.method = span_in(bytes, method.as_bytes());
        self.target = span_in(bytes, target.as_bytes());
        for field in parsed.headers.iter() {
            self.fields.push((
                span_in(bytes, field.name.as_bytes()),
                span_in(bytes, field.value),
            ));
        }
        Ok(())
    }

    /// Takes the second word of the first line, so that even a refused request can name its target.
    fn find_target(&mut self) {
        let line = self.text.split("\r\n").next().unwrap_or("");
        let mut words = line.split(' ');
        if let (Some(method), Some(target), Some(_version), None) =
            (words.next(), words.next(), words.next(), words.next())
            && target.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let start = method.len() + 1;
            self.target = Span {
                start,
                end: start + target.len(),
            };
        }
    }

    fn refusal_of(&self, error: httparse::Error) -> Refusal {
        match error {
            httparse::Error::TooManyHeaders => TOO_MANY_FIELDS,
            httparse::Error::Version => {
                let line = self.text.split("\r\n").next().unwrap_or("");
                let version = line.rsplit(' ').next().unwrap_or("");
                match version.strip_prefix("HTTP/").map(str::as_bytes) {
                    Some([major, b'.', minor])
                        if major.is_ascii_digit() && minor.is_ascii_digit() =>
                    {
                        BAD_VERSION
                    }
                    _ => NOT_HTTP,
                }
            }
            httparse::Error::HeaderName | httparse::Error::HeaderValue => BAD_FIELD,
            httparse::Error::NewLine | httparse::Error::Status | httparse::Error::Token => NOT_HTTP,
        }
    }

    fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// Returns the method as it was sent.
    #[must_use]
    pub fn method(&self) -> &str {
        self.slice(self.method)
    }

    /// Returns the raw request target; empty if none could be read.
    #[must_use]
    pub fn target(&self) -> &str {
        self.slice(self.target)
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Iterates over the header fields in their order: names as sent, values trimmed.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|&(name, value)| (self.slice(name), self.slice(value)))
    }
}

/// Where `part`, a piece of `whole`, lies in it.
fn span_in(whole: &[u8], part: &[u8]) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    Span {
        start,
        end: start + part.len(),
    }
}
