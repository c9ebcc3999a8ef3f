//! What keeps an expression of a stranger from taking the memory of all.
//!
//! The crate bounds time, nesting and the length of sequences. It does not bound what
//! single functions build, so those that build much out of little are checked before
//! they run.

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError};
use jsonata_core::parser;
use jsonata_core::value::JValue;

use super::evaluator::{Shared, options};

/// The deepest brackets of an expression: more than a person reads, and far from what
/// the parser's own recursion takes of a small stack.
const NESTING_MAX: usize = 100;

/// The longest text that a function may build at once: what a message may have.
const TEXT_MAX_BYTES: f64 = 10_000_000.0;

/// The largest number that `$formatInteger` writes; the crate counts up to it.
const FORMATTED_MAX: f64 = 1_000_000_000_000_000.0;

/// The longest number of letters, or of thousands in Roman numerals.
const ROMAN_MAX: f64 = 1_000_000.0;

/// The most digits of a width in a picture of a date; the crate computes with it.
const WIDTH_DIGITS_MAX: usize = 4;

/// Refuses a text whose brackets are nested too deep.
pub(super) fn check_nesting(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return Err(format!(
                "The expression is nested deeper than {NESTING_MAX} levels"
            ));
        }
    }
    Ok(())
}

/// Puts checks before functions that build much out of little, and takes the time from
/// the evaluation instead of the clock.
pub(super) fn register(evaluator: &mut Evaluator, current: &Shared) -> Result<(), EvaluatorError> {
    evaluator.register_fn_override("pad", |args: &[JValue]| {
        if number(args, 1).abs() > TEXT_MAX_BYTES {
            return Err(refusal("$pad may make at most 10,000,000 characters"));
        }
        original("pad", args)
    })?;
    evaluator.register_fn_override("formatInteger", |args: &[JValue]| {
        let picture = args.get(1).and_then(JValue::as_str).unwrap_or("");
        let is_counted = picture.trim_start().starts_with(['i', 'I', 'a', 'A']);
        let max = if is_counted { ROMAN_MAX } else { FORMATTED_MAX };
        if number(args, 0).abs() > max {
            return Err(refusal("$formatInteger does not write a number so large"));
        }
        original("formatInteger", args)
    })?;
    evaluator.register_fn_override("fromMillis", |args: &[JValue]| from_millis(args))?;
    evaluator.register_fn_override("eval", |_: &[JValue]| {
        Err(refusal("$eval is not available here"))
    })?;
    let shared = current.clone();
    evaluator.register_fn_override("now", move |args: &[JValue]| {
        let mut all = vec![millis(shared.borrow().now_ms)];
        all.extend_from_slice(args);
        from_millis(&all)
    })?;
    let shared = current.clone();
    evaluator.register_fn_override("millis", move |_: &[JValue]| {
        Ok(millis(shared.borrow().now_ms))
    })
}

/// Writes a time after a look at its picture.
fn from_millis(args: &[JValue]) -> Result<JValue, EvaluatorError> {
    let picture = args.get(1).and_then(JValue::as_str).unwrap_or("");
    let has_wide = picture
        .split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() > WIDTH_DIGITS_MAX);
    if has_wide {
        return Err(refusal("The picture of the date has too wide a number"));
    }
    original("fromMillis", args)
}

/// Calls a function of the language as it is.
fn original(name: &str, args: &[JValue]) -> Result<JValue, EvaluatorError> {
    let mut context = Context::new();
    let mut names = Vec::with_capacity(args.len());
    for (at, arg) in args.iter().enumerate() {
        context.bind(format!("arg{at}"), arg.clone());
        names.push(format!("$arg{at}"));
    }
    let text = format!("${name}({})", names.join(","));
    let ast = parser::parse(&text).map_err(|_| refusal("The call can't be made"))?;
    Evaluator::with_options(context, options()).evaluate(&ast, &JValue::Null)
}

/// Returns an argument that is a number; 0 for any other.
fn number(args: &[JValue], at: usize) -> f64 {
    args.get(at).and_then(JValue::as_f64).unwrap_or(0.0)
}

/// Returns a time as a number of the language.
#[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
pub(super) fn millis(now_ms: i64) -> JValue {
    JValue::Number(now_ms as f64)
}

/// Returns an error of a function.
pub(super) fn refusal(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}
