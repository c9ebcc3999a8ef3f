//! The credential of an HTTP step as a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::domain::run::Failure;
use crate::engine::components::fields::{self, Fields};

/// Returns the header that a credential adds; none without one.
pub(super) fn of(cfg: &Fields) -> Result<Option<(String, String)>, Failure> {
    let Some(auth) = fields::object(cfg, "auth")? else {
        return Ok(None);
    };
    let member = |part: &str, name: &str| {
        let part = auth.get(part).and_then(Value::as_object);
        part.and_then(|part| fields::text(part, name))
            .unwrap_or_default()
            .to_owned()
    };
    match fields::text(&auth, "type") {
        None | Some("No Auth") => Ok(None),
        Some("Basic Auth") => {
            let needed = [("basic", "username"), ("basic", "password")];
            fields::require_members(&auth, "auth", &needed)?;
            let pair = format!(
                "{}:{}",
                member("basic", "username"),
                member("basic", "password")
            );
            let value = format!("Basic {}", STANDARD.encode(pair));
            Ok(Some(("Authorization".to_owned(), value)))
        }
        Some("API Key Auth") => {
            let needed = [("apiKey", "headerName"), ("apiKey", "headerValue")];
            fields::require_members(&auth, "auth", &needed)?;
            Ok(Some((
                member("apiKey", "headerName"),
                member("apiKey", "headerValue"),
            )))
        }
        Some("OAuth2") => {
            let keys = auth.get("oauth2").and_then(|oauth2| oauth2.get("keys"));
            let token = keys
                .and_then(Value::as_object)
                .and_then(|keys| fields::text(keys, "access_token"));
            let token =
                token.ok_or_else(|| Failure::new("`auth.oauth2.keys.access_token` is required"))?;
            let value = format!("Bearer {token}");
            Ok(Some(("Authorization".to_owned(), value)))
        }
        Some(_) => Err(Failure::new(
            "`auth.type` must be No Auth, Basic Auth, API Key Auth or OAuth2",
        )),
    }
}
