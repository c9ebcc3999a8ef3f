//! The accounts that a recipe needs: their schemas, and what an activation gives
//! (`v1.md 2.2`).

mod needed;

use serde_json::{Map, Value};

use crate::domain::error::{Error, FieldError, Result};
use crate::domain::flow::command::StepCommand;
use crate::domain::slug::Slug;

pub use self::needed::{NeededAccount, needed, under_their_names};

/// The most faults that one answer lists: as many as a person reads, and an answer
/// that stays small whatever was sent.
const FAULTS_MAX: usize = 50;

/// The most characters of a sent name that an error repeats.
const NAME_SHOWN_CHARS: usize = 80;

/// One account of an activation, checked. It holds secrets, so it has no `Debug`.
pub struct GivenAccount {
    /// What the recipe calls it.
    pub account: String,
    /// The connector that it is for.
    pub connector: String,
    /// The name that the client gave it (`runtime.md 5.1`).
    pub name: Option<String>,
    /// The keys, undeclared ones among them.
    pub keys: Map<String, Value>,
}

/// Checks the `accounts` of an activation, by their names, against what is needed.
///
/// Accounts with required fields must be there, `required` and `type` count, and an
/// account that the recipe does not need is an error. `options` are a hint for forms
/// and not checked: the documented activation breaks them. Undeclared fields are kept.
/// Fields of errors are such as `accounts.shop.credentials.user`; no message repeats
/// a value.
pub fn check(needed: &[NeededAccount], given: &Map<String, Value>) -> Result<Vec<GivenAccount>> {
    let mut faults = Faults(Vec::new());
    for name in given.keys() {
        if needed.iter().all(|account| account.name != *name) {
            let shown: String = name.chars().take(NAME_SHOWN_CHARS).collect();
            faults.add(
                format!("accounts.{shown}"),
                "is not a connector of this recipe",
            );
        }
    }
    let mut accounts = Vec::new();
    for account in needed {
        let name = &account.name;
        let schema = Schema::of(&account.entry);
        match given.get(name).filter(|value| !value.is_null()) {
            Some(value) => accounts.extend(check_account(account, &schema, value, &mut faults)),
            None if schema.required().next().is_some() => {
                faults.add(format!("accounts.{name}"), "is required");
            }
            None => {}
        }
    }
    if faults.0.is_empty() {
        Ok(accounts)
    } else {
        Err(Error::invalid_fields(faults.0))
    }
}

/// Tells whether an account for `connector` belongs on a step with this command: the
/// connector is the repository's name, or `team/repository`.
pub fn is_for(connector: &str, command: &StepCommand) -> bool {
    let is_named =
        |text: &str, slug: &Slug| Slug::of_name("connector", text).is_ok_and(|own| own == *slug);
    match connector.split_once('/') {
        Some((team, component)) => {
            is_named(team, &command.team) && is_named(component, &command.component)
        }
        None => is_named(connector, &command.component),
    }
}

/// Returns the names of the fields that a descriptor's `credentials` requires.
pub fn required_fields(descriptor: &Value) -> Vec<&str> {
    let fields = descriptor
        .pointer("/credentials/fields")
        .and_then(Value::as_object);
    fields
        .into_iter()
        .flatten()
        .filter(|(_, field)| is_required(field))
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Tells whether a field of a descriptor must be filled in; older descriptors say so
/// with a text.
fn is_required(field: &Value) -> bool {
    match field.get("required") {
        Some(Value::Bool(required)) => *required,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

/// The schema of one connector's credentials.
struct Schema<'a> {
    credentials: Option<&'a Map<String, Value>>,
}

impl<'a> Schema<'a> {
    /// Finds the schema in a recipe's entry; an entry without one asks for nothing.
    fn of(entry: &'a Value) -> Self {
        Self {
            credentials: entry.get("credentials").and_then(Value::as_object),
        }
    }

    /// Returns the names of the required fields.
    fn required(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.credentials
            .and_then(|schema| schema.get("required"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Returns the declared fields.
    fn properties(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.credentials
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    }
}

/// Checks what was given for one account.
fn check_account(
    needed: &NeededAccount,
    schema: &Schema<'_>,
    value: &Value,
    faults: &mut Faults,
) -> Option<GivenAccount> {
    let place = format!("accounts.{}", needed.name);
    let Some(members) = value.as_object() else {
        faults.add(place, "must be an object with credentials");
        return None;
    };
    let given = |name: &str| members.get(name).filter(|value| !value.is_null());
    let name = match given("name") {
        None => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => {
            faults.add(format!("{place}.name"), "must be a string");
            None
        }
    };
    let keys = match given("credentials") {
        None => Map::new(),
        Some(Value::Object(keys)) => keys.clone(),
        Some(_) => {
            faults.add(format!("{place}.credentials"), "must be an object");
            return None;
        }
    };
    for field in schema.required() {
        if keys.get(field).is_none_or(Value::is_null) {
            faults.add(format!("{place}.credentials.{field}"), "is required");
        }
    }
    for (field, property) in schema.properties() {
        let kind = property.get("type").and_then(Value::as_str);
        let value = keys.get(field).filter(|value| !value.is_null());
        if let (Some(kind), Some(value)) = (kind, value)
            && !is_of_type(value, kind)
        {
            faults.add(
                format!("{place}.credentials.{field}"),
                &format!("must be of type {kind}"),
            );
        }
    }
    Some(GivenAccount {
        account: needed.name.clone(),
        connector: needed.connector.clone(),
        name,
        keys,
    })
}

/// Tells whether a value has a type of JSON Schema; a type that we don't know fits all.
fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|it| it.fract() == 0.0)
        }
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        _ => true,
    }
}

/// The faults found so far, up to [`FAULTS_MAX`].
struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes a fault at `field`.
    fn add(&mut self, field: String, message: &str) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(FieldError {
                field,
                message: message.to_owned(),
            });
        }
    }
}
