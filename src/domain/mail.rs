//! A mail as a step wants to send it: checked, so that nothing in it becomes a header.

use super::error::{Error, Result};
use super::text::Email;

/// The most recipients of one mail, of all three kinds together: common servers take a
/// hundred.
pub const RECIPIENTS_MAX: usize = 100;

/// The longest subject, in bytes: one line of a message (RFC 5322 2.1.1).
pub const SUBJECT_MAX_BYTES: usize = 998;

/// The largest mail with its attachments, before it is encoded: common servers take 25
/// to 35 MB of the encoded form.
pub const MAIL_MAX_BYTES: usize = 20 * 1024 * 1024;

/// An address with the name of whoever has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress {
    /// The name that is shown.
    pub name: Option<String>,
    /// The address.
    pub email: Email,
}

/// A file that goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAttachment {
    /// The name of the file, without folders.
    pub filename: String,
    /// The media type; unknown where it is missing or malformed.
    pub content_type: Option<String>,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// Whom it is for; at least one.
    pub to: Vec<MailAddress>,
    /// Who gets a copy.
    pub cc: Vec<MailAddress>,
    /// Who gets a copy that the others don't hear of.
    pub bcc: Vec<MailAddress>,
    /// What it is about, one line.
    pub subject: String,
    /// The text for whoever reads no HTML.
    pub text: Option<String>,
    /// The text in HTML.
    pub html: Option<String>,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<MailAddress>,
    /// Files that go along.
    pub attachments: Vec<MailAttachment>,
}

impl Mail {
    /// Checks what addresses alone can't tell; the error names the field at fault.
    pub fn check(&self) -> Result<()> {
        if self.to.is_empty() {
            return Err(Error::invalid("to", "must name at least one address"));
        }
        if self.to.len() + self.cc.len() + self.bcc.len() > RECIPIENTS_MAX {
            let message = format!("and the copies must be at most {RECIPIENTS_MAX} addresses");
            return Err(Error::invalid("to", message));
        }
        if self.subject.len() > SUBJECT_MAX_BYTES || self.subject.chars().any(char::is_control) {
            return Err(Error::invalid(
                "subject",
                "must be one line of at most 998 bytes without control characters",
            ));
        }
        for attachment in &self.attachments {
            let name = &attachment.filename;
            if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
                return Err(Error::invalid(
                    "attachments",
                    "must have filenames of 1 to 255 bytes without control characters",
                ));
            }
        }
        let texts = [&self.text, &self.html];
        let texts = texts
            .iter()
            .map(|text| text.as_ref().map_or(0, String::len));
        let files = self.attachments.iter().map(|file| file.bytes.len());
        if texts.chain(files).sum::<usize>() > MAIL_MAX_BYTES {
            let message = format!("and the texts must have at most {MAIL_MAX_BYTES} bytes");
            return Err(Error::invalid("attachments", message));
        }
        Ok(())
    }
}

/// Reads addresses with commas between them: `ada@example.com, "Ada L." <ada@x.org>`.
///
/// A comma inside quotes is part of a name. Empty places are left out, so that texts put
/// together by expressions work.
pub fn addresses(field: &str, text: &str) -> Result<Vec<MailAddress>> {
    let mut found = Vec::new();
    let mut is_quoted = false;
    let mut begins = 0;
    for (at, sign) in text.char_indices() {
        match sign {
            '"' => is_quoted = !is_quoted,
            ',' | ';' if !is_quoted => {
                found.extend(optional_address(field, &text[begins..at])?);
                begins = at + 1;
            }
            _ => {}
        }
        if found.len() > RECIPIENTS_MAX {
            let message = format!("must be at most {RECIPIENTS_MAX} addresses");
            return Err(Error::invalid(field, message));
        }
    }
    found.extend(optional_address(field, &text[begins..])?);
    Ok(found)
}

/// Reads one address, with or without a name.
pub fn address(field: &str, text: &str) -> Result<MailAddress> {
    optional_address(field, text)?.ok_or_else(|| Error::invalid(field, "must not be empty"))
}

/// Reads one address; none where there are only blanks.
fn optional_address(field: &str, text: &str) -> Result<Option<MailAddress>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, "must not have line breaks inside"));
    }
    let Some((name, rest)) = text.rsplit_once('<') else {
        let email = Email::parse(field, text)?;
        return Ok(Some(MailAddress { name: None, email }));
    };
    let malformed = || Error::invalid(field, "must be addresses such as Ada <ada@example.com>");
    let email = rest.strip_suffix('>').ok_or_else(malformed)?;
    let email = Email::parse(field, email)?;
    let name = name.trim();
    let bare = match name.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').ok_or_else(malformed)?,
        None => name,
    };
    if bare.contains(['<', '>', '"']) || bare.len() > 255 {
        return Err(malformed());
    }
    let name = (!bare.is_empty()).then(|| bare.to_owned());
    Ok(Some(MailAddress { name, email }))
}
