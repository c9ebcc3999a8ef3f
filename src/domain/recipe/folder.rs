//! Recipe folders as texts: the form of bundled and of published recipes
//! (`runtime.md 5.2`, `assets/README.md`), and recipes of API v2 (`runtime.md 5.3`).
//! What stands in `recipe.json` tells which of the two a folder is.
//!
//! Everything is judged here, and nothing is read here. Unknown members and data for
//! steps that are not there are ignored, since published recipes have both.

mod declared;
mod fold;
mod steps;

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::steps::{Steps, command_of, read_steps};
use super::{FlowTemplate, Recipe, RecipeId, RecipeOrigin};
use crate::domain::error::{Error, FieldError, Result};
use crate::domain::flow::graph::{GRAPH_MAX_BYTES, Graph};
use crate::domain::flow::{Cron, chain};
use crate::domain::text;

/// The name of the required file with schedule, lookup tables and flows.
pub const RECIPE_FILE: &str = "recipe.json";

/// The name of the required file with the title.
pub const TITLE_FILE: &str = "title.txt";

/// The name of the required file with the description.
pub const DESCRIPTION_FILE: &str = "description.md";

/// The name of the optional file with the account schemas.
pub const ACCOUNTS_FILE: &str = "accounts.json";

/// The largest file of a folder; published ones have less than 20 KiB. Who reads a
/// folder reads one byte more than this at most, and leaves the refusal to [`parse`].
pub const FILE_MAX_BYTES: usize = 1024 * 1024;

/// The most flows of a recipe, all of which one activation makes; published ones
/// have at most three.
pub const FLOWS_MAX: usize = 50;

/// The most faults that one answer lists: a few lines that a person can act on.
const FAULTS_MAX: usize = 10;

/// The bytes of a folder's files; none for a file that is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct FolderFiles<'a> {
    /// [`RECIPE_FILE`].
    pub recipe: Option<&'a [u8]>,
    /// [`TITLE_FILE`].
    pub title: Option<&'a [u8]>,
    /// [`DESCRIPTION_FILE`].
    pub description: Option<&'a [u8]>,
    /// [`ACCOUNTS_FILE`].
    pub accounts: Option<&'a [u8]>,
}

/// Reads a folder. A fault anywhere refuses the whole of it; the fields of the error
/// are file and place, such as `recipe.json: recipes.0.recipe.nodes.1.compId`.
///
/// A recipe of API v2 has title and description inside, so it needs no other file.
pub fn parse(id: RecipeId, files: &FolderFiles<'_>, origin: RecipeOrigin) -> Result<Recipe> {
    let mut in_recipe = Faults(Vec::new());
    let content = required_text(RECIPE_FILE, files.recipe, &mut in_recipe)
        .and_then(|text| read_json(RECIPE_FILE, text.as_bytes(), &mut in_recipe));
    let mut faults = Faults(Vec::new());
    if let Some(document) = content.as_ref().and_then(declared::document) {
        let read = declared::read(id, document, files, origin, &mut faults);
        return read.ok_or_else(|| Error::invalid_fields(faults.0));
    }
    let title = required_text(TITLE_FILE, files.title, &mut faults)
        .and_then(|title| faults.keep(text::name(TITLE_FILE, title)));
    let description = required_text(DESCRIPTION_FILE, files.description, &mut faults);
    let accounts = optional_accounts(files, &mut faults);
    for fault in in_recipe.0 {
        faults.add(&fault.field, &fault.message);
    }
    let flows = content.map(|recipe| read_flows(&recipe, &mut faults));
    match (title, description, flows) {
        (Some(title), Some(description), Some(flows)) if faults.0.is_empty() => Ok(Recipe {
            id,
            title,
            description: description.to_owned(),
            accounts,
            flows,
            declared: None,
            origin,
        }),
        _ => Err(Error::invalid_fields(faults.0)),
    }
}

/// Tells whether a JSON file that is not called [`RECIPE_FILE`] is a recipe of API v2;
/// none where it can't be read.
pub fn is_declared_recipe(bytes: &[u8]) -> Option<bool> {
    let content = read_json(RECIPE_FILE, bytes, &mut Faults(Vec::new()))?;
    Some(declared::document(&content).is_some())
}

