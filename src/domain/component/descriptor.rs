//! What is wrong with a component.json (`runtime.md 1`): errors refuse a push, warnings are
//! shown (`runtime.md 1.5`).

use serde_json::{Map, Value};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It works; somebody will miss something.
    Warning,
    /// It can't work.
    Error,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it weighs.
    pub level: Level,
    /// What it is, as a sentence without a period that begins with its place.
    pub text: String,
}

/// The views of fields that the platform knows (`runtime.md 1.4`).
const VIEWS: &[&str] = &[
    "TextFieldView",
    "TextFieldWithNoteView",
    "TextAreaView",
    "TextAreaWithNoteView",
    "PasswordFieldView",
    "CheckBoxView",
    "SelectView",
    "MultiSelectView",
    "SelectTreeView",
    "SelectPropertyView",
    "OAuthFieldView",
    "CodeFieldView",
    "WebHookPayloadView",
    "OutMetadataView",
    "InMetadataExtensionView",
    "CSVReadView",
    "CSVWriteView",
    "JSONataView",
    "RESTAPIView",
    "HTTPAuthView",
    "WebhookAuthView",
    "MapperView",
];

/// Views that offer what their `model` says.
const SELECTS: &[&str] = &["SelectView", "MultiSelectView", "SelectTreeView"];

/// The most findings that are told: what does not fit on a screen helps nobody.
const FINDINGS_MAX: usize = 50;

/// A function of a component and what its module must export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Where it stands: `actions.upsert`.
    pub place: String,
    /// The module, relative to the folder of the component.
    pub main: String,
    /// The functions that it must export, `process` first.
    pub exports: Vec<String>,
}

/// Collects findings.
struct Findings<'a> {
    found: Vec<Finding>,
    has_file: &'a dyn Fn(&str) -> bool,
    is_compiled: bool,
}

impl Findings<'_> {
    fn add(&mut self, level: Level, text: String) {
        if self.found.len() < FINDINGS_MAX {
            self.found.push(Finding { level, text });
        }
    }

    fn error(&mut self, place: &str, what: &str) {
        self.add(Level::Error, format!("{place} {what}"));
    }

    fn warning(&mut self, place: &str, what: &str) {
        self.add(Level::Warning, format!("{place} {what}"));
    }
}

/// Returns what is wrong with a descriptor.
///
/// `has_file` tells whether the component has a file, by its path relative to the folder of
/// the component. Where `is_compiled` says that modules are made by a compiler, missing ones
/// are looked for again after the build, and not here.
pub fn findings(
    descriptor: &Value,
    has_file: &dyn Fn(&str) -> bool,
    is_compiled: bool,
) -> Vec<Finding> {
    let mut findings = Findings {
        found: Vec::new(),
        has_file,
        is_compiled,
    };
    match descriptor.as_object() {
        Some(root) => check_root(root, &mut findings),
        None => findings.error("component.json", "must be an object"),
    }
    findings.found
}

/// Returns the functions of a descriptor that has no errors.
pub fn functions(descriptor: &Value) -> Vec<Function> {
    let mut found = Vec::new();
    for group in ["triggers", "actions"] {
        let functions = descriptor.get(group).and_then(Value::as_object);
        for (name, function) in functions.into_iter().flatten() {
            let Some(main) = function.get("main").and_then(Value::as_str) else {
                continue;
            };
            let mut exports = vec!["process".to_owned()];
            if function.get("dynamicMetadata") == Some(&Value::Bool(true)) {
                exports.push("getMetaModel".to_owned());
            }
            let fields = function.get("fields").and_then(Value::as_object);
            for field in fields.into_iter().flatten().map(|(_, field)| field) {
                let model = field.get("model").and_then(Value::as_str);
                exports.extend(model.map(str::to_owned).filter(|_| is_select(field)));
            }
            found.push(Function {
                place: format!("{group}.{name}"),
                main: plain(main).to_owned(),
                exports,
            });
        }
    }
    found
}

/// Tells which file a module is, of those that Node would try; none where there is none.
pub fn module_file(main: &str, has_file: &dyn Fn(&str) -> bool) -> Option<String> {
    let main = plain(main);
    [
        main.to_owned(),
        format!("{main}.js"),
        format!("{main}.cjs"),
        format!("{main}/index.js"),
    ]
    .into_iter()
    .find(|path| has_file(path))
}

/// Returns a path without the `./` that people write in front.
fn plain(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    path
}

