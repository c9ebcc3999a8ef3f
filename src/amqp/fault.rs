//! Why a channel or a connection is closed, with the codes of the specification.

use std::fmt;

/// A reason to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code of the specification.
    pub code: u16,
    /// What a person reads.
    pub text: String,
    /// Whether the channel alone is closed, and its connection lives.
    pub ends_channel_only: bool,
    /// The method that caused it: its class and number; zeros where none did.
    pub method: (u16, u16),
}

impl Fault {
    /// Makes a fault that ends the connection.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            ends_channel_only: false,
            method: (0, 0),
        }
    }

    /// Bytes that are no frame, or a frame that is no method.
    pub fn malformed(what: &str) -> Self {
        Self::new(SYNTAX_ERROR, format!("SYNTAX_ERROR - {what}"))
    }

    /// A frame that can't come now.
    pub fn unexpected(what: &str) -> Self {
        Self::new(UNEXPECTED_FRAME, format!("UNEXPECTED_FRAME - {what}"))
    }

    /// A method that is not served here.
    pub fn not_implemented(class: u16, method: u16) -> Self {
        Self::new(
            NOT_IMPLEMENTED,
            format!("NOT_IMPLEMENTED - method {class}.{method} is not served here"),
        )
        .caused_by(class, method)
    }

    /// Makes it close the channel alone.
    #[must_use]
    pub fn of_channel(mut self) -> Self {
        self.ends_channel_only = true;
        self
    }

    /// Says which method caused it.
    #[must_use]
    pub fn caused_by(mut self, class: u16, method: u16) -> Self {
        self.method = (class, method);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// A message is larger than is taken.
pub const CONTENT_TOO_LARGE: u16 = 311;

/// The credentials are wrong, or the queue is another's.
pub const ACCESS_REFUSED: u16 = 403;

/// There is no such queue.
pub const NOT_FOUND: u16 = 404;

/// A tag or a setting is not as it must be.
pub const PRECONDITION_FAILED: u16 = 406;

/// A frame is damaged.
pub const FRAME_ERROR: u16 = 501;

/// The bytes of a frame are no method.
pub const SYNTAX_ERROR: u16 = 502;

/// A channel that is not open, or is already.
pub const CHANNEL_ERROR: u16 = 504;

/// A frame came that can't come now.
pub const UNEXPECTED_FRAME: u16 = 505;

/// More than is given to one client.
pub const RESOURCE_ERROR: u16 = 506;

/// Something that clients may not do.
pub const NOT_ALLOWED: u16 = 530;

/// A method that is not served here.
pub const NOT_IMPLEMENTED: u16 = 540;
