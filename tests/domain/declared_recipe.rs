//! Recipes of API v2 (`runtime.md 5.3`).

use elastane::domain::Result;
use elastane::domain::recipe::folder::{FLOWS_MAX, FolderFiles, parse};
use elastane::domain::recipe::{Recipe, RecipeId, RecipeOrigin};
use serde_json::{Value, json};

use super::fields_of;

/// Reads a folder that has only this `recipe.json`.
fn read(recipe: &Value) -> Result<Recipe> {
    read_text(&recipe.to_string())
}

fn read_text(recipe: &str) -> Result<Recipe> {
    let files = FolderFiles {
        recipe: Some(recipe.as_bytes()),
        ..FolderFiles::default()
    };
    let id = RecipeId::of_folder("a-recipe").expect("an id");
    parse(id, &files, RecipeOrigin::Imported)
}

/// A good recipe, to be broken.
fn good() -> Value {
    json!({
        "declarations": {
            "credentials": [
                { "id": "till", "help": { "description": "The till", "link": "" } },
            ],
            "variables": [
                { "id": "shop_id", "title": "Shop", "help": "Which shop" },
                { "id": "rate", "default": 7 },
            ],
            "topics": [],
        },
        "info": {
            "title": "Till to log", "author": "Ada", "short_description": "Short",
            "description": "# Long\n",
        },
        "flow_templates": [{
            "cron": "*/60 * * * *",
            "title": "Each sale",
            "graph": {
                "nodes": [
                    { "id": "step_1", "command": "elasticio/till:sales@0a1b2c",
                      "credentials_id": "till", "fields": { "size": 5 },
                      "data_sample": { "result": { "sum": 1 } } },
                    { "id": "step_2", "command": "elasticio/debug:log@latest",
                      "dynamic_metadata": { "in": {} } },
                ],
                "edges": [{ "source": "step_1", "target": "step_2",
                    "config": { "mapper": { "at": "$getFlowVariables().shop_id" } } }],
            },
        }],
    })
}

#[test]
fn a_recipe_is_read_bare_and_in_a_document() {
    let document = json!({ "data": { "type": "recipe", "id": "7", "attributes": good() } });
    for recipe in [read(&good()).unwrap(), read(&document).unwrap()] {
        assert_eq!(recipe.id.as_str(), "a_recipe");
        assert_eq!(recipe.title, "Till to log");
        assert_eq!(recipe.description, "# Long");
        assert!(recipe.accounts.is_none());
        let flow = &recipe.flows[0];
        assert_eq!(flow.title, "Each sale");
        assert_eq!(flow.cron.as_deref(), Some("*/60 * * * *"));
        assert_eq!(flow.accounts["step_1"], "till");
        assert_eq!(flow.accounts.len(), 1);
        let mut graph = good()["flow_templates"][0]["graph"].clone();
        graph["edges"][0]["config"]["mapper_type"] = json!("jsonata");
        let first = graph["nodes"][0].as_object_mut().unwrap();
        first.shift_remove("credentials_id");
        assert_eq!(flow.graph.to_value(), graph);
        let declared = recipe.declared.unwrap();
        assert_eq!(
            Value::from(declared.declarations.clone()),
            good()["declarations"]
        );
        assert_eq!(Value::from(declared.info.clone()), good()["info"]);
        assert_eq!(
            Value::from(declared.variables()),
            json!({ "shop_id": "", "rate": 7 })
        );
    }
}

#[test]
fn what_a_recipe_leaves_out_comes_from_its_folder_or_is_empty() {
    let recipe = json!({ "flow_templates": good()["flow_templates"] }).to_string();
    let recipe = recipe.replace("\"credentials_id\":\"till\",", "");
    let mut files = FolderFiles {
        recipe: Some(recipe.as_bytes()),
        title: Some(b"From the file\n"),
        ..FolderFiles::default()
    };
    let id = || RecipeId::of_folder("x").unwrap();
    let read = parse(id(), &files, RecipeOrigin::Imported).unwrap();
    assert_eq!(
        (read.title.as_str(), read.description.as_str()),
        ("From the file", "")
    );
    assert!(read.declared.unwrap().variables().is_empty());
    files.accounts = Some(b"{\"till\": {\"credentials\": {}}}");
    files.description = Some(b" More \n");
    let read = parse(id(), &files, RecipeOrigin::Imported).unwrap();
    assert_eq!(read.description, "More");
    assert!(read.accounts.is_some());
    files.title = None;
    assert_eq!(
        fields_of(parse(id(), &files, RecipeOrigin::Imported)),
        ["recipe.json: info.title"]
    );
}

