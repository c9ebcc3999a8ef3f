//! Which version of the API a path belongs to, and the media types that it speaks
//! (`v1.md 1.3, 1.4`, `v2.md 2.1`).

use crate::http::media::{self, MediaType};

/// The media type of JSON answers.
pub const JSON: &str = "application/json; charset=utf-8";

/// The media type of JSON:API, for clients that ask for it by name.
pub const JSON_API: &str = "application/vnd.api+json";

/// The parameters that JSON:API allows on its media type.
const JSON_API_PARAMETERS: [&str; 2] = ["ext", "profile"];

/// A version of the API. Paths outside both are answered in the shape of v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// API v1, and operations.
    V1,
    /// API v2.
    V2,
}

impl Version {
    /// Returns the version of a path by its first segment.
    pub fn of_segment(first: Option<&str>) -> Self {
        match first {
            Some("v2") => Self::V2,
            _ => Self::V1,
        }
    }

    /// Returns the version of a raw target, which may be malformed.
    pub fn of_target(target: Option<&str>) -> Self {
        let path = target.and_then(|target| target.split(['?', '#']).next());
        Self::of_segment(path.and_then(|path| path.split('/').nth(1)))
    }

    /// Returns the media type of a JSON answer, and whether the client accepts one.
    pub fn answer_type(self, accept: Option<&str>) -> (&'static str, bool) {
        if self == Self::V1 {
            return (JSON, media::accepts(accept, &["application/json"]));
        }
        let names: Vec<bool> = media::parameters_of(accept, JSON_API)
            .iter()
            .map(|names| are_known(names))
            .collect();
        if names.is_empty() {
            return (JSON, media::accepts(accept, &["application/json"]));
        }
        // Every one with a parameter that nobody knows is a refusal, whatever else is
        // accepted: JSON:API wants it so.
        (JSON_API, names.contains(&true))
    }
}

/// Why a body of this media type is not read by v2; none where it is.
pub fn refused_type(content_type: Option<&str>, has_body: bool) -> Option<&'static str> {
    let content_type = content_type?;
    let Some(parsed) = MediaType::parse(content_type) else {
        return has_body.then_some("the Content-Type is malformed");
    };
    if parsed.is(JSON_API) {
        let names: Vec<String> = parsed
            .parameters
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        return (!are_known(&names))
            .then_some("application/vnd.api+json has no parameters but ext and profile");
    }
    let is_read = parsed.subtype.ends_with("+json")
        || [
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain",
        ]
        .iter()
        .any(|read| parsed.is(read));
    (has_body && !is_read).then_some("send application/json or application/vnd.api+json")
}

/// Tells whether all parameters are ones that JSON:API allows.
fn are_known(names: &[String]) -> bool {
    names
        .iter()
        .all(|name| JSON_API_PARAMETERS.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_the_type_that_was_asked_for() {
        for (accept, expected) in [
            (None, (JSON, true)),
            (Some("*/*"), (JSON, true)),
            (Some("application/json"), (JSON, true)),
            (Some("application/vnd.api+json"), (JSON_API, true)),
            (
                Some("application/json, application/vnd.api+json"),
                (JSON_API, true),
            ),
            (
                Some("application/vnd.api+json; profile=\"a\";q=0.5"),
                (JSON_API, true),
            ),
            (Some("application/vnd.api+json;q=0, */*"), (JSON, true)),
            (Some("application/vnd.api+json; v=1"), (JSON_API, false)),
            (
                Some("application/vnd.api+json; v=1, */*"),
                (JSON_API, false),
            ),
            (
                Some("application/vnd.api+json; v=1, application/vnd.api+json"),
                (JSON_API, true),
            ),
            (Some("text/xml"), (JSON, false)),
        ] {
            assert_eq!(Version::V2.answer_type(accept), expected, "{accept:?}");
        }
        let v1 = Version::V1.answer_type(Some("application/vnd.api+json"));
        assert_eq!(v1, (JSON, false));
    }

    #[test]
    fn bodies_are_refused_by_their_type() {
        for (content_type, has_body, is_refused) in [
            (None, true, false),
            (Some("application/json"), true, false),
            (Some("application/vnd.api+json"), true, false),
            (Some("application/vnd.api+json; ext=\"x\""), true, false),
            (Some("application/vnd.api+json; charset=utf-8"), false, true),
            (Some("application/json; charset=utf-8"), true, false),
            (Some("text/xml"), true, true),
            (Some("text/xml"), false, false),
            (Some("multipart/form-data; boundary=x"), true, true),
            (Some("nonsense"), true, true),
        ] {
            let refused = refused_type(content_type, has_body).is_some();
            assert_eq!(refused, is_refused, "{content_type:?} {has_body}");
        }
    }

    #[test]
    fn a_target_tells_its_version() {
        for target in ["/v2", "/v2/", "/v2?a", "/v2/users/%zz"] {
            assert_eq!(Version::of_target(Some(target)), Version::V2, "{target}");
        }
        for target in ["/v1/users", "/v22", "v2", "/", "*"] {
            assert_eq!(Version::of_target(Some(target)), Version::V1, "{target}");
        }
        assert_eq!(Version::of_target(None), Version::V1);
    }
}
