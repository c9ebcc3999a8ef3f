//! Recipes from folders: whole, or not at all with what is wrong.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Place;

/// Copies a bundled recipe to a folder of the place.
fn copy_bundled(place: &Place, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/recipes/timer_heartbeat");
    fs::create_dir(place.path(name)).expect("a folder");
    for file in ["recipe.json", "title.txt", "description.md"] {
        fs::copy(from.join(file), place.path(name).join(file)).expect("copied");
    }
}

/// Returns the ids of all recipes.
fn ids(place: &Place) -> Vec<String> {
    let listed = place.run(&["recipe", "list", "--json"]).json();
    let rows = listed.as_array().expect("an array");
    rows.iter()
        .map(|row| row["id"].as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn a_folder_is_imported_under_its_name_and_replaced() {
    let place = Place::installed();
    copy_bundled(&place, "My-Heartbeat");
    let text = place.run(&["recipe", "import", "My-Heartbeat"]).succeeds();
    assert!(text.contains("as my_heartbeat"), "{text}");
    let shown = place
        .run(&["recipe", "show", "my_heartbeat", "--json"])
        .json();
    assert_eq!(shown["origin"], "imported");
    assert_eq!(shown["tasks"], serde_json::json!(["Timer heartbeat"]));
    place.write("My-Heartbeat/title.txt", "Another title\n");
    place.run(&["recipe", "import", "My-Heartbeat/"]).succeeds();
    let shown = place
        .run(&["recipe", "show", "my_heartbeat", "--json"])
        .json();
    assert_eq!(shown["title"], "Another title");
    assert_eq!(ids(&place).len(), 5);
}

#[test]
fn a_bad_folder_says_what_is_wrong_and_leaves_nothing() {
    let place = Place::installed();
    let before = ids(&place);
    copy_bundled(&place, "broken");
    fs::remove_file(place.path("broken/title.txt")).expect("removed");
    place.write("broken/recipe.json", "{\"recipes\": []}");
    let told = place.run(&["recipe", "import", "broken"]).fails(3);
    assert!(told.contains("error: title"), "{told}");
    assert!(told.contains("hint: nothing was kept"), "{told}");
    let told = place.run(&["recipe", "import", "gone"]).fails(4);
    assert!(told.contains("gone does not exist"), "{told}");
    let told = place.run(&["recipe", "import", "elastane.db"]).fails(3);
    assert!(told.contains("is not a folder"), "{told}");
    copy_bundled(&place, "no name!");
    place.run(&["recipe", "import", "no name!"]).fails(3);
    assert_eq!(ids(&place), before);
}

#[test]
fn links_and_pipes_in_a_folder_are_refused() {
    let place = Place::installed();
    let before = ids(&place);
    copy_bundled(&place, "linked");
    place.write("secret.md", "a secret\n");
    fs::remove_file(place.path("linked/description.md")).expect("removed");
    std::os::unix::fs::symlink("../secret.md", place.path("linked/description.md"))
        .expect("a link");
    let told = place.run(&["recipe", "import", "linked"]).fails(3);
    assert!(
        told.contains("description.md is not a plain file"),
        "{told}"
    );
    copy_bundled(&place, "piped");
    let made = Command::new("mkfifo")
        .arg(place.path("piped/accounts.json"))
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let told = place.run(&["recipe", "import", "piped"]).fails(3);
    assert!(told.contains("accounts.json is not a plain file"), "{told}");
    assert_eq!(ids(&place), before);
}

#[test]
fn a_description_is_shown_in_its_lines() {
    let place = Place::installed();
    copy_bundled(&place, "lines");
    place.write(
        "lines/description.md",
        "First\r\norigin       bundled\n\n\tcode\u{1b}[2J\n",
    );
    place.run(&["recipe", "import", "lines"]).succeeds();
    let text = place.run(&["recipe", "show", "lines"]).succeeds();
    let from = text.find("description").expect("a description");
    let until = text.find("tasks").expect("tasks");
    assert_eq!(
        &text[from..until],
        "description  First\n             origin       bundled\n\n                 \
         code\u{fffd}[2J\n"
    );
}

#[test]
fn a_recipe_is_removed_only_when_that_is_meant() {
    let place = Place::installed();
    let told = place.run(&["recipe", "remove", "timer_heartbeat"]).fails(2);
    assert!(told.contains("--yes"), "{told}");
    place
        .run(&["recipe", "remove", "timer_heartbeat", "--yes"])
        .succeeds();
    let told = place
        .run(&["recipe", "remove", "timer_heartbeat", "--yes"])
        .fails(4);
    assert!(told.contains("elastane recipe list"), "{told}");
    place.run(&["recipe", "show", "../etc"]).fails(4);
}

/// A small recipe of API v2.
const DECLARED: &str = r#"{"data": {"type": "recipe", "attributes": {
    "info": {"title": "Declared"}, "declarations": {},
    "flow_templates": [{"title": "Log", "cron": "*/60 * * * *", "graph": {"nodes": [
        {"id": "step_1", "command": "elasticio/timer:timer@0a1b2c"}]}}]}}}"#;

