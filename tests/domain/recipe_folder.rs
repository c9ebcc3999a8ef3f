//! Recipe folders (`runtime.md 5.2`).

use elastane::domain::Result;
use elastane::domain::recipe::folder::{FILE_MAX_BYTES, FLOWS_MAX, FolderFiles, parse};
use elastane::domain::recipe::{Recipe, RecipeId, RecipeOrigin};
use serde_json::{Value, json};

use super::fields_of;

/// Reads a folder with a title and a description around this `recipe.json`.
fn read(recipe: &Value) -> Result<Recipe> {
    read_with(recipe, None)
}

fn read_with(recipe: &Value, accounts: Option<&Value>) -> Result<Recipe> {
    let (recipe, accounts) = (recipe.to_string(), accounts.map(Value::to_string));
    let files = FolderFiles {
        recipe: Some(recipe.as_bytes()),
        title: Some("  A title\r\n".as_bytes()),
        description: Some("\u{feff}What it does\n\nMore.\n".as_bytes()),
        accounts: accounts.as_deref().map(str::as_bytes),
    };
    let id = RecipeId::of_folder("a-recipe").expect("an id");
    parse(id, &files, RecipeOrigin::Imported)
}

/// A file with one flow.
fn with_flow(flow: Value) -> Value {
    let flows = vec![flow];
    json!({ "recipes": flows })
}

/// A flow of these nodes, by id and command, and connections.
fn flow(nodes: &[(&str, &str)], connections: &[(&str, &str)], data: &Value) -> Value {
    let nodes: Vec<Value> = nodes
        .iter()
        .enumerate()
        .map(|(at, (id, command))| {
            let (component, function) = command.split_once(':').expect("a command");
            let mut node = json!({ "id": id, "compId": component, "function": function });
            if at == 0 {
                node["first"] = json!(true);
            }
            node
        })
        .collect();
    let connections: Vec<Value> = connections
        .iter()
        .map(|(from, to)| json!({ "from": from, "to": to }))
        .collect();
    json!({
        "title": "A flow", "name": "left over", "_id": 7, "data": data,
        "recipe": { "nodes": nodes, "connections": connections },
    })
}

/// A good flow of three steps, to be broken.
fn good() -> Value {
    with_flow(flow(
        &[
            ("s1", "timer:timer"),
            ("s2", "mapper:map"),
            ("s3", "debug:log"),
        ],
        &[("s1", "s2"), ("s2", "s3")],
        &json!({}),
    ))
}

/// Breaks the good flow at a pointer and returns the places at fault.
fn broken(pointer: &str, value: Value) -> Vec<String> {
    let mut recipe = good();
    *recipe.pointer_mut(pointer).expect("a place to break") = value;
    fields_of(read(&recipe))
}

#[test]
fn a_folder_becomes_a_recipe_with_mappers_and_tables_on_edges() {
    let mut file = with_flow(flow(
        &[
            ("s1", "google_drive:list"),
            ("s2", "mapper:map"),
            ("s3", "ours/shop:add"),
        ],
        &[("s1", "s2"), ("s2", "s3")],
        &json!({
            "s1": { "pageSize": "10" },
            "s2": { "mapper": { "sex": "{{g}}" }, "lookupTables": { "sex": "Salutation" }, "x": 1 },
            "s9": { "left": "over" },
        }),
    ));
    file["cron"] = json!("*/60 * * * *");
    file["lookupTables"] = json!({ "Salutation": { "m": "Herr" }, "Unused": {} });
    let recipe = read(&file).unwrap();
    assert_eq!(recipe.id.as_str(), "a_recipe");
    assert_eq!(recipe.title, "A title");
    assert_eq!(recipe.description, "What it does\n\nMore.");
    assert!(recipe.accounts.is_none());
    let flow = &recipe.flows[0];
    assert_eq!(flow.cron.as_deref(), Some("*/60 * * * *"));
    assert_eq!(
        flow.graph.to_value(),
        json!({
            "nodes": [
                { "id": "s1", "command": "elasticio/google-drive:list", "fields": { "pageSize": "10" } },
                { "id": "s3", "command": "ours/shop:add" },
            ],
            "edges": [{ "source": "s1", "target": "s3", "config": {
                "mapper": { "sex": "{{g}}" }, "x": 1,
                "lookup_tables": { "sex": { "m": "Herr" } }, "mapper_type": "handlebars" } }],
        })
    );
}

#[test]
fn the_schedule_of_a_flow_wins_over_that_of_the_file() {
    let mut file = good();
    file["cron"] = json!("*/15 * * * *");
    file["recipes"][0]["cron"] = json!("*/5 * * * *");
    let flow = read(&file).unwrap().flows.remove(0);
    assert_eq!(flow.cron.as_deref(), Some("*/5 * * * *"));
}