/// Reads the account schemas, where the folder has some.
fn optional_accounts(files: &FolderFiles<'_>, faults: &mut Faults) -> Option<Map<String, Value>> {
    let accounts = read_json(ACCOUNTS_FILE, files.accounts?, faults)?;
    Some(read_accounts(accounts, faults))
}

/// Returns a file that must be there as text without outer white space.
fn required_text<'a>(file: &str, bytes: Option<&'a [u8]>, faults: &mut Faults) -> Option<&'a str> {
    if bytes.is_none() {
        faults.add(file, "is missing");
    }
    text_of(file, bytes?, faults)
}

/// Returns a file as text without outer white space and byte order mark.
fn text_of<'a>(file: &str, bytes: &'a [u8], faults: &mut Faults) -> Option<&'a str> {
    if bytes.len() > FILE_MAX_BYTES {
        faults.add(
            file,
            &format!("is too large: at most {FILE_MAX_BYTES} bytes"),
        );
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.trim_start_matches('\u{feff}').trim()),
        Err(fault) => {
            faults.add(
                file,
                &format!("is not UTF-8 at byte {}", fault.valid_up_to()),
            );
            None
        }
    }
}

/// Returns a file as a JSON object.
fn read_json(file: &str, bytes: &[u8], faults: &mut Faults) -> Option<Map<String, Value>> {
    let text = text_of(file, bytes, faults)?;
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        Ok(_) => {
            faults.add(file, "must be a JSON object");
            None
        }
        Err(fault) => {
            let (line, column) = (fault.line(), fault.column());
            // The parser has no kind of its own for this; 128 levels are its limit.
            let what = if fault.to_string().starts_with("recursion limit") {
                "is nested too deeply"
            } else {
                "is not valid JSON"
            };
            faults.add(file, &format!("{what} (line {line}, column {column})"));
            None
        }
    }
}

/// Checks `accounts.json` and returns it as it is.
fn read_accounts(accounts: Map<String, Value>, faults: &mut Faults) -> Map<String, Value> {
    for (connector, entry) in &accounts {
        let place = format!("{ACCOUNTS_FILE}: {connector}");
        if command_of(connector, "any").is_none() {
            faults.add(&place, "must be the name of a component");
        }
        if connector == "mapper" {
            faults.add(&place, "must not be there: a mapper needs no account");
        }
        let Some(schema) = entry.get("credentials").and_then(Value::as_object) else {
            faults.add(&place, "must be an object with an object credentials");
            continue;
        };
        let properties = schema.get("properties").unwrap_or(&Value::Null);
        let are_properties = match properties {
            Value::Null => true,
            Value::Object(fields) => fields.values().all(Value::is_object),
            _ => false,
        };
        if !are_properties {
            faults.add(
                &format!("{place}.credentials.properties"),
                "must be an object of objects",
            );
        }
        let are_names = match schema.get("required").unwrap_or(&Value::Null) {
            Value::Null => true,
            Value::Array(names) => names.iter().all(Value::is_string),
            _ => false,
        };
        if !are_names {
            faults.add(
                &format!("{place}.credentials.required"),
                "must be a list of names",
            );
        }
    }
    accounts
}

/// What the flows of a file share.
struct Shared<'a> {
    cron: Option<String>,
    tables: Option<&'a Map<String, Value>>,
    /// The bytes of tables that were put in place of their names so far.
    inlined_bytes: Cell<usize>,
}

/// Reads the flows of `recipe.json`.
fn read_flows(recipe: &Map<String, Value>, faults: &mut Faults) -> Vec<FlowTemplate> {
    let tables = match given(recipe, "lookupTables") {
        Some(Value::Object(tables)) => Some(tables),
        None => None,
        Some(_) => {
            faults.at("lookupTables", "must be an object");
            None
        }
    };
    let shared = Shared {
        cron: read_cron(recipe, "cron", faults),
        tables,
        inlined_bytes: Cell::new(0),
    };
    let Some(flows) = given(recipe, "recipes").and_then(Value::as_array) else {
        faults.at("recipes", "is required and must be a list");
        return Vec::new();
    };
    if flows.is_empty() || flows.len() > FLOWS_MAX {
        faults.at("recipes", &format!("must have 1 to {FLOWS_MAX} entries"));
        return Vec::new();
    }
    let mut templates = Vec::new();
    for (at, flow) in flows.iter().enumerate() {
        let place = format!("recipes.{at}");
        match flow.as_object() {
            Some(flow) => templates.extend(read_flow(flow, &place, &shared, faults)),
            None => faults.at(&place, "must be an object"),
        }
    }
    templates
}

