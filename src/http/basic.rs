//! Basic credentials (RFC 7617).

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Some clients leave the padding out; nothing else is forgiven.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A name and a password as a client sent them; neither is checked against anything yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// What stands before the first colon.
    pub user: String,
    /// What stands after it, further colons included; empty without one.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// Reads the value of an `Authorization` header.
///
/// Returns `None` for another scheme, broken Base64, text that is not UTF-8, and control characters.
#[must_use]
pub fn credentials(authorization: &str) -> Option<Credentials> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(FORGIVING.decode(encoded.trim_matches(' ')).ok()?).ok()?;
    if decoded.chars().any(char::is_control) {
        return None;
    }
    let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
    Some(Credentials {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> Option<(String, String)> {
        let plain = base64::engine::general_purpose::STANDARD.encode(text);
        credentials(&format!("Basic {plain}")).map(|found| (found.user, found.password))
    }

    #[test]
    fn the_first_colon_splits_and_none_means_no_password() {
        let expect = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(pair("a@b.c:k:e:y"), expect("a@b.c", "k:e:y"));
        assert_eq!(pair("key"), expect("key", ""));
        assert_eq!(pair(":"), expect("", ""));
        assert_eq!(pair(""), expect("", ""));
        assert_eq!(pair("ä:ß"), expect("ä", "ß"));
        assert_eq!(pair("a:b\0"), None);
        assert_eq!(pair("a\n:b"), None);
    }

    #[test]
    fn other_schemes_and_broken_text_are_nothing() {
        assert!(credentials("bAsIc  YTpi ").is_some());
        assert!(
            credentials("Basic YTo").is_some(),
            "missing padding is forgiven"
        );
        for value in [
            "",
            "Basic",
            "YTpi",
            "Bearer YTpi",
            "Basic Y*pi",
            "Basic YTpi YTpi",
            "Basic /w==",
            "Basic _-==",
        ] {
            assert_eq!(credentials(value), None, "{value:?}");
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        assert_eq!(
            format!("{:?}", credentials("Basic YTpi")),
            "Some(Credentials)"
        );
    }
}
