//! The settings file: TOML, one level, a key a setting.

use std::fs;
use std::io::Read;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::table::{Form, SETTINGS, meant, position};
use super::{Given, Source};
use crate::domain::{Error, Kind, Result};

/// The largest settings file; a wrong path must not be read whole.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Reads the file at `path`: places in the table with what the file gives for them.
pub(super) fn read(path: &Path) -> Result<Vec<(usize, Given)>> {
    let text = read_text(path)?;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        fault(path, line, error.message())
    })?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(&text, key.span().start);
        let key = key.get_ref().as_ref();
        let Some(at) = position(key) else {
            return Err(unknown(path, line, key));
        };
        let written = text_of(value.get_ref(), SETTINGS[at].form)
            .map_err(|shape| fault(path, line, &format!("`{key}` must be {shape}")))?;
        let written = match SETTINGS[at].form {
            // A path in a file must not depend on where a command is run.
            Form::Path => directory.join(written).to_string_lossy().into_owned(),
            _ => written,
        };
        found.push((
            at,
            Given {
                text: written,
                source: Source::File(path.to_owned(), line),
            },
        ));
    }
    Ok(found)
}

/// Reads the file as text, within bounds.
fn read_text(path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| {
        let told = format!(
            "the settings file {} can't be read: {}",
            path.display(),
            error.kind()
        );
        Error::new(Kind::Invalid, told).caused_by(error)
    };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let told = format!("{} is too large for a settings file", path.display());
        return Err(Error::new(Kind::Invalid, told));
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Invalid, format!("{} is not UTF-8", path.display())))
}

/// Returns a value as flags and variables write it, or says what it must be.
fn text_of(value: &DeValue<'_>, form: Form) -> Result<String, &'static str> {
    match (form, value) {
        (Form::Flag, DeValue::Boolean(is_on)) => Ok(is_on.to_string()),
        (Form::Flag, _) => Err("true or false"),
        (Form::Number { .. }, DeValue::Integer(number)) if number.radix() == 10 => {
            Ok(number.as_str().replace('_', ""))
        }
        (Form::Number { .. }, _) => Err("a whole number"),
        (Form::List, DeValue::Array(list)) => {
            let texts: Option<Vec<&str>> = list
                .iter()
                .map(|entry| match entry.get_ref() {
                    DeValue::String(text) => Some(text.as_ref()),
                    _ => None,
                })
                .collect();
            texts
                .map(|texts| texts.join(","))
                .ok_or("a list of texts in quotes")
        }
        (Form::List, _) => Err("a list, such as [\"…\", \"…\"]"),
        (_, DeValue::String(text)) => Ok(text.as_ref().to_owned()),
        (_, _) => Err("a text in quotes"),
    }
}

/// Makes the error about a key that is no setting.
fn unknown(path: &Path, line: usize, key: &str) -> Error {
    let told = match meant(key, SETTINGS.iter().map(|setting| setting.key)) {
        Some(likely) => format!("unknown setting `{key}`: did you mean `{likely}`?"),
        None => format!("unknown setting `{key}`"),
    };
    fault(path, line, &told)
}

/// Makes an error about a line of the file.
fn fault(path: &Path, line: usize, told: &str) -> Error {
    // A parser's message may have several lines; an error has one.
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    Error::new(
        Kind::Invalid,
        format!("{} line {line}: {told}", path.display()),
    )
}

/// Returns the line, counted from 1, of a place in a text.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or_default().matches('\n').count()
}
