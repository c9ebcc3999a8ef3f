//! JSONata expressions: conditions, mappings and fields of components
//! (`runtime.md 2.6, 4.2, 4.3`).
//!
//! The root of an expression is the message's body. Where the message has a
//! passthrough, the body gains the property `elasticio`, which holds it.
//!
//! The language itself is the crate `jsonata-core`. What stands here is what the
//! platform adds to it, and the limits that an expression of a stranger needs. An
//! expression that only reads, joins and arranges plain members is evaluated without
//! the crate, because most of them do no more and the body need not be converted.

mod bounds;
mod evaluator;
mod moment;
mod plain;
mod values;

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use jsonata_core::ast::AstNode;
use jsonata_core::value::JValue;
use serde_json::{Map, Value};

use self::plain::Plain;
pub(super) use self::values::RESULT_MAX_BYTES;

/// The longest expression, in bytes. A page of JSONata has about 4 kB; a graph of the
/// largest size would otherwise be one expression.
pub const EXPRESSION_MAX_BYTES: usize = 64 * 1024;

/// The property of the body that holds the passthrough.
const PASSTHROUGH: &str = "elasticio";

/// A JSONata expression that was read and can be evaluated from any thread.
#[derive(Clone)]
pub struct Expression(Arc<Program>);

/// What was read.
struct Program {
    text: String,
    ast: AstNode,
    plain: Option<Plain>,
    needs: Needs,
}

/// What an expression may read besides the members of the body.
///
/// The answers come from the text and err on the safe side: what is needed without
/// cause costs a conversion, nothing else.
#[derive(Clone, Copy, Debug)]
struct Needs {
    /// The body with its property `elasticio`.
    passthrough_member: bool,
    /// `$getPassthrough()`.
    passthrough: bool,
    /// `$getFlowVariables()`.
    variables: bool,
}

/// What an expression is evaluated over.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The body of the message: the root.
    pub body: &'a Value,
    /// The bodies and headers of earlier steps by step id, where the message has them.
    pub passthrough: Option<&'a Map<String, Value>>,
    /// The flow's variables.
    pub variables: &'a Map<String, Value>,
    /// What `$now()`, `$millis()` and `$moment()` say, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Why an expression or a mapping gave no value. It is the error of the step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    /// What kind of error it is, such as `JSONataError`.
    pub name: &'static str,
    /// What happened. It may quote the message's own values, and nothing else.
    pub message: String,
}

impl EvaluationError {
    /// Makes an error of an expression.
    pub(super) fn expression(message: impl Into<String>) -> Self {
        Self {
            name: "JSONataError",
            message: message.into(),
        }
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// The error is one sentence that says why the text is none. It has no place in
    /// the text, because the parser tells none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > EXPRESSION_MAX_BYTES {
            return Err(format!(
                "The expression is longer than {EXPRESSION_MAX_BYTES} bytes"
            ));
        }
        bounds::check_nesting(text)?;
        let ast = jsonata_core::parser::parse(text).map_err(|error| {
            let reason = error.display_message();
            reason
                .strip_prefix("Parse error: ")
                .unwrap_or(&reason)
                .to_owned()
        })?;
        Ok(Self(Arc::new(Program {
            plain: Plain::of(&ast),
            ast,
            needs: Needs::of(text),
            text: text.to_owned(),
        })))
    }

    /// Returns the expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Evaluates the expression; `None` where it has no value (JSONata's undefined).
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, EvaluationError> {
        self.evaluate_over(&Root::new(*scope))
    }

    /// Evaluates the expression over a root that other expressions share.
    pub(super) fn evaluate_over(&self, root: &Root<'_>) -> Result<Option<Value>, EvaluationError> {
        root.check_reserved()?;
        // A plain expression that names the passthrough is none over the body alone.
        let is_whole = root.scope.passthrough.is_none() || !self.0.needs.passthrough_member;
        if is_whole
            && let Some(plain) = &self.0.plain
            && let Ok(found) = plain.evaluate(root.scope.body)
        {
            return Ok(found);
        }
        evaluator::evaluate(&self.0, root)
    }

    /// Tells whether the expression may read the passthrough. A scope without one serves
    /// all others as well, but for a body of which [`names_passthrough`] is true.
    pub fn reads_passthrough(&self) -> bool {
        self.0.needs.passthrough_member || self.0.needs.passthrough
    }

    /// Tells whether a condition holds: whether its value is exactly `true`
    /// (`runtime.md 4.3`).
    pub fn is_true(&self, scope: &Scope<'_>) -> Result<bool, EvaluationError> {
        Ok(self.evaluate(scope)? == Some(Value::Bool(true)))
    }
}

