//! A mail as a message of RFC 5322.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use crate::domain::mail::{Mail, MailAddress};
use crate::domain::{Error, Result};

/// The type of a file that names none.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Makes a `Message-ID` of the sender's domain.
pub(super) fn new_id(unique: &str, from: &MailAddress) -> String {
    let domain = from
        .email
        .as_str()
        .rsplit('@')
        .next()
        .unwrap_or("localhost");
    // A header holds ASCII; the id only has to be one of a kind.
    let domain = if domain.is_ascii() {
        domain
    } else {
        "localhost"
    };
    format!("<{unique}@{domain}>")
}

/// Writes a message; names, subjects and texts in any alphabet are encoded.
pub(super) fn build(
    mail: &Mail,
    from: &MailAddress,
    message_id: &str,
    now_ms: i64,
) -> Result<Vec<u8>> {
    let now = Duration::from_millis(u64::try_from(now_ms).unwrap_or_default());
    let mut head = Message::builder()
        .date(SystemTime::UNIX_EPOCH + now)
        .message_id(Some(message_id.to_owned()))
        .from(mailbox("from", from)?)
        .subject(mail.subject.as_str());
    for address in &mail.to {
        head = head.to(mailbox("to", address)?);
    }
    for address in &mail.cc {
        head = head.cc(mailbox("cc", address)?);
    }
    if let Some(address) = &mail.reply_to {
        head = head.reply_to(mailbox("replyTo", address)?);
    }
    let text = |text: &str| SinglePart::plain(text.to_owned());
    let html = |html: &str| SinglePart::html(html.to_owned());
    let body = match (&mail.text, &mail.html) {
        (Some(plain), Some(rich)) => Body::Many(
            MultiPart::alternative()
                .singlepart(text(plain))
                .singlepart(html(rich)),
        ),
        (None, Some(rich)) => Body::One(html(rich)),
        (plain, None) => Body::One(text(plain.as_deref().unwrap_or_default())),
    };
    let message = if mail.attachments.is_empty() {
        match body {
            Body::One(part) => head.singlepart(part),
            Body::Many(parts) => head.multipart(parts),
        }
    } else {
        let mixed = MultiPart::mixed();
        let mut mixed = match body {
            Body::One(part) => mixed.singlepart(part),
            Body::Many(parts) => mixed.multipart(parts),
        };
        for file in &mail.attachments {
            let named = file.content_type.as_deref().unwrap_or(UNKNOWN_TYPE);
            let kind = ContentType::parse(named)
                .or_else(|_| ContentType::parse(UNKNOWN_TYPE))
                .map_err(Error::internal)?;
            let attachment = Attachment::new(file.filename.clone());
            mixed = mixed.singlepart(attachment.body(file.bytes.clone(), kind));
        }
        head.multipart(mixed)
    };
    Ok(message.map_err(Error::internal)?.formatted())
}

/// What stands before the attachments.
enum Body {
    One(SinglePart),
    Many(MultiPart),
}

/// Returns an address as a header has it.
fn mailbox(field: &str, address: &MailAddress) -> Result<Mailbox> {
    let text = address.email.as_str();
    let refused = |_| Error::invalid(field, "must be an address that mail can go to");
    Ok(Mailbox::new(
        address.name.clone(),
        text.parse().map_err(refused)?,
    ))
}
