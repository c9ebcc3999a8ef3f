//! The crate's evaluator with the platform's functions: one a thread.
//!
//! Its values count references without locks, so nothing of it leaves the thread, and
//! making one for each expression would cost more than most expressions do.

use std::cell::RefCell;
use std::rc::Rc;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde_json::Value;

use super::{EvaluationError, Program, Root, bounds, moment, values};

/// How long one evaluation may take. Real mappings take microseconds; a step that sits
/// longer than this holds up the flows of others. The crate looks at the clock, so
/// nothing here has to.
const TIME_MAX_MS: u64 = 2_000;

/// How deep an evaluation may nest: about 1,000 calls of a function by itself. Deeper
/// ones take memory, not the thread's stack.
const DEPTH_MAX: usize = 3_000;

/// The longest sequence that a path, a range or a function may give.
const SEQUENCE_MAX: usize = 1_000_000;

/// What the platform's functions answer during one evaluation.
pub(super) struct Current {
    pub(super) passthrough: JValue,
    pub(super) variables: JValue,
    pub(super) now_ms: i64,
}

/// A handle on it that the functions keep.
pub(super) type Shared = Rc<RefCell<Current>>;

/// The evaluator of a thread.
struct Machine {
    evaluator: Evaluator,
    current: Shared,
}

thread_local! {
    static MACHINE: RefCell<Option<Machine>> = const { RefCell::new(None) };
}

/// Evaluates a program over a root.
pub(super) fn evaluate(
    program: &Program,
    root: &Root<'_>,
) -> Result<Option<Value>, EvaluationError> {
    let body = root.body(program.needs.passthrough_member);
    let unless = |is_needed: bool, value: &dyn Fn() -> JValue| {
        if is_needed {
            value()
        } else {
            JValue::Undefined
        }
    };
    let current = Current {
        passthrough: unless(program.needs.passthrough, &|| root.passthrough()),
        variables: unless(program.needs.variables, &|| root.variables()),
        now_ms: root.scope.now_ms,
    };
    MACHINE.with_borrow_mut(|slot| {
        let machine = match slot {
            Some(machine) => machine,
            None => slot.insert(Machine::new().map_err(refusal)?),
        };
        machine.current.replace(current);
        let result = machine.evaluator.evaluate(&program.ast, &body);
        let value = result
            .map_err(refusal)
            .and_then(|value| values::from_jsonata(&value));
        if value.is_err() {
            // Nothing that failed in the middle is used again.
            *slot = None;
        }
        value
    })
}

impl Machine {
    /// Makes an evaluator with the platform's functions.
    fn new() -> Result<Self, EvaluatorError> {
        let current: Shared = Rc::new(RefCell::new(Current {
            passthrough: JValue::Undefined,
            variables: JValue::Undefined,
            now_ms: 0,
        }));
        let mut context = Context::new();
        context.bind("moment".to_owned(), moment::constructor()?);
        let mut evaluator = Evaluator::with_options(context, options());
        let shared = Rc::clone(&current);
        evaluator.register_fn("getPassthrough", move |_: &[JValue]| {
            Ok(shared.borrow().passthrough.clone())
        })?;
        let shared = Rc::clone(&current);
        evaluator.register_fn("getFlowVariables", move |_: &[JValue]| {
            Ok(shared.borrow().variables.clone())
        })?;
        moment::register(&mut evaluator, &current)?;
        bounds::register(&mut evaluator, &current)?;
        Ok(Self { evaluator, current })
    }
}

/// Returns the limits of an evaluation.
pub(super) fn options() -> EvaluatorOptions {
    EvaluatorOptions {
        timeout_ms: Some(TIME_MAX_MS),
        cancel: None,
        max_stack_depth: Some(DEPTH_MAX),
        max_sequence_length: Some(SEQUENCE_MAX),
    }
}

/// Returns an error of the crate as ours.
fn refusal(error: EvaluatorError) -> EvaluationError {
    EvaluationError::expression(match error {
        EvaluatorError::TypeError(message)
        | EvaluatorError::ReferenceError(message)
        | EvaluatorError::EvaluationError(message) => message,
    })
}