#[test]
fn a_mapper_of_another_language_stays_one() {
    let mut recipe = good();
    recipe["flow_templates"][0]["graph"]["edges"][0]["config"]["mapper_type"] = json!("handlebars");
    let flow = read(&recipe).unwrap().flows.remove(0);
    let config = &flow.graph.edges[0].members["config"];
    assert_eq!(config["mapper_type"], "handlebars");
}

#[test]
fn a_fault_names_its_place() {
    let template = "/flow_templates/0";
    let at = |place: &str| format!("{template}{place}");
    let cases = [
        ("/info".to_owned(), json!([]), "info"),
        ("/info/title".to_owned(), json!(""), "info.title"),
        ("/info/description".to_owned(), json!(1), "info.description"),
        ("/declarations".to_owned(), json!("x"), "declarations"),
        (
            "/declarations/topics".to_owned(),
            json!({}),
            "declarations.topics",
        ),
        (
            "/declarations/variables".to_owned(),
            json!({ "a": 1 }),
            "declarations.variables",
        ),
        (
            "/declarations/variables/1/id".to_owned(),
            json!("shop_id"),
            "declarations.variables.1.id",
        ),
        (
            "/declarations/credentials/0/id".to_owned(),
            json!("x".repeat(101)),
            "declarations.credentials.0.id",
        ),
        ("/flow_templates".to_owned(), json!([]), "flow_templates"),
        ("/flow_templates".to_owned(), json!({}), "flow_templates"),
        (template.to_owned(), json!(null), "flow_templates.0"),
        (at("/title"), json!(7), "flow_templates.0.title"),
        (at("/cron"), json!("often"), "flow_templates.0.cron"),
        (at("/graph"), json!([]), "flow_templates.0.graph"),
        (
            at("/graph/nodes"),
            json!([]),
            "flow_templates.0.graph.nodes",
        ),
        (
            at("/graph/nodes/0/command"),
            json!("till"),
            "flow_templates.0.graph.nodes.0.command",
        ),
        (
            at("/graph/nodes/0/credentials_id"),
            json!("5a4dfa6a6c1b9e0007c2bd45"),
            "flow_templates.0.graph.nodes.0.credentials_id",
        ),
        (
            at("/graph/edges/0/target"),
            json!("step_9"),
            "flow_templates.0.graph.edges.0.target",
        ),
    ];
    for (pointer, value, place) in cases {
        let mut recipe = good();
        *recipe.pointer_mut(&pointer).expect("a place to break") = value;
        let fields = fields_of(read(&recipe));
        assert!(
            fields.contains(&format!("recipe.json: {place}")),
            "{pointer}: {fields:?}"
        );
    }
}

#[test]
fn too_many_flows_and_none_are_refused() {
    let mut many = good();
    many["flow_templates"] = vec![many["flow_templates"][0].clone(); FLOWS_MAX + 1].into();
    assert_eq!(fields_of(read(&many)), ["recipe.json: flow_templates"]);
    let empty = json!({ "data": { "type": "recipe" } });
    assert_eq!(
        fields_of(read(&empty)),
        ["recipe.json: info.title", "recipe.json: flow_templates"]
    );
}

#[test]
fn deep_json_and_long_lists_of_faults_end_in_a_few_lines() {
    let deep = format!(
        "{{\"flow_templates\": {}{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let error = read_text(&deep).unwrap_err();
    let told = &error.fields().last().unwrap().message;
    assert!(told.starts_with("is nested too deeply (line 1"), "{told}");
    let mut recipe = good();
    let nodes: Vec<Value> = (0..400).map(|_| json!({ "credentials_id": 1 })).collect();
    recipe["flow_templates"][0]["graph"]["nodes"] = nodes.into();
    assert_eq!(fields_of(read(&recipe)).len(), 10);
}
