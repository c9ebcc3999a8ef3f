//! Sending mail by SMTP: through the server of the installation, or of a credential.
//!
//! A server that a credential names is a target like any other: its name is looked up
//! once, private addresses are struck out unless the operator allows them, and what is
//! left is connected to (`reliability.md 3.3`). The installation's own server may be
//! anywhere.

mod message;
mod server;

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailCommand, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

pub use server::{MailSecurity, MailServer};

use super::App;
use super::outgoing::is_public;
use crate::domain::mail::{Mail, MailAddress};
use crate::domain::{Error, Kind, Result};

/// How long a connection may take, with the server's greeting.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long an answer to one command may take: servers look at messages before they take
/// them.
const COMMAND_TIME: Duration = Duration::from_secs(30);

/// The most text of a server's answer that is told on.
const TOLD_CHARS: usize = 200;

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMail {
    /// The `Message-ID`, between angle brackets.
    pub message_id: String,
    /// Addresses that the server took.
    pub accepted: Vec<String>,
    /// Addresses that the server refused.
    pub rejected: Vec<String>,
}

impl App {
    /// Returns the mail server of the installation, where the operator set one.
    pub fn mail_server(&self) -> Option<&MailServer> {
        self.inner.mail_server.as_ref()
    }

    /// Sends a mail through a server that a credential names, or the installation's.
    ///
    /// Recipients that the server refuses are returned, unless it refuses all of them.
    /// What may pass by itself (no connection, a temporary refusal) is unavailable; a
    /// refusal for good is invalid. Errors hold the server's words and no secret.
    pub fn send_mail(&self, mail: &Mail, server: Option<&MailServer>) -> Result<SentMail> {
        mail.check()?;
        let (server, is_own) = self.chosen(server)?;
        let from = server.sender()?;
        let message_id = message::new_id(&self.new_request_id(), from);
        let bytes = message::build(mail, from, &message_id, self.now_ms())?;
        let recipients: Vec<&MailAddress> =
            mail.to.iter().chain(&mail.cc).chain(&mail.bcc).collect();
        let mut session = self.connected(server, is_own)?;
        let outcome = deliver(&mut session, from, &recipients, &bytes);
        // Taken or not, the session is over; what it says now changes nothing.
        session.abort();
        let (accepted, rejected) = outcome?;
        Ok(SentMail {
            message_id,
            accepted,
            rejected,
        })
    }

    /// Connects to a mail server and signs in, which proves its settings; sends nothing.
    pub fn verify_mail_server(&self, server: Option<&MailServer>) -> Result<()> {
        let (server, is_own) = self.chosen(server)?;
        let mut session = self.connected(server, is_own)?;
        session.quit().map(|_| ()).map_err(told)
    }

    /// Returns the server to use, and whether it is the installation's.
    fn chosen<'a>(&'a self, server: Option<&'a MailServer>) -> Result<(&'a MailServer, bool)> {
        if let Some(server) = server {
            return Ok((server, false));
        }
        let own = self.inner.mail_server.as_ref();
        let missing = || {
            let message = "is not set: give the step a credential, or the installation smtp_host";
            Error::invalid("smtp", message)
        };
        own.map(|server| (server, true)).ok_or_else(missing)
    }

    /// Connects, secures and signs in.
    fn connected(&self, server: &MailServer, is_own: bool) -> Result<SmtpConnection> {
        let may_be_private = is_own || self.inner.rules.allow_private_networks;
        let addresses = vetted(server, may_be_private)?;
        let hello = ClientId::default();
        let tls = match server.security() {
            MailSecurity::None => None,
            MailSecurity::StartTls | MailSecurity::Tls => Some(
                TlsParameters::builder(server.host().to_owned())
                    .dangerous_accept_invalid_certs(server.takes_any_certificate())
                    .dangerous_accept_invalid_hostnames(server.takes_any_certificate())
                    .build()
                    .map_err(told)?,
            ),
        };
        let wrapped = tls
            .as_ref()
            .filter(|_| server.security() == MailSecurity::Tls);
        let mut session = SmtpConnection::connect(
            addresses.as_slice(),
            Some(CONNECT_TIME),
            &hello,
            wrapped,
            None,
        )
        .map_err(told)?;
        session
            .set_timeout(Some(COMMAND_TIME))
            .map_err(Error::internal)?;
        if server.security() == MailSecurity::StartTls
            && let Some(tls) = &tls
        {
            session.starttls(tls, &hello).map_err(told)?;
        }
        if let Some((user, password)) = server.credentials() {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let credentials = Credentials::new(user.to_owned(), password.to_owned());
            session.auth(&mechanisms, &credentials).map_err(|error| {
                session.abort();
                not_signed_in(&error)
            })?;
        }
        Ok(session)
    }
}

