//! Filters of lists: words and `field:value`, all of which must fit.

use super::error::CliError;
use super::list::{Cell, Column};

/// What rows must have and must not have.
pub(super) struct Filter {
    terms: Vec<Term>,
}

/// One demand.
struct Term {
    is_negative: bool,
    /// The column by its key; any column where missing.
    field: Option<String>,
    /// What is looked for, in lower case.
    text: String,
}

impl Filter {
    /// Reads terms between blanks: `word`, `field:value`, `!word`.
    pub(super) fn parse(given: &[String], columns: &[Column]) -> Result<Self, CliError> {
        let terms = given
            .iter()
            .flat_map(|terms| terms.split_whitespace())
            .map(|term| Term::parse(term, columns))
            .collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Tells whether a row fits.
    pub(super) fn keeps(&self, columns: &[Column], cells: &[Cell]) -> bool {
        self.terms.iter().all(|term| {
            let found = columns.iter().zip(cells).any(|(column, cell)| {
                let is_asked = term.field.as_ref().is_none_or(|field| field == column.key);
                is_asked && term.fits(&cell.to_text())
            });
            found != term.is_negative
        })
    }
}

/// Returns the column that a field of a filter means: what a user's list calls its
/// state is the status of flows and of executions, and people type either.
fn known_as<'a>(field: &'a str, columns: &[Column]) -> &'a str {
    let has = |key: &str| columns.iter().any(|column| column.key == key);
    match field {
        "state" if !has("state") && has("status") => "status",
        "status" if !has("status") && has("state") => "state",
        other => other,
    }
}

impl Term {
    fn parse(term: &str, columns: &[Column]) -> Result<Self, CliError> {
        let (is_negative, rest) = match term.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, term),
        };
        let (field, text) = match rest.split_once(':') {
            // A time has a colon too, so what stands before one may be no field.
            Some((field, text)) if field.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                let field = known_as(field, columns);
                if !columns.iter().any(|column| column.key == field) {
                    let known: Vec<&str> = columns.iter().map(|column| column.key).collect();
                    return Err(CliError::usage(
                        format!("the list has no field `{field}`"),
                        format!("its fields are {}", known.join(", ")),
                    ));
                }
                (Some(field.to_owned()), text)
            }
            _ => (None, rest),
        };
        Ok(Self {
            is_negative,
            field,
            text: text.to_lowercase(),
        })
    }

    /// A named field must be it, or begin with it; otherwise the text must hold it.
    fn fits(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        match self.field {
            Some(_) => value.starts_with(&self.text),
            None => value.contains(&self.text),
        }
    }
}
