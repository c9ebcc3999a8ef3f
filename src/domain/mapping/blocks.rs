//! Templates with blocks, rendered by the crate `handlebars`.
//!
//! The crate knows neither `[*]` nor splitting. So every path of the outermost level
//! becomes a variable of its own before the crate sees the template, and its value is
//! found here. What stands inside `#each` and `#with` is relative to their element and
//! stays as it is.

use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason, no_escape,
};
use serde_json::{Map, Value};

use super::path::{Found, Indexes, Path, number_text, text_of};
use super::refusal;
use super::template::fixed;
use crate::domain::expression::{EvaluationError, RESULT_MAX_BYTES};

/// The deepest blocks: the crate's parser and renderer recurse.
const NESTING_MAX: usize = 16;

/// The name of the one template of a registry.
const NAME: &str = "template";

/// A template with blocks.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    registry: Arc<Handlebars<'static>>,
    variables: Vec<Variable>,
}

/// A path of the outermost level.
#[derive(Clone, Debug)]
struct Variable {
    path: Path,
    subject: Subject,
}

/// How arrays on the path of a variable are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// It is written: every array splits.
    Text,
    /// It is what `#if` or `#unless` asks for: the array at its end is whole, since an
    /// empty one is false; arrays before the end split.
    Condition,
    /// It is what `#each` or `#with` goes over: no array splits.
    Whole,
}

impl Variable {
    /// Follows the path.
    fn find<'a>(&self, body: &'a Value, indexes: &Indexes) -> Found<'a> {
        match self.subject {
            Subject::Text => self.path.find(body, indexes),
            Subject::Condition | Subject::Whole => self.path.find_whole(body, indexes),
        }
    }
}

impl Blocks {
    /// Reads a template; the error is half a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::default();
        let rewritten = reader.rewrite(text)?;
        let mut registry = Handlebars::new();
        registry.register_escape_fn(no_escape);
        registry.register_helper("EIO_toFixed", Box::new(to_fixed));
        // The log of the process is nothing for templates.
        registry.unregister_helper("log");
        registry
            .register_template_string(NAME, rewritten)
            .map_err(|error| format!("is no template: {}", error.reason()))?;
        Ok(Self {
            registry: Arc::new(registry),
            variables: reader.variables,
        })
    }

    /// Returns the paths whose arrays split the message, and whether an array at the end
    /// of one is whole.
    pub(super) fn splitting_paths(&self) -> Vec<(&Path, bool)> {
        self.variables
            .iter()
            .filter(|variable| variable.subject != Subject::Whole)
            .map(|variable| (&variable.path, variable.subject == Subject::Condition))
            .collect()
    }

    /// Renders the template.
    pub(super) fn render(
        &self,
        body: &Value,
        indexes: &Indexes,
    ) -> Result<String, EvaluationError> {
        let mut values = Map::new();
        for (at, variable) in self.variables.iter().enumerate() {
            if let Found::Value(value) = variable.find(body, indexes) {
                values.insert(name_of(at), with_numbers(value));
            }
        }
        let context = Context::from(Value::Object(values));
        let mut text = Bounded(Vec::new());
        self.registry
            .render_with_context_to_write(NAME, &context, &mut text)
            .map_err(|error| refusal(error.to_string()))?;
        String::from_utf8(text.0).map_err(|_| refusal("The template gave no text"))
    }
}

