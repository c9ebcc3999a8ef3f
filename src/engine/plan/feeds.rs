//! Which queues the messages of a step may come into: its own followers, the followers
//! of those that run in memory with it, and the error handler.

use std::collections::BTreeSet;

use super::{Step, StepFunction};
use crate::engine::component::Nature;

/// Sets the `feeds` of each step's rule, and returns the same for messages that come from
/// outside.
pub(super) fn set(steps: &mut [Step], first: usize, handler: Option<usize>) -> Vec<String> {
    let after_handler = handler.map_or_else(BTreeSet::new, |at| {
        let mut all = BTreeSet::from([at]);
        collect(steps, at, true, &mut all);
        all
    });
    let fed: Vec<Vec<String>> = (0..steps.len())
        .map(|at| {
            let mut reached = BTreeSet::new();
            collect(steps, at, false, &mut reached);
            // What follows the handler does not wait for it: the handler may wait for that,
            // and both would wait for ever.
            if let Some(handler) = handler
                && !after_handler.contains(&at)
            {
                reached.insert(handler);
                if is_pure(&steps[handler]) {
                    collect(steps, handler, false, &mut reached);
                }
            }
            reached.iter().map(|at| steps[*at].id.to_string()).collect()
        })
        .collect();
    let mut entry = Vec::new();
    if let Some(step) = steps.get(first) {
        entry.push(step.id.to_string());
        if is_pure(step) {
            entry.extend(fed[first].iter().cloned());
        }
    }
    for (step, feeds) in steps.iter_mut().zip(fed) {
        step.rule.feeds = feeds;
    }
    entry
}

/// Adds the followers of a step, and theirs where they run in memory, or `all` of them.
fn collect(steps: &[Step], at: usize, all: bool, reached: &mut BTreeSet<usize>) {
    for edge in &steps[at].edges {
        if reached.insert(edge.target) && (all || is_pure(&steps[edge.target])) {
            collect(steps, edge.target, all, reached);
        }
    }
}

/// Tells whether a step runs in memory.
fn is_pure(step: &Step) -> bool {
    matches!(
        &step.function,
        Ok(StepFunction::BuiltIn(function)) if function.nature == Nature::Pure
    )
}
