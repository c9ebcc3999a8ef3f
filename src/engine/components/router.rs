//! `elasticio/router:route`: passes its message on; the engine evaluates the conditions
//! on the outgoing edges (`runtime.md 4.3`).

use std::sync::Arc;

use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "router",
    functions: &[Function::new("route", Nature::Pure, route)],
    verify: None,
};

/// Passes the message on.
fn route(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    emitter.data(Arc::clone(work.message))
}
