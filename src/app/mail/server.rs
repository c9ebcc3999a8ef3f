//! Where mail goes out, from a credential or from the settings.

use std::fmt;

use crate::app::password::SecretText;
use crate::domain::mail::{MailAddress, address};
use crate::domain::{Error, Result};

/// The longest host name (RFC 1035).
const HOST_MAX_BYTES: usize = 253;

/// The longest user name or password that is taken.
const SECRET_MAX_BYTES: usize = 1_024;

/// How the connection is protected (`settled.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// Not at all.
    None,
    /// TLS after a greeting in clear; a server that does not offer it is refused.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

impl MailSecurity {
    /// Reads `none`, `starttls` or `tls`.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self::None),
            "starttls" => Ok(Self::StartTls),
            "tls" => Ok(Self::Tls),
            _ => Err(Error::invalid(field, "must be none, starttls or tls")),
        }
    }

    /// Returns the port that servers commonly have for it.
    fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

/// A mail server with what is needed to use it.
#[derive(Clone)]
pub struct MailServer {
    host: String,
    port: u16,
    security: MailSecurity,
    credentials: Option<(String, SecretText)>,
    from: Option<MailAddress>,
    any_certificate: bool,
}

impl MailServer {
    /// Makes a server without credentials and sender; the port is the common one where it
    /// is missing.
    pub fn new(host: &str, port: Option<u16>, security: MailSecurity) -> Result<Self> {
        let host = host.trim();
        let of_a_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() || bare.len() > HOST_MAX_BYTES || !bare.bytes().all(of_a_host) {
            return Err(Error::invalid(
                "host",
                "must be the name or address of a host",
            ));
        }
        if port == Some(0) {
            return Err(Error::invalid("port", "must be from 1 to 65535"));
        }
        Ok(Self {
            host: bare.to_owned(),
            port: port.unwrap_or_else(|| security.port()),
            security,
            credentials: None,
            from: None,
            any_certificate: false,
        })
    }

    /// Signs in with these.
    pub fn with_credentials(mut self, user: &str, password: SecretText) -> Result<Self> {
        if user.len() > SECRET_MAX_BYTES || user.chars().any(char::is_control) {
            return Err(Error::invalid("user", "must be one line"));
        }
        if password.expose().len() > SECRET_MAX_BYTES {
            return Err(Error::invalid("password", "is too long"));
        }
        self.credentials = Some((user.to_owned(), password));
        Ok(self)
    }

    /// Sends as this address, such as `Shop <shop@example.com>`.
    pub fn with_sender(mut self, from: &str) -> Result<Self> {
        self.from = Some(address("from", from)?);
        Ok(self)
    }

    /// Takes certificates that prove nothing: for a server of one's own network.
    #[must_use]
    pub fn with_any_certificate(mut self) -> Self {
        self.any_certificate = true;
        self
    }

    /// Returns the host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns how the connection is protected.
    pub fn security(&self) -> MailSecurity {
        self.security
    }

    /// Returns who sends.
    pub(super) fn sender(&self) -> Result<&MailAddress> {
        let missing = || Error::invalid("from", "is required: who sends the mail");
        self.from.as_ref().ok_or_else(missing)
    }

    /// Returns user and password, where the server wants them.
    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        let (user, password) = self.credentials.as_ref()?;
        Some((user, password.expose()))
    }

    /// Tells whether any certificate will do.
    pub(super) fn takes_any_certificate(&self) -> bool {
        self.any_certificate
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No user, no password.
        write!(f, "MailServer({}:{})", self.host, self.port)
    }
}