/// Tells whether a body has the property that is reserved for the passthrough, which is
/// an error of every expression over both.
pub fn names_passthrough(body: &Value) -> bool {
    matches!(body, Value::Object(members) if members.contains_key(PASSTHROUGH))
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.text).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Needs {
    /// Finds out what a text may read.
    fn of(text: &str) -> Self {
        let may_evaluate = text.contains("eval");
        Self {
            passthrough_member: may_evaluate || may_see_members(text),
            passthrough: may_evaluate || text.contains("getPassthrough"),
            variables: may_evaluate || text.contains("getFlowVariables"),
        }
    }
}

/// Tells whether a text may read members of the body that it does not name, or names
/// the passthrough's.
fn may_see_members(text: &str) -> bool {
    let is_context = text
        .match_indices('$')
        .any(|(at, _)| !text[at + 1..].starts_with(|c: char| c.is_alphanumeric() || c == '_'));
    is_context
        || has_wildcard(text)
        || text.contains(['%', '|', '\\'])
        || [
            "elasticio",
            "()",
            "keys",
            "each",
            "sift",
            "lookup",
            "spread",
            "merge",
        ]
        .iter()
        .any(|word| text.contains(word))
}

/// Tells whether a text has a `*` that may stand for members: one that does not come
/// after a value, which it would multiply.
fn has_wildcard(text: &str) -> bool {
    text.match_indices('*').any(|(at, _)| {
        let before = text[..at].trim_end();
        let word = before
            .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        !before.ends_with(|c: char| c.is_alphanumeric() || "_)]}'\"".contains(c))
            || matches!(word, Some("and" | "or" | "in"))
    })
}

/// A scope whose parts are converted once, when an expression first needs them.
pub(super) struct Root<'a> {
    scope: Scope<'a>,
    body: OnceCell<JValue>,
    whole: OnceCell<JValue>,
    passthrough: OnceCell<JValue>,
    variables: OnceCell<JValue>,
}

impl<'a> Root<'a> {
    /// Begins with nothing converted.
    pub(super) fn new(scope: Scope<'a>) -> Self {
        Self {
            scope,
            body: OnceCell::new(),
            whole: OnceCell::new(),
            passthrough: OnceCell::new(),
            variables: OnceCell::new(),
        }
    }

    /// Refuses a body that already has the passthrough's property.
    fn check_reserved(&self) -> Result<(), EvaluationError> {
        if self.scope.passthrough.is_some() && names_passthrough(self.scope.body) {
            return Err(EvaluationError::expression(
                "The property elasticio of the body is reserved for the passthrough",
            ));
        }
        Ok(())
    }

    /// Returns the body, with the passthrough where it is needed.
    fn body(&self, with_passthrough: bool) -> JValue {
        let body = || {
            self.body
                .get_or_init(|| values::to_jsonata(self.scope.body))
                .clone()
        };
        if !with_passthrough || self.scope.passthrough.is_none() {
            return body();
        }
        let whole = || match body() {
            JValue::Object(members) => {
                let mut members = (*members).clone();
                members.insert(PASSTHROUGH.to_owned(), self.passthrough());
                JValue::Object(members.into())
            }
            other => other,
        };
        self.whole.get_or_init(whole).clone()
    }

    /// Returns the passthrough; undefined where the message has none.
    fn passthrough(&self) -> JValue {
        let convert = || match self.scope.passthrough {
            Some(members) => values::members_to_jsonata(members),
            None => JValue::Undefined,
        };
        self.passthrough.get_or_init(convert).clone()
    }

    /// Returns the flow's variables.
    fn variables(&self) -> JValue {
        self.variables
            .get_or_init(|| values::members_to_jsonata(self.scope.variables))
            .clone()
    }
}
