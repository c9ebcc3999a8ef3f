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

use super::path::{Found, Indexes, Path, text_of};
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
    /// It is the subject of `#each` or `#with`, and no array of it splits.
    is_whole: bool,
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

    /// Returns the paths whose arrays split the message.
    pub(super) fn splitting_paths(&self) -> Vec<&Path> {
        self.variables
            .iter()
            .filter(|variable| !variable.is_whole)
            .map(|variable| &variable.path)
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
            let found = if variable.is_whole {
                variable.path.find_whole(body, indexes)
            } else {
                variable.path.find(body, indexes)
            };
            if let Found::Value(value) = found {
                values.insert(name_of(at), value.clone());
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
            let words = self.words(words, moves)?;
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
                    self.words(rest.split_whitespace(), false)?
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
                    self.words(rest.split_whitespace(), false)?
                ))
            }
            None => self.words(std::iter::once(inner), false),
        }
    }

    /// Rewrites the words after the name of a tag.
    fn words<'a>(
        &mut self,
        words: impl Iterator<Item = &'a str>,
        is_whole: bool,
    ) -> Result<String, String> {
        let written: Result<Vec<String>, String> =
            words.map(|word| self.word(word, is_whole)).collect();
        Ok(written?.join(" "))
    }

    /// Rewrites a word: a path of the outermost level becomes a variable.
    fn word(&mut self, word: &str, is_whole: bool) -> Result<String, String> {
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
        let same = |known: &Variable| known.path == path && known.is_whole == is_whole;
        let at = self.variables.iter().position(same).unwrap_or_else(|| {
            self.variables.push(Variable { path, is_whole });
            self.variables.len() - 1
        });
        Ok(if moved > 0 {
            format!("@root.{}", name_of(at))
        } else {
            name_of(at)
        })
    }
}
