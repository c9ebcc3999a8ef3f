//! Recipes of API v2: declarations, info and flow templates (`runtime.md 5.3`).

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::{
    DESCRIPTION_FILE, FLOWS_MAX, Faults, FolderFiles, TITLE_FILE, given, optional_accounts,
    read_cron, text_of,
};
use crate::domain::error::Result;
use crate::domain::flow::graph::{GRAPH_MAX_BYTES, Graph};
use crate::domain::flow::options::FlowOptions;
use crate::domain::recipe::{Declared, FlowTemplate, Recipe, RecipeId, RecipeOrigin};
use crate::domain::text;

/// The most credentials, and the most variables, that a recipe declares: one for each
/// step of a large flow, and no more than a person fills in.
const DECLARED_MAX: usize = 500;

/// The longest id of a declaration, in characters: it is a name in mappings.
const DECLARED_ID_MAX_CHARS: usize = 100;

/// What mappings of API v2 are written in. It is said on every edge with a mapping
/// that names no language, since a flow of v1 means another one.
const V2_MAPPER_TYPE: &str = "jsonata";

/// Returns the attributes of a recipe of API v2, in a JSON:API document or bare; none
/// where the content is of another form.
pub(super) fn document(content: &Map<String, Value>) -> Option<&Map<String, Value>> {
    if content.contains_key("recipes") {
        return None;
    }
    if let Some(Value::Object(data)) = content.get("data") {
        let is_recipe = data.get("type").and_then(Value::as_str) == Some("recipe");
        return match data.get("attributes") {
            Some(Value::Object(attributes)) => Some(attributes),
            // Its faults are those of an empty recipe.
            _ if is_recipe => Some(data),
            _ => None,
        };
    }
    let has = |name: &str| content.contains_key(name);
    (has("flow_templates") || has("declarations")).then_some(content)
}

/// Reads a recipe; what is wrong with it goes to `faults`, and then there is none.
///
/// The files with title and description count where the recipe itself has none.
pub(super) fn read(
    id: RecipeId,
    document: &Map<String, Value>,
    files: &FolderFiles<'_>,
    origin: RecipeOrigin,
    faults: &mut Faults,
) -> Option<Recipe> {
    let info = object(document, "info", faults);
    let declarations = object(document, "declarations", faults);
    let title = title(&info, files, faults);
    let description = description(&info, files, faults);
    let accounts = optional_accounts(files, faults);
    let credentials = declared_ids(&declarations, "credentials", faults);
    declared_ids(&declarations, "variables", faults);
    if given(&declarations, "topics").is_some_and(|topics| !topics.is_array()) {
        faults.at("declarations.topics", "must be a list");
    }
    let flows = read_templates(document, &credentials, faults);
    let declared = Declared { declarations, info };
    let options = FlowOptions {
        variables: declared.variables(),
        ..FlowOptions::default()
    };
    if options.check().is_err() {
        faults.at("declarations.variables", "is too large");
    }
    if !faults.0.is_empty() {
        return None;
    }
    Some(Recipe {
        id,
        title: title?,
        description,
        accounts,
        flows,
        declared: Some(declared),
        origin,
    })
}

/// Returns a member that must be an object where it is there.
fn object(members: &Map<String, Value>, name: &str, faults: &mut Faults) -> Map<String, Value> {
    match given(members, name) {
        None => Map::new(),
        Some(Value::Object(object)) => object.clone(),
        Some(_) => {
            faults.at(name, "must be an object");
            Map::new()
        }
    }
}

/// Returns the title.
fn title(
    info: &Map<String, Value>,
    files: &FolderFiles<'_>,
    faults: &mut Faults,
) -> Option<String> {
    match given(info, "title") {
        Some(Value::String(title)) => faults.keep_at(text::name("info.title", title)),
        None if files.title.is_some() => {
            let title = text_of(TITLE_FILE, files.title?, faults)?;
            faults.keep(text::name(TITLE_FILE, title))
        }
        _ => {
            faults.at("info.title", "is required and must be a text");
            None
        }
    }
}

/// Returns the description; an empty one where the recipe has none.
fn description(info: &Map<String, Value>, files: &FolderFiles<'_>, faults: &mut Faults) -> String {
    let mut said = None;
    for name in ["description", "short_description"] {
        match given(info, name) {
            Some(Value::String(text)) => said = said.or(Some(text.trim())),
            Some(_) => faults.at(&format!("info.{name}"), "must be a text"),
            None => {}
        }
    }
    let in_file = |faults: &mut Faults| text_of(DESCRIPTION_FILE, files.description?, faults);
    said.or_else(|| in_file(faults))
        .unwrap_or_default()
        .to_owned()
}