/// Checks the members of the root.
fn check_root(root: &Map<String, Value>, findings: &mut Findings<'_>) {
    for member in ["title", "description", "credentials"] {
        if !root.contains_key(member) {
            findings.warning("component.json", &format!("has no {member}"));
        }
    }
    if root.get("title").is_some_and(|title| !title.is_string()) {
        findings.error("title", "must be a text");
    }
    check_credentials(root.get("credentials"), findings);
    check_fields("fields", root.get("fields"), false, findings);
    let group = |name: &str| root.get(name).and_then(Value::as_object);
    for name in ["triggers", "actions"] {
        match root.get(name) {
            None | Some(Value::Object(_)) => {}
            Some(_) => findings.error(name, "must be an object"),
        }
        for (function, value) in group(name).into_iter().flatten() {
            check_function(name, function, value, findings);
        }
    }
    let count = |name| group(name).map_or(0, Map::len);
    if count("triggers") + count("actions") == 0 {
        findings.error("component.json", "has neither a trigger nor an action");
    }
    let actions = group("actions");
    for (name, _) in group("triggers").into_iter().flatten() {
        if actions.is_some_and(|actions| actions.contains_key(name)) {
            findings.error(name, "is the name of a trigger and of an action");
        }
    }
}

/// Checks the credentials: an empty object is a credential without fields
/// (`runtime.md 1.1`), one with other members needs them.
fn check_credentials(credentials: Option<&Value>, findings: &mut Findings<'_>) {
    match credentials {
        None => {}
        Some(Value::Object(members)) if members.is_empty() => {
            findings.warning("credentials", "have no fields");
        }
        Some(Value::Object(members)) if members.contains_key("fields") => {
            check_fields("credentials.fields", members.get("fields"), true, findings);
        }
        Some(Value::Object(_)) => findings.error("credentials", "have no fields"),
        Some(_) => findings.error("credentials", "must be an object"),
    }
}

/// Checks a trigger or an action.
fn check_function(group: &str, name: &str, value: &Value, findings: &mut Findings<'_>) {
    let place = format!("{group}.{name}");
    if !is_name(name) {
        findings.error(
            &place,
            "must be named by a letter, then letters, digits and _",
        );
    }
    let Some(function) = value.as_object() else {
        return findings.error(&place, "must be an object");
    };
    if !function.get("title").is_some_and(Value::is_string) {
        findings.error(&place, "has no title");
    }
    match function.get("main").and_then(Value::as_str) {
        None => findings.error(&place, "has no main"),
        Some(main) if is_outside(main) => {
            findings.error(&place, "has a main outside of the component");
        }
        Some(main) => {
            if !findings.is_compiled && module_file(main, findings.has_file).is_none() {
                findings.error(&place, &format!("has the main {main}, which is no file"));
            }
        }
    }
    let kind = function.get("type").and_then(Value::as_str);
    if group == "triggers" && kind.is_some_and(|kind| !matches!(kind, "polling" | "webhook")) {
        findings.warning(&place, "has a type that is neither polling nor webhook");
    }
    check_fields(
        &format!("{place}.fields"),
        function.get("fields"),
        false,
        findings,
    );
    check_metadata(&place, group, function, findings);
}

/// Checks where the metadata of a function comes from.
fn check_metadata(
    place: &str,
    group: &str,
    function: &Map<String, Value>,
    findings: &mut Findings<'_>,
) {
    let is_dynamic = match function.get("dynamicMetadata") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(_) => true,
    };
    match function.get("metadata") {
        None | Some(Value::Null) if is_dynamic => {}
        None | Some(Value::Null) => {
            findings.error(place, "has neither metadata nor dynamicMetadata");
        }
        Some(Value::String(path)) => check_schema_file(place, path, findings),
        Some(Value::Object(metadata)) => {
            for side in ["in", "out"] {
                match metadata.get(side) {
                    Some(Value::String(path)) => check_schema_file(place, path, findings),
                    None if !is_dynamic && (side == "out" || group == "actions") => {
                        findings.warning(place, &format!("has no {side} metadata"));
                    }
                    _ => {}
                }
            }
        }
        Some(_) => findings.error(place, "has metadata that are no object and no path"),
    }
}

/// Checks that a schema's file is there.
fn check_schema_file(place: &str, path: &str, findings: &mut Findings<'_>) {
    if is_outside(path) || !(findings.has_file)(plain(path)) {
        findings.error(place, &format!("has the schema {path}, which is no file"));
    }
}

/// Checks fields.
fn check_fields(
    place: &str,
    fields: Option<&Value>,
    of_credential: bool,
    findings: &mut Findings<'_>,
) {
    let fields = match fields {
        None => return,
        Some(Value::Object(fields)) => fields,
        Some(_) => return findings.error(place, "must be an object"),
    };
    for (name, field) in fields {
        let place = format!("{place}.{name}");
        match field.get("viewClass").and_then(Value::as_str) {
            None => findings.error(&place, "has no viewClass"),
            Some(view) if !VIEWS.contains(&view) => {
                findings.warning(
                    &place,
                    &format!("has the viewClass {view}, which is not known"),
                );
            }
            Some(_) => {}
        }
        if !field.get("label").is_some_and(Value::is_string) {
            findings.warning(&place, "has no label");
        }
        if is_select(field) {
            match field.get("model") {
                Some(Value::Object(_)) => {}
                Some(Value::String(_)) if !of_credential => {}
                _ if of_credential => findings.error(&place, "has a model that is no object"),
                _ => findings.error(&place, "has a model that is no object and no function"),
            }
        }
    }
}

