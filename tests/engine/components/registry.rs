//! The registry and the descriptors name the same functions.

use std::collections::{BTreeMap, BTreeSet};

use elastane::engine::components;
use serde_json::Value;

/// Returns the descriptors of the assets by name.
fn descriptors() -> BTreeMap<String, Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/components");
    std::fs::read_dir(folder)
        .expect("readable")
        .map(|entry| {
            let entry = entry.expect("readable");
            let text =
                std::fs::read_to_string(entry.path().join("component.json")).expect("readable");
            let name = entry.file_name().into_string().expect("readable");
            (name, serde_json::from_str(&text).expect("readable"))
        })
        .collect()
}

/// Returns the functions of a descriptor by name.
fn functions_of(descriptor: &Value) -> BTreeMap<String, Value> {
    ["triggers", "actions"]
        .iter()
        .flat_map(|kind| descriptor[kind].as_object().expect("readable"))
        .map(|(name, function)| (name.clone(), function.clone()))
        .collect()
}

#[test]
fn every_function_of_a_descriptor_exists_and_no_other() {
    let described: BTreeSet<String> = descriptors()
        .iter()
        .flat_map(|(component, descriptor)| {
            let names = functions_of(descriptor).into_keys();
            names.map(move |name| format!("{component}:{name}"))
        })
        .collect();
    let built: Vec<String> = components::all()
        .iter()
        .flat_map(|component| {
            let functions = component.functions.iter();
            functions.map(move |function| format!("{}:{}", component.name, function.name))
        })
        .collect();
    assert_eq!(built.len(), 26);
    assert_eq!(built.into_iter().collect::<BTreeSet<_>>(), described);
}

#[test]
fn every_service_that_a_descriptor_promises_exists_and_no_other() {
    for (name, descriptor) in descriptors() {
        let component = components::find(&name).expect(&name);
        for (function, described) in functions_of(&descriptor) {
            let built = component.function(&function).unwrap();
            let models: BTreeSet<&str> = described["fields"]
                .as_object()
                .unwrap()
                .values()
                .filter_map(|field| field["model"].as_str())
                .collect();
            let methods = built.select_models.iter().map(|(method, _)| *method);
            assert_eq!(
                methods.collect::<BTreeSet<_>>(),
                models,
                "{name}:{function}"
            );
            let is_dynamic = described["dynamicMetadata"] == true;
            assert_eq!(built.meta_model.is_some(), is_dynamic, "{name}:{function}");
        }
        let has_credential = descriptor.get("credentials").is_some();
        assert_eq!(component.verify.is_some(), has_credential, "{name}");
    }
}