/// Looks a server up and strikes out what may not be connected to.
fn vetted(server: &MailServer, may_be_private: bool) -> Result<Vec<SocketAddr>> {
    let unknown = |_| Error::new(Kind::Unavailable, "the mail server's host is not known");
    let found = (server.host(), server.port())
        .to_socket_addrs()
        .map_err(unknown)?;
    let vetted: Vec<SocketAddr> = found
        .filter(|address| may_be_private || is_public(address.ip()))
        .collect();
    if vetted.is_empty() {
        return Err(Error::forbidden(
            "the mail server has a private or local address, which the settings don't allow \
             (allow_private_networks)",
        ));
    }
    Ok(vetted)
}

/// Hands a message over, recipient by recipient; returns who was taken and who refused.
fn deliver(
    session: &mut SmtpConnection,
    from: &MailAddress,
    recipients: &[&MailAddress],
    message: &[u8],
) -> Result<(Vec<String>, Vec<String>)> {
    let is_foreign = std::iter::once(&from)
        .chain(recipients)
        .any(|address| !address.email.as_str().is_ascii());
    let mut options = Vec::new();
    for (is_needed, feature, option) in [
        (
            is_foreign,
            Extension::SmtpUtfEight,
            MailParameter::SmtpUtfEight,
        ),
        (
            !message.is_ascii(),
            Extension::EightBitMime,
            MailParameter::Body(MailBodyParameter::EightBitMime),
        ),
    ] {
        if !is_needed {
            continue;
        }
        if !session.server_info().supports_feature(feature) {
            let message = "can't be sent: the mail server takes ASCII alone";
            return Err(Error::invalid("to", message));
        }
        options.push(option);
    }
    let sender = envelope("from", from)?;
    session
        .command(MailCommand::new(Some(sender), options))
        .map_err(told)?;
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    let mut last = None;
    for recipient in recipients {
        let shown = recipient.email.as_str().to_owned();
        match session.command(Rcpt::new(envelope("to", recipient)?, Vec::new())) {
            Ok(_) => accepted.push(shown),
            Err(error) if error.status().is_some() => {
                rejected.push(shown);
                last = Some(error);
            }
            Err(error) => return Err(told(error)),
        }
    }
    if let Some(error) = last.filter(|_| accepted.is_empty()) {
        return Err(told(error));
    }
    session.command(Data).map_err(told)?;
    session.message(message).map_err(told)?;
    Ok((accepted, rejected))
}

/// Returns an address as the envelope has it.
fn envelope(field: &str, address: &MailAddress) -> Result<Address> {
    let text = address.email.as_str();
    let refused = |_| Error::invalid(field, "must be an address that mail can go to");
    text.parse().map_err(refused)
}

/// Tells whether a failed connection failed in TLS, which comes as bad data of a socket.
fn is_of_rustls(error: &SmtpError) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .is_some_and(|source| source.kind() == std::io::ErrorKind::InvalidData)
}

/// Tells of a refused sign-in; the server's words may repeat what was sent, so they stay
/// out.
fn not_signed_in(error: &SmtpError) -> Error {
    if error.is_permanent() || error.is_client() {
        return Error::invalid("smtp", "the mail server refused the user or the password");
    }
    Error::new(
        Kind::Unavailable,
        "the mail server could not check the password",
    )
}

/// Turns a failure of SMTP into an error.
fn told(error: SmtpError) -> Error {
    if error.is_timeout() {
        return Error::new(Kind::Unavailable, "the mail server did not answer in time");
    }
    if let Some(code) = error.status() {
        let words: String = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(TOLD_CHARS)
            .collect();
        let message = format!("the mail server refused it with {code}: {words}");
        let kind = if error.is_permanent() {
            Kind::Invalid
        } else {
            Kind::Unavailable
        };
        return Error::new(kind, message);
    }
    if error.is_tls() || is_of_rustls(&error) {
        return Error::new(Kind::Unavailable, "TLS with the mail server failed").caused_by(error);
    }
    if error.is_client() {
        return Error::new(
            Kind::Unavailable,
            format!("the mail server can't be used: {error}"),
        );
    }
    Error::new(Kind::Unavailable, "the mail server can't be reached").caused_by(error)
}
