//! Who may call a webhook: the credential of its trigger decides (`runtime.md 4.5`,
//! `builtin-components.md`).

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::components::fields::{self, Fields};
use super::plan::Step;
use crate::app::component_runtime::WebhookCall;
use crate::domain::text::hex;
use crate::domain::{Error, Kind, Result};

/// The header of a signature where the credential names none (`settled.md`).
const SIGNATURE_HEADER: &str = "x-eio-signature";

/// Lets a call in, or refuses it without saying what was wrong.
pub(super) fn admit(step: &Step, call: &WebhookCall) -> Result<()> {
    let admitted = match fields::object(&step.cfg, "auth") {
        // A credential that can't be used any more must not leave the door open either.
        _ if step.lacks_credential => false,
        Ok(None) => true,
        Ok(Some(auth)) => match fields::text(&auth, "type") {
            None | Some("NO_AUTH" | "No Auth") => true,
            Some("BASIC") => is_basic(&auth, call),
            Some("API_KEY") => has_key(&auth, call),
            Some("HMAC") => is_signed(&auth, call),
            Some(_) => false,
        },
        // What can't be read must not leave the door open.
        Err(_) => false,
    };
    if admitted {
        Ok(())
    } else {
        Err(Error::new(
            Kind::Unauthenticated,
            "the credentials of this webhook are missing or wrong",
        ))
    }
}

/// Returns a text of a part of the credential, such as `basic.username`.
fn text<'a>(auth: &'a Fields, part: &str, name: &str) -> Option<&'a str> {
    fields::text(auth.get(part)?.as_object()?, name)
}

/// Compares two texts without telling by the time where they differ.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Checks user and password.
fn is_basic(auth: &Fields, call: &WebhookCall) -> bool {
    let Some((user, password)) = &call.basic else {
        return false;
    };
    let (Some(wanted_user), Some(wanted_password)) = (
        text(auth, "basic", "username"),
        text(auth, "basic", "password"),
    ) else {
        return false;
    };
    // Both are compared, whatever the first says.
    same(user, wanted_user) & same(password.expose(), wanted_password)
}

/// Checks a key in a header.
fn has_key(auth: &Fields, call: &WebhookCall) -> bool {
    let (Some(name), Some(value)) = (
        text(auth, "apiKey", "headerName"),
        text(auth, "apiKey", "headerValue"),
    ) else {
        return false;
    };
    call.header(name).is_some_and(|sent| same(sent, value))
}

/// Checks the signature of the body: hex, SHA-256 or SHA-512 (`settled.md`).
fn is_signed(auth: &Fields, call: &WebhookCall) -> bool {
    let Some(secret) = text(auth, "hmac", "secret") else {
        return false;
    };
    let header = text(auth, "hmac", "headerName").unwrap_or(SIGNATURE_HEADER);
    let Some(sent) = call.header(header).map(str::trim) else {
        return false;
    };
    let sent = sent.to_ascii_lowercase();
    let algorithm = text(auth, "hmac", "algorithm").map(str::to_ascii_lowercase);
    // A name before the digits says which of the two they are.
    let (named, sent) = match sent.split_once('=') {
        Some((name, digits)) => (Some(name), digits),
        None => (None, sent.as_str()),
    };
    let may_be = |name: &str| {
        let is_wanted = algorithm.as_deref().is_none_or(|it| it == name);
        is_wanted && named.is_none_or(|it| it == name)
    };
    let short = may_be("sha256") && same(sent, &signature::<Hmac<Sha256>>(secret, &call.body));
    let long = may_be("sha512") && same(sent, &signature::<Hmac<Sha512>>(secret, &call.body));
    short | long
}

/// Returns the HMAC of a body as hex; a key may have any length, so it always has one.
fn signature<M: Mac + KeyInit>(secret: &str, body: &[u8]) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes())
        .expect("an HMAC takes a key of any length");
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}
