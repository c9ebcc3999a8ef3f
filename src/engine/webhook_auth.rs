//! Who may call a webhook: the credential of its trigger decides (`runtime.md 4.5`,
//! `builtin-components.md`).

use hmac::{Hmac, Mac};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::app::component_runtime::WebhookCall;
use crate::domain::{Error, Kind, Result};

/// The header of a signature where the credential names none (`settled.md`).
const SIGNATURE_HEADER: &str = "x-eio-signature";

/// Lets a call in, or refuses it without saying what was wrong.
pub(super) fn admit(cfg: &Map<String, Value>, call: &WebhookCall) -> Result<()> {
    let auth = cfg.get("auth").map(as_object).unwrap_or_default();
    let kind = auth
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("NO_AUTH");
    let admitted = match kind {
        "NO_AUTH" | "No Auth" | "" => true,
        "BASIC" => is_basic(member(&auth, "basic"), call),
        "API_KEY" => has_key(member(&auth, "apiKey"), call),
        "HMAC" => is_signed(member(&auth, "hmac"), call),
        _ => false,
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

/// Returns the object, which clients also send as JSON text.
fn as_object(value: &Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map.clone(),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        },
        _ => Map::new(),
    }
}

/// Returns a member that is an object.
fn member<'a>(auth: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    auth.get(name).and_then(Value::as_object)
}

/// Returns a member that is a text with something in it.
fn text<'a>(of: Option<&'a Map<String, Value>>, name: &str) -> Option<&'a str> {
    of?.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Compares two texts without telling by the time where they differ.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Checks user and password.
fn is_basic(wanted: Option<&Map<String, Value>>, call: &WebhookCall) -> bool {
    let Some((user, password)) = &call.basic else {
        return false;
    };
    let (Some(wanted_user), Some(wanted_password)) =
        (text(wanted, "username"), text(wanted, "password"))
    else {
        return false;
    };
    // Both are compared, whatever the first says.
    same(user, wanted_user) & same(password.expose(), wanted_password)
}

/// Checks a key in a header.
fn has_key(wanted: Option<&Map<String, Value>>, call: &WebhookCall) -> bool {
    let (Some(name), Some(value)) = (text(wanted, "headerName"), text(wanted, "headerValue"))
    else {
        return false;
    };
    call.header(name).is_some_and(|sent| same(sent, value))
}

/// Checks the signature of the body: hex, SHA-256 or SHA-512 (`settled.md`).
fn is_signed(wanted: Option<&Map<String, Value>>, call: &WebhookCall) -> bool {
    let Some(secret) = text(wanted, "secret") else {
        return false;
    };
    let header = text(wanted, "headerName").unwrap_or(SIGNATURE_HEADER);
    let Some(sent) = call.header(header).map(str::trim) else {
        return false;
    };
    let sent = sent.to_ascii_lowercase();
    let algorithm = text(wanted, "algorithm").map(str::to_ascii_lowercase);
    let may_be = |name: &str| algorithm.as_deref().is_none_or(|it| it == name);
    let sent = sent
        .strip_prefix("sha256=")
        .or_else(|| sent.strip_prefix("sha512="))
        .unwrap_or(&sent);
    let short = may_be("sha256") && same(sent, &hex_256(secret, &call.body));
    let long = may_be("sha512") && same(sent, &hex_512(secret, &call.body));
    short | long
}

/// Returns the HMAC-SHA-256 of a body as hex.
fn hex_256(secret: &str, body: &[u8]) -> String {
    Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(body);
            hex(&mac.finalize().into_bytes())
        },
    )
}

/// Returns the HMAC-SHA-512 of a body as hex.
fn hex_512(secret: &str, body: &[u8]) -> String {
    Hmac::<Sha512>::new_from_slice(secret.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(body);
            hex(&mac.finalize().into_bytes())
        },
    )
}

/// Writes bytes as hex digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
