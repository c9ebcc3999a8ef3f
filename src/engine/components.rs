//! The built-in components, one file each (`builtin-components.md`).

use super::component::BuiltIn;

mod timer;

/// Every built-in component, by the slug of its repository.
const ALL: &[&BuiltIn] = &[&timer::COMPONENT];

/// Returns the component of the team `elasticio` with this slug.
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    ALL.iter().copied().find(|component| component.name == name)
}