/// Reads a flow of steps, named by one letter each, and returns the nodes that are
/// left and the edges with the mappings on them.
fn folded(ids: &str, connections: &[(&str, &str)]) -> (String, String) {
    let command = |id| match id {
        "m" | "n" => "mapper:map",
        _ => "debug:log",
    };
    let nodes: Vec<(&str, &str)> = ids.split(' ').map(|id| (id, command(id))).collect();
    let data = json!({ "m": { "mapper": { "a": "1" } }, "n": { "mapper": { "b": "2" } } });
    let recipe = read(&with_flow(flow(&nodes, connections, &data))).expect("a good flow");
    let graph = &recipe.flows[0].graph;
    let nodes: Vec<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    let edges: Vec<String> = graph
        .edges
        .iter()
        .map(|edge| {
            let source = edge.source.as_deref().unwrap_or_default();
            let config = edge.members.get("config");
            let mapper = config.and_then(|config| config["mapper"].as_object());
            let mapping: Vec<String> = mapper
                .into_iter()
                .flat_map(|mapper| mapper.values().map(|value| format!(" {value}")))
                .collect();
            format!("{source}-{}{}", edge.target, mapping.concat())
        })
        .collect();
    (nodes.join(" "), edges.join(", "))
}

#[test]
fn a_mapper_is_folded_only_where_an_edge_can_carry_it() {
    let cases = [
        (folded("a m", &[("a", "m")]), ("a m", "a-m")),
        (
            folded("a m n b", &[("a", "m"), ("m", "n"), ("n", "b")]),
            ("a n b", "a-n \"1\", n-b"),
        ),
        (
            folded("a n m b", &[("a", "m"), ("m", "n"), ("n", "b")]),
            ("a m b", "a-m, m-b \"2\""),
        ),
        (
            folded("a m b c", &[("a", "m"), ("m", "b"), ("m", "c")]),
            ("a m b c", "a-m, m-b, m-c"),
        ),
        (
            folded("a m b c", &[("a", "m"), ("a", "b"), ("m", "c"), ("b", "c")]),
            ("a b c", "a-c \"1\", a-b, b-c"),
        ),
        (
            folded("a m b", &[("a", "m"), ("m", "b"), ("a", "b")]),
            ("a m b", "a-m, m-b, a-b"),
        ),
        (
            folded("a m n b", &[("a", "m"), ("m", "b"), ("a", "n"), ("n", "b")]),
            ("a n b", "a-b \"1\", a-n, n-b"),
        ),
    ];
    for (got, (ids, edges)) in cases {
        assert_eq!((got.0.as_str(), got.1.as_str()), (ids, edges));
    }
}

#[test]
fn a_fault_names_its_file_and_place() {
    let nodes = "/recipes/0/recipe/nodes";
    let cases = [
        ("/recipes", json!([]), "recipes"),
        ("/recipes", json!({}), "recipes"),
        ("/recipes/0", json!("x"), "recipes.0"),
        ("/recipes/0/title", json!(""), "recipes.0.title"),
        ("/recipes/0/title", json!(null), "recipes.0.title"),
        ("/recipes/0/data", json!([]), "recipes.0.data"),
        ("/recipes/0/data", json!({ "s1": [] }), "recipes.0.data.s1"),
        (
            "/recipes/0/data",
            json!({ "s2": { "lookupTables": { "a": "None" } } }),
            "recipes.0.data.s2.lookupTables.a",
        ),
        ("/recipes/0/recipe", json!(null), "recipes.0.recipe"),
        (nodes, json!([]), "recipes.0.recipe.nodes"),
        (&format!("{nodes}/1"), json!(1), "recipes.0.recipe.nodes.1"),
        (
            &format!("{nodes}/1/id"),
            json!("s1"),
            "recipes.0.recipe.nodes.1.id",
        ),
        (
            &format!("{nodes}/1/compId"),
            json!("!"),
            "recipes.0.recipe.nodes.1.compId",
        ),
        (
            &format!("{nodes}/1/function"),
            json!(1),
            "recipes.0.recipe.nodes.1.function",
        ),
        (
            &format!("{nodes}/0/first"),
            json!(false),
            "recipes.0.recipe.nodes",
        ),
        (
            "/recipes/0/recipe/connections/1/to",
            json!("s9"),
            "recipes.0.recipe.connections.1.to",
        ),
        (
            "/recipes/0/recipe/connections/1",
            json!({ "from": "s2", "to": "s1" }),
            "recipes.0.recipe.nodes.0",
        ),
    ];
    for (pointer, value, place) in cases {
        let places = broken(pointer, value);
        assert_eq!(places[0], format!("recipe.json: {place}"), "{pointer}");
    }
    let mut file = good();
    file["cron"] = json!("often");
    assert_eq!(fields_of(read(&file)), ["recipe.json: cron"]);
    file = good();
    file["lookupTables"] = json!([]);
    assert_eq!(fields_of(read(&file)), ["recipe.json: lookupTables"]);
    file = good();
    file["recipes"] = vec![file["recipes"][0].clone(); FLOWS_MAX + 1].into();
    assert_eq!(fields_of(read(&file)), ["recipe.json: recipes"]);
}

