//! Templates: texts with `{{path}}`, `{{EIO_toFixed path digits}}` and blocks.

use serde_json::Value;

use super::blocks::Blocks;
use super::path::{Found, Indexes, Path, float_text, text_of};
use crate::domain::expression::EvaluationError;

/// The longest template, in bytes.
const TEMPLATE_MAX_BYTES: usize = 64 * 1024;

/// From here on JavaScript's `toFixed` writes a number as it is.
const FIXED_BELOW: f64 = 1e21;

/// The most digits that JavaScript's `toFixed` accepts.
const DIGITS_MAX: usize = 100;

/// A template that was read.
#[derive(Clone, Debug)]
pub(super) enum Template {
    /// Parts one after the other.
    Parts(Vec<Part>),
    /// Anything with blocks.
    Blocks(Blocks),
}

/// A part of a plain template.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Path(Path),
    Fixed { value: Path, digits: Digits },
}

/// How many digits follow the point.
#[derive(Clone, Debug)]
pub(super) enum Digits {
    Number(usize),
    Path(Path),
}

impl Template {
    /// Reads a template; the error is half a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEMPLATE_MAX_BYTES {
            return Err(format!("must have at most {TEMPLATE_MAX_BYTES} bytes"));
        }
        match plain_parts(text) {
            Some(parts) => Ok(Self::Parts(parts)),
            None => Blocks::parse(text).map(Self::Blocks),
        }
    }

    /// Returns the paths whose arrays split the message, and whether an array at the end
    /// of one is whole.
    pub(super) fn paths(&self) -> Vec<(&Path, bool)> {
        match self {
            Self::Parts(parts) => {
                let paths = parts.iter().flat_map(Part::paths);
                paths.map(|path| (path, false)).collect()
            }
            Self::Blocks(blocks) => blocks.splitting_paths(),
        }
    }

    /// Renders the template with one element of each array.
    pub(super) fn render(
        &self,
        body: &Value,
        indexes: &Indexes,
    ) -> Result<String, EvaluationError> {
        let parts = match self {
            Self::Parts(parts) => parts,
            Self::Blocks(blocks) => return blocks.render(body, indexes),
        };
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Path(path) => text.push_str(&found_text(path, body, indexes)),
                Part::Fixed { value, digits } => {
                    let digits = match digits {
                        Digits::Number(digits) => *digits,
                        Digits::Path(path) => found_text(path, body, indexes).parse().unwrap_or(0),
                    };
                    text.push_str(&fixed(&found_text(value, body, indexes), digits));
                }
            }
        }
        Ok(text)
    }
}

impl Part {
    /// Returns the paths of the part.
    fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Path(path) => vec![path],
            Self::Fixed {
                value,
                digits: Digits::Path(digits),
            } => vec![value, digits],
            Self::Fixed { value, .. } => vec![value],
        }
    }
}

/// Returns what stands at a path as a text; nothing for a missing path.
fn found_text(path: &Path, body: &Value, indexes: &Indexes) -> String {
    match path.find(body, indexes) {
        Found::Value(value) => text_of(value),
        Found::Nothing | Found::Array(..) => String::new(),
    }
}

/// Writes a number with so many digits; what is no number stays as it is.
pub(super) fn fixed(text: &str, digits: usize) -> String {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number.abs() >= FIXED_BELOW => float_text(number),
        Ok(number) if number.is_finite() => {
            let digits = digits.min(DIGITS_MAX);
            let written = rounded(number, digits);
            // JavaScript writes no minus before nothing but zeros of an exact zero.
            if number == 0.0 {
                written.trim_start_matches('-').to_owned()
            } else {
                written
            }
        }
        _ => text.to_owned(),
    }
}

/// Writes a number with so many digits. What lies exactly between two of them goes away
/// from zero, as in JavaScript; Rust takes the even one. The exact binary value decides:
/// 1.005 is less than it looks.
fn rounded(number: f64, digits: usize) -> String {
    // Twice the last digit's reciprocal times the number is odd for a tie; only a number
    // with just one binary place more than decimal digits can be one.
    let places = i32::try_from(digits).unwrap_or(i32::MAX).saturating_add(1);
    let is_tie = (number.abs() * 2_f64.powi(places)) % 2.0 - 1.0 == 0.0;
    if !is_tie {
        return format!("{number:.digits$}");
    }
    let longer = digits + 1;
    let mut text = format!("{number:.longer$}").into_bytes();
    text.pop();
    if text.last() == Some(&b'.') {
        text.pop();
    }
    let mut carries = true;
    for byte in text.iter_mut().rev().filter(|byte| byte.is_ascii_digit()) {
        carries = *byte == b'9';
        *byte = if carries { b'0' } else { *byte + 1 };
        if !carries {
            break;
        }
    }
    if carries {
        text.insert(usize::from(number < 0.0), b'1');
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads a template without blocks; `None` where there is more in it.
fn plain_parts(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        if start > 0 {
            if rest[..start].ends_with('\\') {
                return None;
            }
            parts.push(Part::Text(rest[..start].to_owned()));
        }
        let (close, skip) = if rest[start..].starts_with("{{{") {
            ("}}}", 3)
        } else {
            ("}}", 2)
        };
        let inner_start = start + skip;
        let end = rest[inner_start..].find(close)? + inner_start;
        parts.push(part_of(rest[inner_start..end].trim())?);
        rest = &rest[end + close.len()..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(parts)
}

/// Reads what stands between the braces.
fn part_of(inner: &str) -> Option<Part> {
    if inner == "else" {
        return None;
    }
    let Some(args) = inner.strip_prefix("EIO_toFixed ") else {
        return Path::parse(inner).map(Part::Path);
    };
    let mut args = args.split_whitespace();
    let value = Path::parse(args.next()?)?;
    let digits = match args.next() {
        None => Digits::Number(0),
        Some(word) => match word.trim_matches(['"', '\'']).parse() {
            Ok(digits) => Digits::Number(digits),
            Err(_) => Digits::Path(Path::parse(word)?),
        },
    };
    args.next()
        .is_none()
        .then_some(Part::Fixed { value, digits })
}