/// Checks a list of declarations and returns the ids in it.
fn declared_ids(
    declarations: &Map<String, Value>,
    name: &str,
    faults: &mut Faults,
) -> HashSet<String> {
    let place = format!("declarations.{name}");
    let mut ids = HashSet::new();
    let list = match given(declarations, name) {
        None => return ids,
        Some(Value::Array(list)) if list.len() <= DECLARED_MAX => list,
        Some(_) => {
            faults.at(
                &place,
                &format!("must be a list of at most {DECLARED_MAX} entries"),
            );
            return ids;
        }
    };
    for (at, entry) in list.iter().enumerate() {
        let place = format!("{place}.{at}.id");
        let id = entry.get("id").and_then(Value::as_str);
        let fits = |id: &&str| !id.is_empty() && id.chars().count() <= DECLARED_ID_MAX_CHARS;
        match id.filter(fits) {
            Some(id) if ids.insert(id.to_owned()) => {}
            Some(_) => faults.at(&place, "is declared twice"),
            None => faults.at(
                &place,
                &format!(
                    "is required and must be a text of at most {DECLARED_ID_MAX_CHARS} characters"
                ),
            ),
        }
    }
    ids
}

/// Reads the flow templates.
fn read_templates(
    document: &Map<String, Value>,
    credentials: &HashSet<String>,
    faults: &mut Faults,
) -> Vec<FlowTemplate> {
    let Some(list) = given(document, "flow_templates").and_then(Value::as_array) else {
        faults.at("flow_templates", "is required and must be a list");
        return Vec::new();
    };
    if list.is_empty() || list.len() > FLOWS_MAX {
        faults.at(
            "flow_templates",
            &format!("must have 1 to {FLOWS_MAX} entries"),
        );
        return Vec::new();
    }
    let mut templates = Vec::new();
    for (at, template) in list.iter().enumerate() {
        let place = format!("flow_templates.{at}");
        match template.as_object() {
            Some(members) => {
                templates.extend(read_template(members, &place, credentials, faults));
            }
            None => faults.at(&place, "must be an object"),
        }
    }
    templates
}

/// Reads one flow template.
fn read_template(
    members: &Map<String, Value>,
    place: &str,
    credentials: &HashSet<String>,
    faults: &mut Faults,
) -> Option<FlowTemplate> {
    let title_place = format!("{place}.title");
    let title = given(members, "title").and_then(Value::as_str);
    if title.is_none() {
        faults.at(&title_place, "is required and must be a text");
    }
    let title = title.and_then(|title| faults.keep_at(text::name(&title_place, title)));
    let description = match given(members, "description") {
        None => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            faults.at(&format!("{place}.description"), "must be a text");
            None
        }
    };
    let cron = read_cron(members, &format!("{place}.cron"), faults);
    let Some(mut graph) = given(members, "graph").filter(|it| it.is_object()).cloned() else {
        faults.at(
            &format!("{place}.graph"),
            "is required and must be an object",
        );
        return None;
    };
    let accounts = take_credentials(&mut graph, place, credentials, faults);
    name_mappers(&mut graph);
    Some(FlowTemplate {
        title: title?,
        description,
        cron,
        graph: faults.keep_at(parse_graph(&graph, place))?,
        accounts,
    })
}

/// Reads a graph; fields of an error begin with the place of the template.
fn parse_graph(graph: &Value, place: &str) -> Result<Graph> {
    if graph.to_string().len() > GRAPH_MAX_BYTES {
        let told = format!("must have at most {GRAPH_MAX_BYTES} bytes as JSON");
        return Err(crate::domain::Error::invalid(
            format!("{place}.graph"),
            told,
        ));
    }
    Graph::parse(graph).map_err(|error| {
        let mut fields = error.fields().to_vec();
        for fault in &mut fields {
            fault.field = format!("{place}.{}", fault.field);
        }
        crate::domain::Error::invalid_fields(fields)
    })
}

/// Takes the declared credentials off the nodes, whose `credentials_id` will be one of
/// the user's, and returns them by step.
fn take_credentials(
    graph: &mut Value,
    place: &str,
    credentials: &HashSet<String>,
    faults: &mut Faults,
) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    let nodes = graph.get_mut("nodes").and_then(Value::as_array_mut);
    for (at, node) in nodes.into_iter().flatten().enumerate() {
        let Some(members) = node.as_object_mut() else {
            continue;
        };
        let id = match members.shift_remove("credentials_id") {
            None | Some(Value::Null) => continue,
            Some(Value::String(id)) if credentials.contains(&id) => id,
            Some(_) => {
                faults.at(
                    &format!("{place}.graph.nodes.{at}.credentials_id"),
                    "must be the id of a declared credential",
                );
                continue;
            }
        };
        if let Some(step) = members.get("id").and_then(Value::as_str) {
            taken.insert(step.to_owned(), id);
        }
    }
    taken
}

/// Says on each edge with a mapping what it is written in.
fn name_mappers(graph: &mut Value) {
    let edges = graph.get_mut("edges").and_then(Value::as_array_mut);
    for edge in edges.into_iter().flatten() {
        let Some(Value::Object(config)) = edge.get_mut("config") else {
            continue;
        };
        if given(config, "mapper").is_some() && given(config, "mapper_type").is_none() {
            config.insert("mapper_type".to_owned(), json!(V2_MAPPER_TYPE));
        }
    }
}
