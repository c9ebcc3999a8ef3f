//! `elasticio/email:send`: mail over SMTP, through the server of the credential or the
//! installation's.

use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::{answer, files};
use crate::app::SecretText;
use crate::app::mail::{MailSecurity, MailServer};
use crate::domain::mail::{Mail, MailAttachment, address, addresses};
use crate::domain::run::Failure;
use crate::domain::{Error, Result as DomainResult};
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Tools, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "email",
    functions: &[Function::new("send", Nature::Queued, send).checked_by(check)],
    verify: Some(verify),
};

/// The most files of one mail: each is fetched, one after the other.
const ATTACHMENTS_MAX: usize = 20;

/// Sends one mail.
fn send(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    let server = server(work.cfg).map_err(answer::refused)?;
    let body = fields::members(&work.message.body)?;
    let mut mail = mail(body).map_err(answer::refused)?;
    mail.check().map_err(answer::refused)?;
    mail.attachments = attachments(work.tools, body)?;
    match work.tools.app.send_mail(&mail, server.as_ref()) {
        Ok(sent) => emitter.body(json!({
            "messageId": sent.message_id,
            "accepted": sent.accepted,
            "rejected": sent.rejected,
        })),
        Err(error) if fields::is_on(work.cfg, "dontThrowErrorFlg") => {
            let all = [&mail.to, &mail.cc, &mail.bcc].into_iter().flatten();
            let rejected: Vec<&str> = all.map(|one| one.email.as_str()).collect();
            // The shape of a mail that was sent, so that an expression on it holds.
            emitter.body(json!({
                "messageId": null,
                "accepted": [],
                "rejected": rejected,
                "errorMessage": answer::refused(error).message,
            }))
        }
        Err(error) => Err(answer::refused(error)),
    }
}

/// Reads a mail without its files.
fn mail(body: &Fields) -> DomainResult<Mail> {
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Error::invalid(name, "must be a text")),
    };
    let list = |name: &str| addresses(name, text(name)?.unwrap_or_default());
    let reply_to = text("replyTo")?.filter(|text| !text.trim().is_empty());
    Ok(Mail {
        to: list("to")?,
        cc: list("cc")?,
        bcc: list("bcc")?,
        subject: text("subject")?
            .ok_or_else(|| Error::invalid("subject", "is required"))?
            .to_owned(),
        text: text("textBody")?.map(str::to_owned),
        html: text("htmlBody")?.map(str::to_owned),
        reply_to: reply_to.map(|text| address("replyTo", text)).transpose()?,
        attachments: Vec::new(),
    })
}

/// Fetches the files of a mail.
fn attachments(tools: &Tools<'_>, body: &Fields) -> Result<Vec<MailAttachment>, Failure> {
    let list = match body.get("attachments") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= ATTACHMENTS_MAX => list,
        Some(_) => {
            return Err(Failure::new(format!(
                "`attachments` must be an array of at most {ATTACHMENTS_MAX} files"
            )));
        }
    };
    let fetch = |(place, file): (usize, &Value)| {
        let field = format!("attachments[{place}]");
        let fault = |failure: Failure| Failure::new(format!("`{field}`: {}", failure.message));
        let file = file
            .as_object()
            .ok_or_else(|| Failure::new(format!("`{field}` must be an object")))?;
        let url = fields::required(file, "url").map_err(fault)?;
        let filename = fields::required(file, "filename").map_err(fault)?;
        let fetched = files::fetch(tools, &field, &url)?;
        Ok(MailAttachment {
            filename: filename.into_owned(),
            content_type: fetched.content_type,
            bytes: fetched.bytes,
        })
    };
    list.iter().enumerate().map(fetch).collect()
}

/// Returns the mail server of the credential; none where it names none.
fn server(cfg: &Fields) -> DomainResult<Option<MailServer>> {
    let smtp = fields::object(cfg, "smtp")
        .map_err(|_| Error::invalid("smtp", "must be an object, or its JSON text"))?;
    let Some(smtp) = smtp else {
        return Ok(None);
    };
    of_smtp(&smtp)
        .map(Some)
        .map_err(|error| error.with_fields(|field| format!("smtp.{field}")))
}

/// Reads `{host, port, user, password, security, from}`.
fn of_smtp(smtp: &Fields) -> DomainResult<MailServer> {
    let host = fields::text(smtp, "host").ok_or_else(|| Error::invalid("host", "is required"))?;
    let port = fields::whole(smtp, "port", 1, u64::from(u16::MAX))
        .map_err(|_| Error::invalid("port", "must be from 1 to 65535"))?
        .and_then(|port| u16::try_from(port).ok());
    let user = fields::text(smtp, "user");
    let security = match (fields::text(smtp, "security"), port) {
        (Some(word), _) => MailSecurity::parse("security", word)?,
        // The port of TLS from the first byte.
        (None, Some(465)) => MailSecurity::Tls,
        // A password goes out in clear only where the credential says so.
        (None, _) if user.is_some() => MailSecurity::StartTls,
        (None, _) => MailSecurity::None,
    };
    let mut server = MailServer::new(host, port, security)?;
    if let Some(user) = user {
        let password = smtp.get("password").map(fields::shown).unwrap_or_default();
        server = server.with_credentials(user, SecretText::new(password))?;
    }
    match fields::text(smtp, "from") {
        Some(from) => server.with_sender(from),
        None => Ok(server),
    }
}

/// Checks the mail server of the credential.
fn check(cfg: &Fields) -> Vec<String> {
    let fault = server(cfg).err();
    fault
        .map(|error| format!("has a bad mail server: {}", answer::refused(error).message))
        .into_iter()
        .collect()
}

/// Tells whether the mail server takes a connection and the password.
#[expect(clippy::unnecessary_wraps, reason = "other services may fail")]
fn verify(keys: &Fields, tools: &Tools<'_>) -> Result<Value, Failure> {
    let checked = server(keys)
        .and_then(|server| tools.app.verify_mail_server(server.as_ref()))
        .map_err(answer::refused);
    Ok(fields::verdict(&checked))
}