/// Tells whether a field offers a choice.
fn is_select(field: &Value) -> bool {
    let view = field.get("viewClass").and_then(Value::as_str);
    view.is_some_and(|view| SELECTS.contains(&view))
}

/// Tells whether a name can be that of a function.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Tells whether a path leads out of its folder.
fn is_outside(path: &str) -> bool {
    path.starts_with('/') || path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns a descriptor that nothing is wrong with.
    fn sound() -> Value {
        json!({
            "title": "T", "description": "D",
            "credentials": { "fields": { "key": { "label": "K", "viewClass": "TextFieldView" } } },
            "actions": { "act": {
                "title": "A", "main": "./lib/act.js",
                "fields": { "kind": { "label": "K", "viewClass": "SelectView", "model": "kinds" } },
                "metadata": { "in": "./schemas/in.json", "out": {} },
            } },
        })
    }

    fn found(descriptor: &Value) -> Vec<(Level, String)> {
        let has = |path: &str| ["lib/act.js", "schemas/in.json"].contains(&path);
        let found = findings(descriptor, &has, false);
        found.into_iter().map(|it| (it.level, it.text)).collect()
    }

    #[test]
    fn a_sound_descriptor_has_no_findings_and_its_functions_are_known() {
        assert_eq!(found(&sound()), []);
        let functions = functions(&sound());
        assert_eq!(functions[0].main, "lib/act.js");
        assert_eq!(functions[0].exports, ["process", "kinds"]);
    }

    /// What is put where, and what is found then.
    type Case = (&'static str, Value, Level, &'static str);

    /// Returns a mistake for each rule of credentials and of the root.
    fn mistakes_of_root() -> Vec<Case> {
        vec![
            ("/title", Value::Null, Level::Error, "title must be a text"),
            (
                "/credentials",
                json!({ "oauth2": {} }),
                Level::Error,
                "credentials have no fields",
            ),
            (
                "/credentials",
                json!({}),
                Level::Warning,
                "credentials have no fields",
            ),
            (
                "/credentials/fields/key",
                json!({ "label": "K" }),
                Level::Error,
                "credentials.fields.key has no viewClass",
            ),
            (
                "/credentials/fields/key",
                json!({ "label": "K", "viewClass": "SelectView", "model": "f" }),
                Level::Error,
                "credentials.fields.key has a model that is no object",
            ),
            (
                "/credentials/fields/key/viewClass",
                json!("X"),
                Level::Warning,
                "credentials.fields.key has the viewClass X, which is not known",
            ),
            (
                "/actions",
                json!({}),
                Level::Error,
                "component.json has neither a trigger nor an action",
            ),
        ]
    }

    /// Returns a mistake for each rule of functions.
    fn mistakes_of_functions() -> Vec<Case> {
        vec![
            (
                "/actions/act/title",
                Value::Null,
                Level::Error,
                "actions.act has no title",
            ),
            (
                "/actions/act/main",
                Value::Null,
                Level::Error,
                "actions.act has no main",
            ),
            (
                "/actions/act/main",
                json!("lib/no.js"),
                Level::Error,
                "actions.act has the main lib/no.js, which is no file",
            ),
            (
                "/actions/act/main",
                json!("../lib/act.js"),
                Level::Error,
                "actions.act has a main outside of the component",
            ),
            (
                "/actions/act/metadata",
                Value::Null,
                Level::Error,
                "actions.act has neither metadata nor dynamicMetadata",
            ),
            (
                "/actions/act/metadata",
                json!({ "in": {} }),
                Level::Warning,
                "actions.act has no out metadata",
            ),
            (
                "/actions/act/metadata/in",
                json!("no.json"),
                Level::Error,
                "actions.act has the schema no.json, which is no file",
            ),
            (
                "/actions/act/fields/kind/model",
                json!(7),
                Level::Error,
                "actions.act.fields.kind has a model that is no object and no function",
            ),
        ]
    }

    #[test]
    fn each_rule_finds_its_mistake() {
        for (place, value, level, text) in mistakes_of_root()
            .into_iter()
            .chain(mistakes_of_functions())
        {
            let mut descriptor = sound();
            *descriptor.pointer_mut(place).unwrap() = value;
            let found = found(&descriptor);
            assert!(
                found.contains(&(level, text.to_owned())),
                "{place}: {found:?}"
            );
        }
    }

    #[test]
    fn a_name_of_both_and_a_bad_name_are_found() {
        let mut descriptor = sound();
        descriptor["triggers"] = json!({ "act": descriptor["actions"]["act"] });
        let action = descriptor["actions"]["act"].clone();
        descriptor["actions"]["1st"] = action;
        let found = found(&descriptor);
        assert!(
            found
                .iter()
                .any(|it| it.1 == "act is the name of a trigger and of an action")
        );
        assert!(
            found
                .iter()
                .any(|it| it.1.starts_with("actions.1st must be named")),
            "{found:?}"
        );
    }
}
