//! Which accounts a recipe needs, what each asks for, and which steps it is for.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{is_for, is_required};
use crate::domain::error::Result;
use crate::domain::flow::command::StepCommand;
use crate::domain::recipe::Recipe;
use crate::domain::slug::Slug;
use crate::domain::team::BUILTIN_TEAM;

/// The slug of the mapper, for which nobody has an account (`settled.md`).
const MAPPER: &str = "mapper";

/// An account that a recipe needs.
#[derive(Clone, Debug, PartialEq)]
pub struct NeededAccount {
    /// What `accounts` of API v1 calls it: the connector; a declared id where one
    /// connector is declared several times.
    pub name: String,
    /// The connector that it is for, which becomes the type of the credential.
    pub connector: String,
    /// The id under which a recipe of API v2 declares it.
    pub declared: Option<String>,
    /// What `accounts` says of it: `{"credentials": <schema>}`.
    pub entry: Value,
    /// The steps that it goes on: place of the flow, id of the step.
    pub steps: Vec<(usize, String)>,
}

/// Returns the accounts that a recipe needs, in the order of its steps.
///
/// They are those that its folder names, else one for each connector of its steps and
/// for each credential that it declares, never for the mapper. A connector's schema
/// follows from the descriptor of its component, and there is no account for a
/// component without credentials.
///
/// `descriptor_of` returns the descriptor of a step's component, or none where there
/// is none to be seen. Nobody knows what such a component will ask for, so its account
/// may be left out and takes any keys.
pub fn needed(
    recipe: &Recipe,
    descriptor_of: impl Fn(&StepCommand) -> Result<Option<Value>>,
) -> Result<Vec<NeededAccount>> {
    match &recipe.accounts {
        Some(named) => Ok(named_by_folder(recipe, named)),
        None => derived(recipe, descriptor_of),
    }
}

/// Returns what was given under the names of the accounts.
///
/// A client may call an account by the id that the recipe declares, too, or by its
/// connector, in any spelling of that; the connector means each account for it. What
/// is no account keeps its name, so that whoever checks can tell it.
pub fn under_their_names(
    accounts: &[NeededAccount],
    given: &Map<String, Value>,
) -> Map<String, Value> {
    let mut under_names = Map::new();
    for (key, value) in given {
        if accounts.iter().any(|account| account.name == *key) {
            under_names.insert(key.clone(), value.clone());
            continue;
        }
        let meant = accounts.iter().filter(|account| {
            account.declared.as_ref() == Some(key) || is_same_connector(&account.connector, key)
        });
        let mut names: Vec<&String> = meant.map(|account| &account.name).collect();
        if names.is_empty() {
            names.push(key);
        }
        for name in names
            .into_iter()
            .filter(|name| !given.contains_key(*name) || *name == key)
        {
            under_names.insert(name.clone(), value.clone());
        }
    }
    under_names
}

/// Tells whether two texts name the same connector: `google_drive` is `google-drive`.
fn is_same_connector(one: &str, other: &str) -> bool {
    let slugs = |text: &str| -> Option<Vec<Slug>> {
        let parts = text.splitn(2, '/');
        parts
            .map(|part| Slug::of_name("connector", part).ok())
            .collect()
    };
    slugs(one).is_some_and(|slugs_of_one| Some(slugs_of_one) == slugs(other))
}

/// Returns the accounts that a folder names, each with the steps that it fits; a step
/// that several fit takes the first.
fn named_by_folder(recipe: &Recipe, named: &Map<String, Value>) -> Vec<NeededAccount> {
    let mut accounts: Vec<NeededAccount> = named
        .iter()
        .map(|(connector, entry)| NeededAccount {
            name: connector.clone(),
            connector: connector.clone(),
            declared: None,
            entry: entry.clone(),
            steps: Vec::new(),
        })
        .collect();
    for (at, flow) in recipe.flows.iter().enumerate() {
        for node in &flow.graph.nodes {
            let fitting = accounts
                .iter_mut()
                .find(|account| is_for(&account.connector, &node.command));
            if let Some(account) = fitting {
                account.steps.push((at, node.id.clone()));
            }
        }
    }
    accounts
}

/// Returns the accounts that follow from the steps.
fn derived(
    recipe: &Recipe,
    descriptor_of: impl Fn(&StepCommand) -> Result<Option<Value>>,
) -> Result<Vec<NeededAccount>> {
    let mut derivation = Derivation {
        is_declaring: recipe.declared.is_some(),
        places: HashMap::new(),
        accounts: Vec::new(),
    };
    for (at, flow) in recipe.flows.iter().enumerate() {
        for node in &flow.graph.nodes {
            if connector_of(&node.command) == MAPPER {
                continue;
            }
            let said = flow.accounts.get(&node.id);
            let place = derivation.place(said, &node.command, &descriptor_of)?;
            if let Some(place) = place {
                let account = &mut derivation.accounts[place];
                account.steps.push((at, node.id.clone()));
            }
        }
    }
    let mut accounts = derivation.accounts;
    name_apart(&mut accounts);
    Ok(accounts)
}

