//! The built-in components, one file each (`builtin-components.md`).

use super::component::BuiltIn;

mod amazonmws;
mod answer;
mod code;
mod configuration;
mod debug;
mod email;
pub(super) mod fields;
mod files;
mod filter;
mod formula;
mod lookup;
mod mapper;
mod request_reply;
mod rest_api;
mod router;
mod samples;
mod shopware;
mod simple_trigger;
mod splitter;
mod timer;
mod webhook;

/// Every built-in component, by the slug of its repository.
const ALL: &[&BuiltIn] = &[
    &amazonmws::COMPONENT,
    &code::COMPONENT,
    &configuration::COMPONENT,
    &debug::COMPONENT,
    &email::COMPONENT,
    &filter::COMPONENT,
    &lookup::COMPONENT,
    &mapper::COMPONENT,
    &request_reply::COMPONENT,
    &rest_api::COMPONENT,
    &router::COMPONENT,
    &shopware::COMPONENT,
    &simple_trigger::COMPONENT,
    &splitter::COMPONENT,
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
