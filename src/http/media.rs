//! Media types: what a client accepts, and what it sends.

/// Splits at a separator, but not inside quoted strings.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        let escape = quoted && !escaped && character == '\\';
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = escape;
        character == separator && !quoted
    })
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(super::head::is_token)
}

/// A media type as `Content-Type` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// The type, in lower case: `application`.
    pub kind: String,
    /// The subtype, in lower case: `vnd.api+json`.
    pub subtype: String,
    /// The parameters in their order: names in lower case, values without quotes.
    pub parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Parses a media type; returns `None` if it's malformed or a parameter occurs twice.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = split_unquoted(text, ';');
        let (kind, subtype) = parts.next()?.trim_matches([' ', '\t']).split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for part in parts
            .map(|part| part.trim_matches([' ', '\t']))
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part.split_once('=')?;
            let name = name.to_ascii_lowercase();
            if !is_token(&name) || parameters.iter().any(|(other, _)| *other == name) {
                return None;
            }
            parameters.push((name, unquote(value)?));
        }
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            parameters,
        })
    }

    /// Says whether this is the given type, written in lower case: `application/json`.
    #[must_use]
    pub fn is(&self, essence: &str) -> bool {
        essence.split_once('/') == Some((&self.kind, &self.subtype))
    }

    /// Returns a parameter's value; the name is given in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn unquote(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return is_token(value).then(|| value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next()?),
            '"' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

/// One element of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// From 0 to 1,000.
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split_unquoted(text, ';').map(|part| part.trim_matches([' ', '\t']));
        let (kind, subtype) = parts.next()?.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let mut weight = 1_000;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if name.eq_ignore_ascii_case("q") {
                weight = parse_weight(value)?;
            }
        }
        Some(Self {
            kind,
            subtype,
            weight,
        })
    }

    /// How exactly the range names a type: 2 wholly, 1 by its kind, 0 by `*/*`.
    fn fits(&self, kind: &str, subtype: &str) -> Option<u8> {
        if self.kind == "*" {
            Some(0)
        } else if !self.kind.eq_ignore_ascii_case(kind) {
            None
        } else if self.subtype == "*" {
            Some(1)
        } else {
            self.subtype.eq_ignore_ascii_case(subtype).then_some(2)
        }
    }
}

/// A weight of RFC 9110 12.4.2: 0 to 1 with three digits at most.
fn parse_weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || fraction.len() > 3 || !digits {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    let weight = if whole == "1" {
        1_000 + thousandths
    } else {
        thousandths
    };
    (weight <= 1_000).then_some(weight)
}

/// Returns the offered type that the client likes best, the earlier of equals; `None` if it refuses all.
///
/// Without a header, and with an empty one, everything is welcome. Malformed elements count as
/// absent; parameters other than `q` are ignored. Of several elements that fit a type the most
/// exact decides, so `*/*, text/html;q=0` refuses `text/html` alone.
#[must_use]
pub fn best<'o>(accept: Option<&str>, offered: &[&'o str]) -> Option<&'o str> {
    let accept = accept.unwrap_or("").trim_matches([' ', '\t']);
    if accept.is_empty() {
        return offered.first().copied();
    }
    let ranges: Vec<Range<'_>> = split_unquoted(accept, ',')
        .filter_map(Range::parse)
        .collect();
    let mut best: Option<(u16, &str)> = None;
    for &offer in offered {
        let (kind, subtype) = offer.split_once('/').unwrap_or((offer, ""));
        let subtype = subtype.split(';').next().unwrap_or("");
        let exact = ranges
            .iter()
            .filter_map(|range| Some((range.fits(kind, subtype)?, range.weight)))
            .max_by_key(|&(exactness, weight)| (exactness, weight));
        if let Some((_, weight)) = exact
            && weight > best.map_or(0, |(weight, _)| weight)
        {
            best = Some((weight, offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// Returns, for each element of an `Accept` header that names exactly this type and
/// wants it, the names of its parameters besides `q`, in lower case.
#[must_use]
pub fn parameters_of(accept: Option<&str>, essence: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for element in split_unquoted(accept.unwrap_or(""), ',') {
        let Some(range) = Range::parse(element) else {
            continue;
        };
        let (kind, subtype) = essence.split_once('/').unwrap_or((essence, ""));
        if range.fits(kind, subtype) != Some(2) || range.weight == 0 {
            continue;
        }
        let names = split_unquoted(element, ';').skip(1).map(|part| {
            let name = part.split_once('=').map_or(part, |(name, _)| name);
            name.trim_matches([' ', '\t']).to_ascii_lowercase()
        });
        found.push(
            names
                .filter(|name| !name.is_empty() && name != "q")
                .collect(),
        );
    }
    found
}

/// Says whether a client accepts any of the offered types.
#[must_use]
pub fn accepts(accept: Option<&str>, offered: &[&str]) -> bool {
    best(accept, offered).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_element_decides() {
        let json = ["application/json"];
        for accept in [
            None,
            Some(""),
            Some("*/*"),
            Some("application/*"),
            Some("Application/JSON"),
            Some("text/html, application/json;q=0.1"),
            Some("*/*;q=0, application/json"),
            Some("application/json; charset=\"a,b;q=0\""),
            Some("nonsense, */*"),
            Some("application/json;q=0, application/json"),
        ] {
            assert!(accepts(accept, &json), "{accept:?}");
        }
        for accept in [
            "text/html",
            "application/json;q=0",
            "*/*, application/json;q=0.000",
            "application/*;q=0, */*",
            "nonsense",
            "*/json",
            "application/json;q=2",
            "application/json;q=0.0001",
            "application/json;q=-1",
            ",",
        ] {
            assert!(!accepts(Some(accept), &json), "{accept:?}");
        }
    }

    #[test]
    fn weights_choose_and_order_breaks_ties() {
        let offered = ["application/json", "text/html; charset=utf-8"];
        assert_eq!(
            best(Some("text/html, */*;q=0.5"), &offered),
            Some(offered[1])
        );
        assert_eq!(best(Some("*/*"), &offered), Some(offered[0]));
        assert_eq!(best(Some("image/png"), &offered), None);
        assert_eq!(
            best(Some("text/*;q=1.000, application/json;q=0.999"), &offered),
            Some(offered[1])
        );
    }

    #[test]
    fn content_types_are_taken_apart() {
        let parsed =
            MediaType::parse("Multipart/Form-Data; Boundary=\"a;\\\"b\" ; charset=UTF-8;").unwrap();
        assert!(parsed.is("multipart/form-data"));
        assert_eq!(parsed.parameter("boundary"), Some("a;\"b"));
        assert_eq!(parsed.parameter("charset"), Some("UTF-8"));
        assert_eq!(parsed.parameter("other"), None);
        for text in [
            "",
            "json",
            "/json",
            "application/",
            "a b/c",
            "a/b; c",
            "a/b; c=",
            "a/b; c=\"d",
            "a/b; c=d; C=e",
            "a/b, c/d",
            "a/b; c=\"d\"e\"",
        ] {
            assert_eq!(MediaType::parse(text), None, "{text:?}");
        }
    }
}
