//! Lists on the command line: the console's words, its filters and its orders.

use super::Place;

#[test]
fn every_list_is_printed_in_every_form() {
    let place = Place::installed();
    for noun in [
        "user",
        "team",
        "flow",
        "task",
        "execution",
        "recipe",
        "component",
        "sshkey",
        "key",
        "credential",
        "audit",
        "organization",
        "lookup",
    ] {
        let json = place.run(&[noun, "list", "--json"]).json();
        assert!(json.is_array(), "{noun}: {json}");
        let csv = place.run(&[noun, "list", "--csv"]).succeeds();
        assert!(csv.starts_with("id,"), "{noun}: {csv}");
        place.run(&[noun, "list", "--table"]).succeeds();
        let told = place
            .run(&[noun, "list", "--filter", "colour:red"])
            .fails(2);
        assert!(told.contains("no field `colour`"), "{noun}: {told}");
        let told = place.run(&[noun, "list", "--sort", "colour"]).fails(2);
        assert!(told.contains("sorted by"), "{noun}: {told}");
    }
}

#[test]
fn lists_are_filtered_by_numbers_and_ages_and_sorted_by_fields() {
    let place = Place::installed();
    let names = |args: &[&str]| -> Vec<String> {
        let all = [&["component", "list", "--json"], args].concat();
        let found = place.run(&all).json();
        let rows = found.as_array().expect("an array").clone();
        let names = rows
            .iter()
            .map(|row| row["component"].as_str().expect("a text"));
        names.map(str::to_owned).collect()
    };
    let all = names(&[]);
    assert!(all.contains(&"elasticio/timer".to_owned()), "{all:?}");
    assert!(all.is_sorted(), "{all:?}");
    let mut turned = names(&["--sort", "component:desc"]);
    turned.reverse();
    assert_eq!(turned, all);
    assert_eq!(names(&["--filter", "tasks:>0"]), [] as [&str; 0]);
    assert_eq!(names(&["--filter", "tasks:0 age:<1h"]), all);
    assert_eq!(names(&["--filter", "age:>1h"]), [] as [&str; 0]);
    let found = names(&["--filter", "timer", "--filter", "is_builtin:yes"]);
    assert!(found.contains(&"elasticio/timer".to_owned()), "{found:?}");
    let told = place
        .run(&["component", "list", "--filter", "tasks:many"])
        .fails(2);
    assert!(told.contains("takes a number"), "{told}");
}