#[test]
fn circles_mappers_at_the_beginning_and_second_beginnings_are_refused() {
    let circle = flow(
        &[("a", "timer:timer"), ("b", "debug:log"), ("c", "debug:log")],
        &[("a", "b"), ("b", "c"), ("c", "b")],
        &json!({}),
    );
    assert_eq!(
        fields_of(read(&with_flow(circle))),
        ["recipe.json: recipes.0.recipe.connections"]
    );
    let mapper = flow(
        &[("a", "mapper:map"), ("b", "debug:log")],
        &[("a", "b")],
        &json!({}),
    );
    assert_eq!(
        fields_of(read(&with_flow(mapper))),
        ["recipe.json: recipes.0.recipe.nodes.0"]
    );
    let second = flow(&[("a", "timer:timer"), ("b", "debug:log")], &[], &json!({}));
    assert_eq!(
        fields_of(read(&with_flow(second))),
        ["recipe.json: recipes.0.recipe.nodes.1"]
    );
}

#[test]
fn missing_large_and_unreadable_files_are_named_together() {
    let id = || RecipeId::of_folder("x").unwrap();
    let nothing = FolderFiles::default();
    assert_eq!(
        fields_of(parse(id(), &nothing, RecipeOrigin::Imported)),
        ["title.txt", "description.md", "recipe.json"]
    );
    let large = vec![b' '; FILE_MAX_BYTES + 1];
    let files = FolderFiles {
        recipe: Some(b"{\"recipes\": [}"),
        title: Some(b"\xff"),
        description: Some(&large),
        accounts: Some(b"[]"),
    };
    let error = parse(id(), &files, RecipeOrigin::Imported).unwrap_err();
    let lines: Vec<String> = error
        .fields()
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.message))
        .collect();
    assert_eq!(
        lines,
        [
            "title.txt is not UTF-8 at byte 0",
            "description.md is too large: at most 1048576 bytes",
            "accounts.json must be a JSON object",
            "recipe.json is not valid JSON (line 1, column 14)",
        ]
    );
}

#[test]
fn accounts_are_kept_as_they_are_or_refused_by_their_place() {
    let accounts = json!({ "timer": { "credentials": {
        "type": "object", "properties": { "a": { "type": "string", "options": ["x"] } }, "required": ["a"],
    } } });
    let recipe = read_with(&good(), Some(&accounts)).unwrap();
    assert_eq!(recipe.accounts.map(Value::from), Some(accounts));
    let recipe = read_with(&good(), Some(&json!({}))).unwrap();
    assert_eq!(recipe.accounts.map(Value::from), Some(json!({})));
    for (accounts, place) in [
        (json!({ "mapper": { "credentials": {} } }), "mapper"),
        (json!({ "!": { "credentials": {} } }), "!"),
        (json!({ "timer": {} }), "timer"),
        (
            json!({ "timer": { "credentials": { "properties": [] } } }),
            "timer.credentials.properties",
        ),
        (
            json!({ "timer": { "credentials": { "required": [1] } } }),
            "timer.credentials.required",
        ),
    ] {
        assert_eq!(
            fields_of(read_with(&good(), Some(&accounts))),
            [format!("accounts.json: {place}")]
        );
    }
}

#[test]
fn a_small_file_can_not_become_a_large_recipe() {
    let table: Value = (0..2_000)
        .map(|at| (format!("key {at}"), json!("x".repeat(100))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let targets: Value = (0..1_000)
        .map(|at| (format!("t{at}"), json!("T")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut file = good();
    file["lookupTables"] = json!({ "T": table });
    file["recipes"][0]["data"] = json!({ "s2": { "lookupTables": targets } });
    assert_eq!(
        fields_of(read(&file)),
        ["recipe.json: recipes.0.data.s2.lookupTables"]
    );
}

#[test]
fn a_list_of_faults_is_a_few_lines() {
    let nodes: Vec<Value> = (0..400).map(|_| json!({})).collect();
    let file = with_flow(json!({ "title": "x", "recipe": { "nodes": nodes } }));
    assert_eq!(fields_of(read(&file)).len(), 10);
}

#[test]
fn folder_names_become_ids() {
    let id = |name| RecipeId::of_folder(name).map(|id| id.to_string());
    assert_eq!(id("e-conomic_to_Podio").unwrap(), "e_conomic_to_podio");
    assert_eq!(
        id("53D61965A6B9E9183F000001").unwrap(),
        "53d61965a6b9e9183f000001"
    );
    for name in ["", "a b", "ü", "../x", &"x".repeat(101)] {
        assert_eq!(fields_of(RecipeId::of_folder(name)), ["folder"], "{name}");
    }
}
