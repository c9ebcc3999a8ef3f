//! The table of settings as the README shows it.

use std::fmt::Write as _;

use super::table::{Form, SETTINGS};

/// Returns every setting as a Markdown table: key, variable, values, default, meaning.
pub fn reference() -> String {
    let mut text =
        String::from("| setting | variable | value | default | |\n|---|---|---|---|---|\n");
    for setting in SETTINGS {
        let default = match setting.default {
            None => "not set".to_owned(),
            Some("") => "empty".to_owned(),
            Some(value) => format!("`{value}`"),
        };
        writeln!(
            text,
            "| `{}` | `{}` | {} | {default} | {} |",
            setting.key,
            setting.variable(),
            values_of(setting.form),
            setting.about
        )
        .expect("a String takes what is written");
    }
    text
}

/// Says which values a form allows.
fn values_of(form: Form) -> String {
    match form {
        Form::Path => "a path".to_owned(),
        Form::Text => "a text".to_owned(),
        Form::Flag => "`true`, `false`".to_owned(),
        Form::Number { min, max } => format!("{min} to {max}"),
        Form::Choice(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Form::List => "a list".to_owned(),
    }
}
