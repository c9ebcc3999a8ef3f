//! Folders pushed without git, and builds that a dying server left without their row.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use elastane::store::{OpenMode, Store};

use super::build::{component, versions};
use super::given::{House, git, options_of};

/// Pushes a folder with the real binary.
fn push(house: &House, folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_elastane"))
        .args(["component", "push", "--to", "ada-s/hello", "--db"])
        .arg(house.server.installation.database())
        .arg(folder)
        .output()
        .expect("elastane")
}

#[test]
fn a_folder_becomes_a_version_beside_a_running_server_and_is_there_after_a_crash() {
    let house = House::new();
    let folder = house.desk.path().join("folder");
    for (name, text) in component("1.0.0", "true") {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    fs::create_dir_all(folder.join("node_modules/left-out")).expect("a folder");
    fs::write(folder.join("node_modules/left-out/index.js"), "").expect("a file");
    let pushed = push(&house, &folder);
    assert!(
        pushed.status.success(),
        "{}",
        String::from_utf8_lossy(&pushed.stderr)
    );
    let known = versions(&house);
    let revision = known[0]["id"].as_str().expect("an id").to_owned();
    let said = String::from_utf8_lossy(&pushed.stdout).into_owned();
    assert_eq!(said, format!("version 1 of ada-s/hello is {revision}\n"));

    let log = Command::new(env!("CARGO_BIN_EXE_elastane"))
        .args(["component", "log", "ada-s/hello", &revision, "--db"])
        .arg(house.server.installation.database())
        .output()
        .expect("elastane");
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    assert!(
        log.starts_with("warning: ") && log.ends_with("Build completed successfully\n"),
        "{log}"
    );

    let clone = house.desk.path().join("clone");
    let url = house.url(&house.ada, "ada-s/hello.git");
    git(house.desk.path(), &["clone", "-q", &url, "clone"]).well();
    assert!(clone.join("lib/say.js").is_file());
    assert!(!clone.join("node_modules").exists());

    let again = push(&house, &folder);
    assert_eq!(again.status.code(), Some(5), "nothing changed");
    assert_eq!(versions(&house).len(), 1);

    // As a server leaves it that dies after the ref moved and before the row came.
    let store = Store::open(&house.server.installation.database(), OpenMode::Existing);
    let store = store.expect("the database");
    let id = house.component.parse().expect("an id");
    let named = revision.clone();
    let gone = store.write(move |write| write.delete_component_version(id, &named));
    assert!(gone.expect("deleted"));
    store.close();
    assert!(versions(&house).is_empty());
    let new = house
        .server
        .installation
        .dir
        .path()
        .join("elastane.builds")
        .join(&house.component)
        .join("new");
    fs::create_dir_all(new.join("tree")).expect("a half build");
    let git = elastane::git::Git::open(
        house.server.installation.app.clone(),
        options_of(&house.server.installation),
    );
    git.expect("git").settle();
    assert_eq!(versions(&house)[0]["id"], revision.as_str());
    assert!(!new.exists());
}