/// Reads one flow.
fn read_flow(
    flow: &Map<String, Value>,
    place: &str,
    shared: &Shared<'_>,
    faults: &mut Faults,
) -> Option<FlowTemplate> {
    let title_place = format!("{place}.title");
    let title = given(flow, "title").and_then(Value::as_str);
    if title.is_none() {
        faults.at(&title_place, "is required and must be a text");
    }
    let title = title.and_then(|title| faults.keep_at(text::name(&title_place, title)));
    let description = match given(flow, "description") {
        None => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            faults.at(&format!("{place}.description"), "must be a text");
            None
        }
    };
    let own_cron = read_cron(flow, &format!("{place}.cron"), faults);
    let steps = read_steps(flow, place, faults)?;
    let data = read_data(flow, place, &steps, shared, faults);
    let graph = json_graph(&steps, data);
    if graph.to_string().len() > GRAPH_MAX_BYTES {
        faults.at(place, "is too large as a graph");
        return None;
    }
    let graph = match Graph::parse(&graph) {
        Ok(graph) => Some(graph),
        Err(fault) => {
            // Ids, ends and the beginning were checked by name; what is left is a circle,
            // or mappings.
            for it in fault.fields() {
                match it.field.split_once(".mapper") {
                    Some((edge, target)) => {
                        let step = reached_by(&graph, edge);
                        let target = target.trim_start_matches('.');
                        let message =
                            format!("has a mapper before {step} whose `{target}` {}", it.message);
                        faults.at(&format!("{place}.data"), &message);
                    }
                    None => faults.at(&format!("{place}.recipe.connections"), &it.message),
                }
            }
            None
        }
    };
    Some(FlowTemplate {
        title: title?,
        description,
        cron: own_cron.or_else(|| shared.cron.clone()),
        graph: graph?,
        accounts: connectors(&steps),
    })
}

/// Returns the step that an edge of a graph leads to, by a path such as
/// `graph.edges.0.config`; a mapper that stayed a step is that step.
fn reached_by<'a>(graph: &'a Value, path: &str) -> &'a str {
    let mut parts = path.split('.').skip(1);
    let (list, at) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let found = at
        .parse::<usize>()
        .map_or(&Value::Null, |at| &graph[list][at]);
    let name = found.get("target").or_else(|| found.get("id"));
    name.and_then(Value::as_str).unwrap_or("a step")
}

/// Returns the connector of each step, as the file spells it: `google_drive`.
fn connectors(steps: &Steps) -> BTreeMap<String, String> {
    let named = |step: &steps::Step| (step.id.clone(), step.connector.clone());
    steps.nodes.iter().map(named).collect()
}

/// Reads a schedule.
fn read_cron(members: &Map<String, Value>, place: &str, faults: &mut Faults) -> Option<String> {
    match given(members, "cron") {
        None => None,
        Some(Value::String(text)) => faults
            .keep_at(Cron::parse(place, text))
            .map(|cron| cron.as_str().to_owned()),
        Some(_) => {
            faults.at(place, "must be a text");
            None
        }
    }
}

/// Reads the data of the steps, in the order of the nodes, with lookup tables put in
/// place of their names, so that a flow needs nothing beside itself.
fn read_data(
    flow: &Map<String, Value>,
    place: &str,
    steps: &Steps,
    shared: &Shared<'_>,
    faults: &mut Faults,
) -> Vec<Map<String, Value>> {
    let data = match given(flow, "data") {
        None => None,
        Some(Value::Object(data)) => Some(data),
        Some(_) => {
            faults.at(&format!("{place}.data"), "must be an object");
            None
        }
    };
    let mut read = Vec::with_capacity(steps.nodes.len());
    for step in &steps.nodes {
        let place = format!("{place}.data.{}", step.id);
        let fields = match data.and_then(|data| given(data, &step.id)) {
            None => Map::new(),
            Some(Value::Object(fields)) => fields.clone(),
            Some(_) => {
                faults.at(&place, "must be an object");
                Map::new()
            }
        };
        read.push(if step.command.is_mapper() {
            with_tables(fields, &place, shared, faults)
        } else {
            fields
        });
    }
    read
}