/// Returns a value with its numbers such that the crate writes them as JavaScript does:
/// whole ones as integers, and those that have an exponent as texts, which are as true.
fn with_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let text = number_text(number);
            text.parse::<i64>().map_or_else(
                |_| {
                    let is_same = text == number.to_string();
                    if is_same { value.clone() } else { text.into() }
                },
                Value::from,
            )
        }
        Value::Array(items) => items.iter().map(with_numbers).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| (name.clone(), with_numbers(member)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Returns the name of a variable.
fn name_of(at: usize) -> String {
    format!("eio_{at}")
}

/// A text with a bound: blocks inside blocks multiply.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > RESULT_MAX_BYTES {
            return Err(std::io::Error::other(format!(
                "the text is larger than {RESULT_MAX_BYTES} bytes"
            )));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes a number with so many digits (`runtime.md 4.2`).
fn to_fixed(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = helper.param(0).map(|value| text_of(value.value()));
    let digits = helper.param(1).map(|digits| text_of(digits.value()));
    let digits = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    out.write(&fixed(&text.unwrap_or_default(), digits))
        .map_err(|error| RenderErrorReason::Other(error.to_string()).into())
}

/// Rewrites a template, tag by tag.
#[derive(Default)]
struct Reader {
    variables: Vec<Variable>,
    /// The open blocks, and whether each moves the context.
    open: Vec<bool>,
}

impl Reader {
    /// Returns the template with variables in place of paths.
    fn rewrite(&mut self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            out.push_str(&rest[..start]);
            let after = &rest[start..];
            let (opening, closing) = if after.starts_with("{{{{") {
                return Err("has a raw block, which is not known here".to_owned());
            } else if after.starts_with("{{{") {
                ("{{{", "}}}")
            } else if after.starts_with("{{!--") {
                ("{{!--", "--}}")
            } else {
                ("{{", "}}")
            };
            let inner_start = opening.len();
            let Some(length) = after[inner_start..].find(closing) else {
                return Err(format!("has {opening} without {closing}"));
            };
            let inner = &after[inner_start..inner_start + length];
            rest = &after[inner_start + length + closing.len()..];
            if opening == "{{!--" || inner.starts_with('!') {
                continue;
            }
            out.push_str(opening);
            out.push_str(&self.tag(inner.trim())?);
            out.push_str(closing);
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Rewrites what stands between the braces.
    fn tag(&mut self, inner: &str) -> Result<String, String> {
        if inner.starts_with(['>', '*', '&']) || inner.contains('(') {
            return Err("has a tag that is not known here".to_owned());
        }
        if let Some(block) = inner.strip_prefix('#') {
            let mut words = block.split_whitespace();
            let name = words.next().unwrap_or("");
            let moves = match name {
                "if" | "unless" => false,
                "each" | "with" => true,
                _ => return Err(format!("has the block #{name}, which is not known here")),
            };
            if self.open.len() >= NESTING_MAX {
                return Err(format!(
                    "has more than {NESTING_MAX} blocks inside each other"
                ));
            }
            let subject = if moves {
                Subject::Whole
            } else {
                Subject::Condition
            };
            let words = self.words(words, subject)?;
            self.open.push(moves);
            return Ok(format!("#{name} {words}"));
        }
        if inner.starts_with('/') {
            self.open.pop();
            return Ok(inner.to_owned());
        }
        if let Some(rest) = inner.strip_prefix("else") {
            if rest.is_empty() {
                return Ok(inner.to_owned());
            }
            if let Some(rest) = rest.trim_start().strip_prefix("if ") {
                return Ok(format!(
                    "else if {}",
                    self.words(rest.split_whitespace(), Subject::Condition)?
                ));
            }
        }
        match inner.split_once(char::is_whitespace) {
            Some((name, rest)) => {
                if name != "EIO_toFixed" {
                    return Err(format!("has the helper {name}, which is not known here"));
                }
                Ok(format!(
                    "{name} {}",
                    self.words(rest.split_whitespace(), Subject::Text)?
                ))
            }
            None => self.words(std::iter::once(inner), Subject::Text),
        }
    }

    /// Rewrites the words after the name of a tag.
    fn words<'a>(
        &mut self,
        words: impl Iterator<Item = &'a str>,
        subject: Subject,
    ) -> Result<String, String> {
        let written: Result<Vec<String>, String> =
            words.map(|word| self.word(word, subject)).collect();
        Ok(written?.join(" "))
    }

    /// Rewrites a word: a path of the outermost level becomes a variable.
    fn word(&mut self, word: &str, mut subject: Subject) -> Result<String, String> {
        let is_literal = word.starts_with(['"', '\'', '|'])
            || word.parse::<f64>().is_ok()
            || ["true", "false", "null", "as"].contains(&word)
            || word.ends_with('|');
        let moved = self.open.iter().filter(|moves| **moves).count();
        let (outer, is_outer) = if let Some(rest) = word.strip_prefix("@root.") {
            (rest, true)
        } else {
            let bare = word.trim_start_matches("../");
            let ups = (word.len() - bare.len()) / 3;
            (bare, ups >= moved)
        };
        if is_literal || (word.starts_with('@') && !word.starts_with("@root.")) || !is_outer {
            return Ok(word.to_owned());
        }
        let Some(path) = Path::parse(outer) else {
            return Err(format!("has {word}, which is no path"));
        };
        if subject == Subject::Condition && path.says_each() {
            subject = Subject::Text;
        }
        let same = |known: &Variable| known.path == path && known.subject == subject;
        let at = self.variables.iter().position(same).unwrap_or_else(|| {
            self.variables.push(Variable { path, subject });
            self.variables.len() - 1
        });
        Ok(if moved > 0 {
            format!("@root.{}", name_of(at))
        } else {
            name_of(at)
        })
    }
}
