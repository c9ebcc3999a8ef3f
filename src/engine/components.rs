//! The built-in components, one file each (`builtin-components.md`).

use super::component::BuiltIn;

mod amazonmws;
mod answer;
mod code;
mod configuration;
mod fields;
mod lookup;
mod request_reply;
mod router;
mod samples;
mod shopware;
mod simple_trigger;
mod timer;
mod webhook;

/// Every built-in component, by the slug of its repository.
const ALL: &[&BuiltIn] = &[
    &amazonmws::COMPONENT,
    &code::COMPONENT,
    &configuration::COMPONENT,
    &lookup::COMPONENT,
    &request_reply::COMPONENT,
    &router::COMPONENT,
    &shopware::COMPONENT,
    &simple_trigger::COMPONENT,
    &timer::COMPONENT,
    &webhook::COMPONENT,
];

/// Returns every built-in component.
pub fn all() -> &'static [&'static BuiltIn] {
    ALL
}

/// Returns the component of the team `elasticio` with this slug.
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    ALL.iter().copied().find(|component| component.name == name)
}
