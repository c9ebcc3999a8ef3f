//! Request targets: path, query and host, decoded once.

use super::framing::is_host;
use super::percent::decode_into;
use super::refusal::Refusal;

const MALFORMED: Refusal = Refusal::new(400, "The request target must be a path.");
const BAD_PATH: Refusal = Refusal::new(400, "The path holds a malformed or forbidden character.");
const DOTS: Refusal = Refusal::new(400, "The path must not hold . or .. as a segment.");
const BAD_QUERY: Refusal = Refusal::new(400, "The query holds a malformed or forbidden character.");
const LONG_QUERY: Refusal = Refusal::new(400, "The query has too many parameters.");

/// A path, decoded segment by segment, so that an encoded slash stays inside its segment.
///
/// One final slash is not a segment: `/a/b` and `/a/b/` are the same path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    raw: String,
    text: String,
    ends: Vec<usize>,
}

impl Path {
    /// Parses a raw path that begins with a slash.
    ///
    /// # Errors
    ///
    /// Returns a refusal with 400 for a malformed `%`, control characters (NUL too), text that is
    /// not UTF-8, and the segments `.` and `..`.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let inner = raw.strip_prefix('/').ok_or(MALFORMED)?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let mut path = Self {
            raw: raw.to_owned(),
            ..Self::default()
        };
        if inner.is_empty() && raw == "/" {
            return Ok(path);
        }
        for segment in inner.split('/') {
            let start = path.text.len();
            if !decode_into(&mut path.text, segment, false) {
                return Err(BAD_PATH);
            }
            let decoded = &path.text[start..];
            if decoded.chars().any(char::is_control) {
                return Err(BAD_PATH);
            }
            if decoded == "." || decoded == ".." {
                return Err(DOTS);
            }
            path.ends.push(path.text.len());
        }
        Ok(path)
    }

    /// Returns the path as it was sent, still encoded.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Iterates over the decoded segments; `/` has none.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|index| self.segment(index))
    }

    /// Returns one decoded segment, counted from zero.
    #[must_use]
    pub fn segment(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// Returns the number of segments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Says whether the path is `/`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// A request target, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The path; for `OPTIONS *` the empty one.
    pub path: Path,
    /// The raw query, without its question mark.
    pub raw_query: Option<String>,
    /// The decoded pairs of the query, in their order; a name without `=` has an empty value.
    pub query: Vec<(String, String)>,
    /// The host of an absolute target; it overrides the Host header (RFC 9112 3.2.2).
    pub host: Option<String>,
}

impl Target {
    /// Takes a raw target apart.
    ///
    /// # Errors
    ///
    /// Returns a refusal with 400 for everything but a path, an absolute `http` or `https` URI, or
    /// `*` with OPTIONS, and for what [`Path::parse`] and the decoding of the query refuse.
    pub fn parse(method: &str, raw: &str, query_pairs: usize) -> Result<Self, Refusal> {
        if raw == "*" {
            return if method == "OPTIONS" {
                Ok(Self::default())
            } else {
                Err(MALFORMED)
            };
        }
        if raw.contains('#') {
            return Err(MALFORMED);
        }
        let (host, rest) = if raw.starts_with('/') {
            (None, raw)
        } else {
            split_absolute(raw)?
        };
        let (path, raw_query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Ok(Self {
            path: Path::parse(if path.is_empty() { "/" } else { path })?,
            query: raw_query.map_or(Ok(Vec::new()), |query| pairs(query, query_pairs))?,
            raw_query: raw_query.map(str::to_owned),
            host,
        })
    }
}

fn split_absolute(raw: &str) -> Result<(Option<String>, &str), Refusal> {
    let (scheme, rest) = raw.split_once("://").ok_or(MALFORMED)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(MALFORMED);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(end);
    if host.is_empty() || !is_host(host) {
        return Err(MALFORMED);
    }
    Ok((Some(host.to_owned()), rest))
}

fn pairs(query: &str, most: usize) -> Result<Vec<(String, String)>, Refusal> {
    let mut found = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if found.len() == most {
            return Err(LONG_QUERY);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut decoded = (String::new(), String::new());
        let fine =
            decode_into(&mut decoded.0, name, true) && decode_into(&mut decoded.1, value, true);
        if !fine || decoded.0.contains('\0') || decoded.1.contains('\0') {
            return Err(BAD_QUERY);
        }
        found.push(decoded);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(raw: &str) -> Vec<String> {
        Path::parse(raw)
            .unwrap()
            .segments()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn an_encoded_slash_stays_in_its_segment_and_nothing_is_decoded_twice() {
        assert_eq!(segments("/a/b%2Fc/"), ["a", "b/c"]);
        assert_eq!(segments("/%2541"), ["%41"]);
        assert_eq!(segments("/a+b/%C3%A4"), ["a+b", "ä"]);
        assert_eq!(segments("/"), Vec::<String>::new());
        assert_eq!(segments("/a//b"), ["a", "", "b"]);
        assert_eq!(segments("//"), [""]);
    }

    #[test]
    fn hostile_paths_are_refused() {
        for raw in [
            "/%",
            "/%4",
            "/%zz",
            "/%00",
            "/a%0d%0ab",
            "/%7f",
            "/%C2%85",
            "/%ff",
            "/..",
            "/a/../b",
            "/%2e%2e/x",
            "/.",
            "/a/%2E",
            "",
            "a",
            "/%+1",
        ] {
            assert_eq!(Path::parse(raw).map_err(|r| r.status), Err(400), "{raw}");
        }
    }

    #[test]
    fn targets_come_in_three_forms() {
        let absolute = Target::parse("GET", "http://h.example:80/a?b=c+d%26&e&&=f", 64).unwrap();
        assert_eq!(absolute.host.as_deref(), Some("h.example:80"));
        assert_eq!(absolute.path.raw(), "/a");
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            absolute.query,
            [pair("b", "c d&"), pair("e", ""), pair("", "f")]
        );
        assert_eq!(
            Target::parse("GET", "https://h?x", 64).unwrap().path.raw(),
            "/"
        );
        assert!(Target::parse("OPTIONS", "*", 64).unwrap().path.is_empty());
        for raw in [
            "*",
            "h:80",
            "ftp://h/",
            "http:///a",
            "http://u@h/",
            "/a#b",
            "/?a=%zz",
            "/?%00",
        ] {
            assert_eq!(
                Target::parse("GET", raw, 64).map_err(|r| r.status),
                Err(400),
                "{raw}"
            );
        }
        assert!(Target::parse("GET", "/?a&b", 2).is_ok());
        assert_eq!(Target::parse("GET", "/?a&b&c", 2), Err(LONG_QUERY));
    }
}
