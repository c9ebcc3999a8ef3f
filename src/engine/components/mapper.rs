//! `elasticio/mapper`: mapping as a step of its own, the form of flows of v1
//! (`runtime.md 4.2`).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::fields::Fields;
use super::formula;
use crate::domain::mapping::{MapperKind, Mapping};
use crate::domain::run::Failure;
use crate::engine::component::{BuiltIn, Emitter, Function, Nature, Tools, Work};

/// The component.
pub(super) const COMPONENT: BuiltIn = BuiltIn {
    name: "mapper",
    functions: &[
        Function::new("map", Nature::Pure, map).checked_by(check_map),
        Function::new("jsonataMap", Nature::Pure, map_jsonata).checked_by(check_jsonata),
    ],
    verify: None,
};

/// The most mappings that are kept read: those of all busy mapper steps of one machine.
const KEPT_MAX: usize = 256;

/// The largest mapping that is kept, as JSON.
const KEPT_MAX_BYTES: usize = 64 * 1024;

/// Maps with templates. A mapper without a mapping passes its message on: clients of v1
/// make tasks of names alone, and such a task starts.
fn map(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    if !has_mapping(work.cfg) {
        return emitter.data(Arc::clone(work.message));
    }
    apply(work, emitter, MapperKind::Handlebars)
}

/// Maps with expressions.
fn map_jsonata(work: &Work<'_>, emitter: &mut Emitter) -> Result<(), Failure> {
    apply(work, emitter, MapperKind::Jsonata)
}

/// Emits the messages that the mapping makes.
fn apply(work: &Work<'_>, emitter: &mut Emitter, kind: MapperKind) -> Result<(), Failure> {
    let mapping = parsed(work.cfg, kind)?;
    let tables = |name: &str| lookup_table(work.tools, name);
    let bodies = mapping
        .apply(&formula::scope(work), &tables)
        .map_err(formula::failed)?;
    bodies.into_iter().try_for_each(|body| emitter.body(body))
}

/// Returns a lookup table of the flow's owner; none where there is none, or where it
/// can't be read now.
fn lookup_table(tools: &Tools<'_>, id_or_title: &str) -> Option<Map<String, Value>> {
    let found = tools.app.lookup_for(tools.owner, id_or_title);
    found.ok().flatten().map(|lookup| lookup.data)
}

/// Returns the mapping of a step.
fn parsed(cfg: &Fields, kind: MapperKind) -> Result<Arc<Mapping>, Failure> {
    type Kept = HashMap<(MapperWord, String), Arc<Mapping>>;
    type MapperWord = &'static str;
    static KEPT: OnceLock<RwLock<Kept>> = OnceLock::new();
    let Some(mapper) = cfg.get("mapper") else {
        return Err(Failure::new("`mapper` is required"));
    };
    let tables = tables_of(cfg);
    let text = format!("{mapper}{}", tables.unwrap_or(&Value::Null));
    let key = (kind.as_str(), text);
    let kept = KEPT.get_or_init(RwLock::default);
    let known = kept.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(mapping) = known.get(&key) {
        return Ok(Arc::clone(mapping));
    }
    drop(known);
    let mapping = Mapping::parse(mapper, kind, tables).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(described).collect();
        Failure::named("MappingError", faults.join("; "))
    })?;
    let mapping = Arc::new(mapping);
    if key.1.len() <= KEPT_MAX_BYTES {
        let mut known = kept.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT_MAX {
            // Whoever is busy comes back at once.
            known.clear();
        }
        known.insert(key, Arc::clone(&mapping));
    }
    Ok(mapping)
}

/// Returns the lookup tables of a step; the API and the public recipes name the field
/// differently.
fn tables_of(cfg: &Fields) -> Option<&Value> {
    let named = |name: &str| cfg.get(name).filter(|tables| !tables.is_null());
    named("lookup_tables").or_else(|| named("lookupTables"))
}

/// Describes a fault with its place.
fn described((place, fault): &(String, String)) -> String {
    if place.is_empty() {
        format!("the mapper {fault}")
    } else {
        format!("the mapper at `{place}` {fault}")
    }
}

/// Tells whether a step has a mapping.
fn has_mapping(cfg: &Fields) -> bool {
    cfg.get("mapper").is_some_and(|mapper| !mapper.is_null())
}

/// Checks a mapping of templates.
fn check_map(cfg: &Fields) -> Vec<String> {
    if !has_mapping(cfg) {
        return Vec::new();
    }
    check(cfg, MapperKind::Handlebars)
}

/// Checks a mapping of expressions.
fn check_jsonata(cfg: &Fields) -> Vec<String> {
    check(cfg, MapperKind::Jsonata)
}

/// Checks that the mapping can be read.
fn check(cfg: &Fields, kind: MapperKind) -> Vec<String> {
    let Some(mapper) = cfg.get("mapper") else {
        return vec!["has no `mapper`".to_owned()];
    };
    match Mapping::parse(mapper, kind, tables_of(cfg)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .iter()
            .map(|fault| format!("can't be mapped: {}", described(fault)))
            .collect(),
    }
}