#[test]
fn a_tree_gives_all_that_is_good_in_it_and_names_what_is_not() {
    let place = Place::installed();
    fs::create_dir_all(place.path("tree/more/empty")).expect("folders");
    fs::create_dir_all(place.path("tree/.git")).expect("a folder");
    copy_bundled(&place, "tree/first-one");
    copy_bundled(&place, "tree/broken");
    fs::remove_file(place.path("tree/broken/recipe.json")).expect("removed");
    copy_bundled(&place, "tree/more/first_one");
    copy_bundled(&place, "tree/more/second");
    copy_bundled(&place, "elsewhere");
    std::os::unix::fs::symlink("../elsewhere", place.path("tree/link")).expect("a link");
    place.write("tree/package.json", "{\"name\": \"recipes\"}");
    place.write("tree/README.md", "About it");
    place.write("tree/Third-One.json", DECLARED);
    place.write("tree/torn.json", "{\"flow_templates\": [");
    let wrong = DECLARED.replace("timer:timer@0a1b2c", "timer");
    place.write("tree/wrong.json", &wrong);
    let before = ids(&place);
    let (told, remarks) = place.run(&["recipe", "import", "tree"]).ends(3);
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "Imported Declared as third_one",
            "Imported Timer heartbeat as first_one",
            "Imported Timer heartbeat as second",
        ]
    );
    for line in [
        "error: broken: recipe.json is missing",
        "error: link: is a link to a folder",
        "error: more/first_one: has the id first_one, as another one in the same tree",
        "error: torn.json: the file is not valid JSON (line 1, column 20)",
        "error: wrong.json: flow_templates.0.graph.nodes.0.command must be \
         team/repo:function or team/repo:function@version",
        "error: 5 of 8 recipes were not imported",
    ] {
        assert!(remarks.lines().any(|it| it == line), "{line} in {remarks}");
    }
    assert_eq!(remarks.lines().count(), 7, "{remarks}");
    let mut after = ids(&place);
    after.retain(|id| !before.contains(id));
    after.sort();
    assert_eq!(after, ["first_one", "second", "third_one"]);
}

#[test]
fn a_recipe_of_the_second_api_is_a_folder_or_a_file() {
    let place = Place::installed();
    fs::create_dir(place.path("in-folder")).expect("a folder");
    place.write("in-folder/recipe.json", DECLARED);
    place.write("alone.json", DECLARED);
    for name in ["in-folder", "alone.json"] {
        place.run(&["recipe", "import", name]).succeeds();
    }
    for id in ["in_folder", "alone"] {
        let shown = place.run(&["recipe", "show", id, "--json"]).json();
        assert_eq!(shown["title"], "Declared");
        assert_eq!(shown["tasks"], serde_json::json!(["Log"]));
    }
    let torn = DECLARED.replace("flow_templates", "flows");
    place.write("torn.json", &torn);
    let told = place.run(&["recipe", "import", "torn.json"]).fails(3);
    assert!(told.contains("error: flow_templates is required"), "{told}");
}

#[test]
fn a_tree_has_limits() {
    let place = Place::installed();
    let deep = "deep/".to_owned() + &"a/".repeat(8);
    fs::create_dir_all(place.path(&deep)).expect("folders");
    let (_, told) = place.run(&["recipe", "import", "deep"]).ends(3);
    assert!(told.contains("is more than 5 folders deep"), "{told}");
    fs::create_dir(place.path("none")).expect("a folder");
    let told = place.run(&["recipe", "import", "none"]).fails(3);
    assert!(told.contains("title.txt is missing"), "{told}");
    fs::create_dir(place.path("large")).expect("a folder");
    place.write("large/a.json", &" ".repeat(1_100_000));
    let (_, told) = place.run(&["recipe", "import", "large"]).ends(3);
    assert!(
        told.contains("error: a.json: the file is too large"),
        "{told}"
    );
}