/// Returns a mapper's data under the names of API v1, tables in place of their names.
fn with_tables(
    mut fields: Map<String, Value>,
    place: &str,
    shared: &Shared<'_>,
    faults: &mut Faults,
) -> Map<String, Value> {
    let place = format!("{place}.lookupTables");
    let names = match fields.shift_remove("lookupTables") {
        None | Some(Value::Null) => return fields,
        Some(Value::Object(names)) => names,
        Some(_) => {
            faults.at(&place, "must be an object");
            return fields;
        }
    };
    let mut tables = Map::new();
    for (target, name) in names {
        let table = name
            .as_str()
            .and_then(|name| shared.tables?.get(name))
            .filter(|table| table.is_object());
        let Some(table) = table else {
            faults.at(
                &format!("{place}.{target}"),
                "must be the name of a table in lookupTables",
            );
            continue;
        };
        // Counted before it is copied: a large table that is named often must not
        // make a small file a large graph.
        let inlined_bytes = shared.inlined_bytes.get() + table.to_string().len();
        shared.inlined_bytes.set(inlined_bytes);
        if inlined_bytes > GRAPH_MAX_BYTES {
            faults.at(&place, "makes the recipe too large");
            return fields;
        }
        tables.insert(target, table.clone());
    }
    fields.insert("lookup_tables".to_owned(), tables.into());
    fields
}

/// Returns the graph as API v2 writes it, mappers folded into edges where they fit.
fn json_graph(steps: &Steps, mut data: Vec<Map<String, Value>>) -> Value {
    let is_mapper: Vec<bool> = steps
        .nodes
        .iter()
        .map(|step| step.command.is_mapper())
        .collect();
    let folded = fold::mappers(&is_mapper, &steps.connections);
    let mut edges = Vec::new();
    for edge in &folded.edges {
        let source = &steps.nodes[edge.from].id;
        let target = &steps.nodes[edge.to].id;
        let mut shown = json!({ "source": source, "target": target });
        let config = edge.mapper.map(|at| std::mem::take(&mut data[at]));
        let config = config.map(chain::mapping_of);
        if let Some(config) = config.filter(|config| !config.is_empty()) {
            shown["config"] = config.into();
        }
        edges.push(shown);
    }
    let mut nodes = Vec::new();
    for (at, step) in steps.nodes.iter().enumerate() {
        if folded.is_on_edge[at] {
            continue;
        }
        let mut shown = json!({ "id": step.id, "command": step.command.to_string() });
        let fields = std::mem::take(&mut data[at]);
        if !fields.is_empty() {
            shown["fields"] = fields.into();
        }
        nodes.push(shown);
    }
    json!({ "nodes": nodes, "edges": edges })
}

/// Returns a member; `null` counts as missing.
fn given<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

/// The faults found so far, up to [`FAULTS_MAX`].
struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes a fault of a file, or at a place that names its file.
    fn add(&mut self, field: &str, message: &str) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(FieldError {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        }
    }

    /// Notes a fault at a place in `recipe.json`.
    fn at(&mut self, place: &str, message: &str) {
        self.add(&format!("{RECIPE_FILE}: {place}"), message);
    }

    /// Keeps a good value; the fields of an error are noted.
    fn keep<T>(&mut self, checked: Result<T>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                for fault in error.fields() {
                    self.add(&fault.field, &fault.message);
                }
                None
            }
        }
    }

    /// Keeps a good value; the fields of an error are places in `recipe.json`.
    fn keep_at<T>(&mut self, checked: Result<T>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                for fault in error.fields() {
                    self.at(&fault.field, &fault.message);
                }
                None
            }
        }
    }
}
