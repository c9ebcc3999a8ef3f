//! Media types as `Content-Type` names them, and what kind of body they announce.

/// What a body is, as far as the engine treats bodies differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// JSON of any dialect.
    Json,
    /// XML of any dialect.
    Xml,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// `text/plain`, which is read as JSON where it is some (`runtime.md 4.5`).
    PlainText,
    /// Other text, such as HTML.
    Text,
    /// Everything else: CSV and binary, which become attachments.
    Binary,
}

/// A header's value with parameters: `text/plain; charset=utf-8`, `form-data; name="a"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// What stands before the parameters, in lower case.
    pub essence: String,
    /// The parameters in their order: names in lower case, values without quotes.
    pub parameters: Vec<(String, String)>,
}

/// The longest value that is taken apart: a name of a file fits, a flood does not.
const VALUE_MAX_BYTES: usize = 4 * 1024;

impl MediaType {
    /// Takes a value apart; none where it is malformed or too long.
    ///
    /// In a quoted value `\"` and `\\` stand for the second sign. Another backslash is
    /// one: some clients send paths of files and escape nothing.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > VALUE_MAX_BYTES || text.chars().any(|c| c.is_control() && c != '\t') {
            return None;
        }
        let (essence, mut rest) = split_at_first(text, ';');
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(more) = rest {
            let more = more.trim_start();
            if more.is_empty() {
                break;
            }
            let (name, value) = more.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            if name.is_empty() || parameters.iter().any(|(other, _)| *other == name) {
                return None;
            }
            let (value, after) = parameter_value(value.trim_start())?;
            parameters.push((name, value));
            rest = after;
        }
        let essence = essence.trim().to_ascii_lowercase();
        (!essence.is_empty()).then_some(Self {
            essence,
            parameters,
        })
    }

    /// Returns a parameter's value; the name is given in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the charset that it names.
    pub fn charset(&self) -> Option<&str> {
        self.parameter("charset")
    }

    /// Returns what kind of body it announces.
    pub fn kind(&self) -> BodyKind {
        match self.essence.as_str() {
            "application/json" | "text/json" => BodyKind::Json,
            "application/xml" | "text/xml" => BodyKind::Xml,
            "application/x-www-form-urlencoded" => BodyKind::Form,
            "multipart/form-data" => BodyKind::Multipart,
            "text/plain" => BodyKind::PlainText,
            "text/csv" | "text/comma-separated-values" => BodyKind::Binary,
            other if other.ends_with("+json") => BodyKind::Json,
            // An SVG is a picture, though it is XML too.
            "image/svg+xml" => BodyKind::Binary,
            other if other.ends_with("+xml") => BodyKind::Xml,
            other if other.starts_with("text/") => BodyKind::Text,
            _ => BodyKind::Binary,
        }
    }
}

/// Splits before and behind the first separator.
fn split_at_first(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Reads a parameter's value, and returns it with what follows its semicolon.
fn parameter_value(text: &str) -> Option<(String, Option<&str>)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = split_at_first(text, ';');
        let value = value.trim_end();
        let bad = value.is_empty() || value.contains(['"', ' ', '\t']);
        return (!bad).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut signs = quoted.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => {
                let rest = quoted[at + 1..].trim_start();
                let rest = match rest.strip_prefix(';') {
                    Some(rest) => Some(rest),
                    None if rest.is_empty() => None,
                    None => return None,
                };
                return Some((value, rest));
            }
            '\\' => match signs.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    None
}