/// What steps share an account.
#[derive(PartialEq, Eq, Hash)]
enum Shared {
    /// A declared credential, by its id.
    Declared(String),
    /// A component, by its connector.
    Component(String),
}

/// The accounts that were found so far.
struct Derivation {
    /// Whether the recipe declares credentials, as one of API v2 does.
    is_declaring: bool,
    /// The place of each account; none for a component that takes no credential,
    /// which is looked up only once, too.
    places: HashMap<Shared, Option<usize>>,
    accounts: Vec<NeededAccount>,
}

impl Derivation {
    /// Returns the place of a step's account; `said` is what the file calls it.
    fn place(
        &mut self,
        said: Option<&String>,
        command: &StepCommand,
        descriptor_of: impl Fn(&StepCommand) -> Result<Option<Value>>,
    ) -> Result<Option<usize>> {
        let component = connector_of(command);
        let (declared, spelled) = if self.is_declaring {
            (said, None)
        } else {
            (None, said)
        };
        let shared = match declared {
            Some(id) => Shared::Declared(id.clone()),
            None => Shared::Component(component.clone()),
        };
        if let Some(place) = self.places.get(&shared) {
            return Ok(*place);
        }
        let entry = entry_of(descriptor_of(command)?.as_ref(), declared.is_some());
        let connector = spelled.cloned().unwrap_or(component);
        let place = entry.map(|entry| {
            self.accounts.push(NeededAccount {
                name: connector.clone(),
                connector,
                declared: declared.cloned(),
                entry,
                steps: Vec::new(),
            });
            self.accounts.len() - 1
        });
        self.places.insert(shared, place);
        Ok(place)
    }
}

/// Gives accounts for the same connector names that tell them apart.
fn name_apart(accounts: &mut [NeededAccount]) {
    let connectors: Vec<String> = accounts.iter().map(|it| it.connector.clone()).collect();
    let is_shared = |name: &String| connectors.iter().filter(|it| *it == name).count() > 1;
    for account in accounts {
        let Some(id) = account.declared.clone() else {
            continue;
        };
        if is_shared(&account.connector) {
            account.name = if connectors.contains(&id) {
                format!("{}:{id}", account.connector)
            } else {
                id
            };
        }
    }
}

/// Returns the connector of a step: the repository's name, with the team where it is
/// not the built-in one.
fn connector_of(command: &StepCommand) -> String {
    if command.team.as_str() == BUILTIN_TEAM {
        command.component.to_string()
    } else {
        format!("{}/{}", command.team, command.component)
    }
}

/// Returns what `accounts` says of a component with this descriptor; none where it
/// takes no credential and none is declared for it.
fn entry_of(descriptor: Option<&Value>, is_declared: bool) -> Option<Value> {
    let declared = descriptor
        .and_then(|descriptor| descriptor.get("credentials"))
        .filter(|credentials| credentials.is_object());
    let schema = match declared {
        Some(credentials) => schema_of(credentials),
        None if descriptor.is_none() || is_declared => json!({
            "type": "object", "properties": {}, "required": [], "additionalProperties": true,
        }),
        None => return None,
    };
    Some(json!({ "credentials": schema }))
}

/// Returns the schema of a descriptor's `credentials` (`runtime.md 1.2, 1.4`).
fn schema_of(declared: &Value) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let fields = declared.get("fields").and_then(Value::as_object);
    for (name, field) in fields.into_iter().flatten() {
        let mut property = Map::new();
        let view = field.get("viewClass").and_then(Value::as_str);
        if let Some(kind) = view.and_then(type_of_view) {
            property.insert("type".to_owned(), json!(kind));
        }
        let label = field.get("label").and_then(Value::as_str).unwrap_or(name);
        property.insert("description".to_owned(), json!(label));
        if let Some(model) = field.get("model").and_then(Value::as_object) {
            let options: Vec<&String> = model.keys().collect();
            property.insert("options".to_owned(), json!(options));
        }
        properties.insert(name.clone(), property.into());
        if is_required(field) {
            required.push(name.as_str());
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Returns the type of what a view lets a person enter; none where it may be several,
/// so that nothing is refused that the component takes.
fn type_of_view(view: &str) -> Option<&'static str> {
    match view {
        "TextFieldView" | "TextFieldWithNoteView" | "PasswordFieldView" | "SelectView" => {
            Some("string")
        }
        "OAuthFieldView" | "HTTPAuthView" | "WebhookAuthView" => Some("object"),
        _ => None,
    }
}
