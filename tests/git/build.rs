//! Pushes that build: what becomes a version, and what is refused and leaves nothing.
//!
//! Where npm or its registry is missing these tests fail and say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::given::{House, command, commit, git, wait_for_line};

/// The repository of the tests.
const REPO: &str = "ada-s/hello.git";

/// A module that greets.
const SAY: &str = "exports.process = async (msg) => ({ body: { hi: msg.body.name } });";

/// A script that looks for what is not its own, does what it must not, and fails where it
/// gets somewhere.
///
/// It lies in `elastane.builds/ID/new/tree`. A process of the outside would have a high
/// number in /proc; its own begin at 1.
const SPY: &str = "
const fs = require('fs'), path = require('path'), net = require('net');
const { execFileSync, spawn } = require('child_process');
const data = path.resolve('../../../..');
const got = [];
const must_fail = (name, act) => { try { act(); got.push(name) } catch {} };
for (const ending of ['db', 'key', 'db-wal']) {
  must_fail(ending, () => fs.readFileSync(path.join(data, 'elastane.' + ending)));
}
for (const folder of [data, data + '/elastane.repositories', data + '/elastane.builds', '../..', '/', '/root', '/home']) {
  must_fail('list ' + folder, () => fs.readdirSync(folder));
}
must_fail('shadow', () => fs.readFileSync('/etc/shadow'));
must_fail('write', () => fs.writeFileSync('/usr/mine', ''));
must_fail('mount', () => execFileSync('mount', ['-t', 'tmpfs', 'none', '.'], { stdio: 'ignore' }));
must_fail('namespace', () => execFileSync('unshare', ['--user', 'true'], { stdio: 'ignore' }));
must_fail('kill', () => process.kill(OUTSIDE, 0));
const others = fs.readdirSync('/proc').filter((name) => Number(name) > 1000);
if (others.length !== 0) got.push('processes');
const names = Object.keys(process.env);
if (names.some((name) => /^ELASTANE_|^CARGO_|^GIT_/.test(name))) got.push('environment');
spawn('sh', ['-c', 'trap : TERM; sleep 1000'], { detached: true, stdio: 'ignore' }).unref();
const socket = net.connect(PORT, '127.0.0.1');
socket.on('connect', () => got.push('loopback'));
socket.on('error', () => {});
socket.on('close', () => {
  console.log('spied:', got.join());
  process.exit(got.length === 0 ? 0 : 3);
});
";

/// A picture of four bytes.
const LOGO: &str = "logo";

/// Returns the files of a component; `test` is its script of that name.
pub fn component(version: &str, test: &str) -> Vec<(&'static str, String)> {
    let descriptor = json!({
        "title": "Hello", "description": "Greets", "version": version, "credentials": {},
        "actions": { "say": {
            "title": "Say", "main": "./lib/say.js", "metadata": { "in": {}, "out": {} },
        } },
    });
    let package = json!({
        "name": "hello", "version": version, "scripts": { "test": test },
        "dependencies": { "elasticio-sailor-nodejs": "2.7.8" },
    });
    vec![
        ("component.json", descriptor.to_string()),
        ("package.json", package.to_string()),
        ("lib/say.js", SAY.to_owned()),
        ("logo.png", LOGO.to_owned()),
    ]
}

/// Returns files as the helpers take them.
pub fn borrowed<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect()
}

/// Returns the versions of Ada's component, the newest first.
pub fn versions(house: &House) -> Vec<Value> {
    let path = format!("/v2/components/{}/versions", house.component);
    let listed = house.ada.get(&path).json(200);
    listed["data"].as_array().expect("a list").clone()
}

/// Asserts that nothing of a refused push is there.
pub fn assert_nothing(house: &House) {
    assert!(versions(house).is_empty());
    let url = house.url(&house.ada, REPO);
    assert_eq!(
        git(house.desk.path(), &["ls-remote", &url, "refs/heads/*"]).well(),
        ""
    );
    let builds = house.server.installation.dir.path().join("elastane.builds");
    let left = fs::read_dir(builds.join(&house.component)).map_or_else(
        |_| Vec::new(),
        |all| all.map(|one| one.expect("an entry").file_name()).collect(),
    );
    let is_kept = |name: &std::ffi::OsString| name == "lock" || name == "npm";
    assert!(left.iter().all(is_kept), "{left:?}");
}

/// Makes a clone of a component whose scripts spy, with a lock file that does not fit, and
/// a submodule that would make the file of the returned path.
fn hostile(house: &House) -> (PathBuf, PathBuf) {
    let mut files = component("1.0.0", "node spy.js");
    // What installs may do as little as what tests.
    let package = files.iter_mut().find(|file| file.0 == "package.json");
    let package = &mut package.expect("a package").1;
    *package = package.replace("\"test\"", "\"postinstall\":\"node spy.js\",\"test\"");
    let port = house.server.base.rsplit(':').next().expect("a port");
    let own = std::process::id().to_string();
    let spy = SPY.replace("PORT", port).replace("OUTSIDE", &own);
    files.push(("spy.js", spy));
    let lock = json!({ "name": "hello", "version": "1.0.0", "lockfileVersion": 3, "packages": {} });
    files.push(("package-lock.json", lock.to_string()));
    let trap = house.desk.path().join("trapped");
    let module = "[submodule \"s\"]\n\tpath = s\n\turl = ext::sh -c touch% TRAP\n";
    let module = module.replace("TRAP", trap.to_str().expect("text"));
    files.push((".gitmodules", module));
    let clone = house.committed("one", "master", &borrowed(&files));
    let link = format!(
        "160000,{},s",
        git(&clone, &["rev-parse", "HEAD"]).well().trim()
    );
    git(&clone, &["update-index", "--add", "--cacheinfo", &link]).well();
    git(&clone, &["commit", "-q", "--amend", "--no-edit"]).well();
    (clone, trap)
}

#[test]
fn a_push_becomes_a_version_that_both_apis_show_and_only_a_higher_one_follows() {
    let house = House::new();
    let (clone, trap) = hostile(&house);
    let revision = git(&clone, &["rev-parse", "HEAD"]).well().trim().to_owned();
    let url = house.url(&house.ada, REPO);
    let said = git(&clone, &["push", &url, "master"]).well();
    for line in [
        "-- npm ci",
        "the lock file does not fit",
        "-- npm install",
        "spied: ",
        "Build completed successfully",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let known = versions(&house);
    assert_eq!(known[0]["id"], revision.as_str());
    assert_eq!(known[0]["attributes"]["version_number"], 1);
    let path = format!("/v2/components/{}/versions", house.component);
    let shown = house
        .ada
        .get(&format!("{path}/latest/descriptor"))
        .json(200);
    let shown = &shown["data"]["attributes"];
    assert_eq!(shown["language"], "nodejs");
    assert_eq!(shown["sailor_version"], "2.7.8");
    assert_eq!(shown["icon"], "bG9nbw==");
    let listed = house.ada.get("/v1/components/mine").json(200);
    assert_eq!(listed["components"][&house.component]["name"], "Hello");
    let app = &house.server.installation.app;
    let id = house.component.parse().expect("an id");
    let tree = app.build_path(id, &revision);
    assert!(
        tree.join("node_modules/elasticio-sailor-nodejs/run.js")
            .is_file()
    );
    assert!(tree.with_extension("log").is_file());
    assert!(!trap.exists());
    let inside = fs::read_dir(tree.join("s")).map_or(0, Iterator::count);
    assert_eq!(inside, 0, "nothing is fetched");

    commit(&clone, &[("readme.md", "more\n")]);
    let said = git(&clone, &["push", &url, "master"]).refused();
    assert!(
        said.contains("has the version 1.0.0, and the newest build has 1.0.0"),
        "{said}"
    );
    assert_eq!(versions(&house).len(), 1);
    // The same revision on the other branch is built already, and a branch may go.
    git(
        &clone,
        &["push", &url, &format!("{revision}:refs/heads/main")],
    )
    .well();
    assert_eq!(versions(&house).len(), 1);

    let bea = house.server.user("bea@example.com");
    assert_eq!(bea.delete(&format!("{path}/{revision}")).status, 404);
    let flow = flow_of(&house, &format!("ada-s/hello:say@{revision}"));
    assert_eq!(house.ada.delete(&format!("{path}/{revision}")).status, 409);
    assert_eq!(house.ada.delete(&flow).status, 204);
    let flow = flow_of(&house, "ada-s/hello:say");
    assert_eq!(house.ada.delete(&format!("{path}/latest")).status, 409);
    assert_eq!(house.ada.delete(&flow).status, 204);
    assert_eq!(house.ada.delete(&format!("{path}/latest")).status, 204);
    assert!(versions(&house).is_empty());
    assert!(!tree.exists());
}

/// Makes a flow with a step of this command and returns its path.
fn flow_of(house: &House, command: &str) -> String {
    let graph = json!({
        "nodes": [
            { "id": "a", "command": "elasticio/timer:timer", "first": true },
            { "id": "b", "command": command },
        ],
        "edges": [{ "source": "a", "target": "b" }],
    });
    let sent = json!({ "data": { "type": "flow", "attributes": {
        "name": "f", "type": "ordinary", "graph": graph,
    } } });
    let made = house.ada.post("/v2/flows", &sent).json(201);
    format!("/v2/flows/{}", made["data"]["id"].as_str().expect("an id"))
}

#[test]
fn what_is_no_component_is_refused_with_its_reason_before_npm_runs() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let sound = component("1.0.0", "true");
    let cases: &[(&str, Option<&str>, &str)] = &[
        ("component.json", None, "component.json is missing"),
        ("package.json", None, "package.json is missing"),
        ("component.json", Some("{"), "component.json is not JSON"),
        (
            "component.json",
            Some("{\"actions\":{\"1\":{}}}"),
            "error: actions.1 has no main",
        ),
        (
            "lib/say.js",
            None,
            "actions.say has the main ./lib/say.js, which is no file",
        ),
        (
            "package.json",
            Some("{\"dependencies\":{\"elasticio-sailor-nodejs\":\"^2.7.8\"}}"),
            "pin one version",
        ),
    ];
    for (number, (name, text, reason)) in cases.iter().enumerate() {
        let mut files = sound.clone();
        files.retain(|file| file.0 != *name);
        files.extend(text.map(|text| (*name, text.to_owned())));
        let clone = house.committed(&format!("c{number}"), "main", &borrowed(&files));
        let said = git(&clone, &["push", &url, "main"]).refused();
        assert!(
            said.contains(reason) && said.contains("pre-receive hook declined"),
            "{said}"
        );
        assert!(!said.contains("npm"), "{said}");
        assert_nothing(&house);
    }
}

#[test]
fn failed_tests_refuse_unless_they_are_skipped_and_typescript_is_compiled() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let mut files = component("1.0.0", "node -e \"process.exit(3)\"");
    files.retain(|file| file.0 != "lib/say.js" && file.0 != "package.json");
    let package = json!({
        "name": "hello", "version": "1.0.0", "scripts": { "test": "node -e \"process.exit(3)\"" },
        "dependencies": { "elasticio-sailor-nodejs": "2.7.8" },
        "devDependencies": { "typescript": "5.4.5" },
    });
    files.push(("package.json", package.to_string()));
    files.push((
        "src/say.ts",
        "export async function process(msg: any) { return { body: msg.body }; }".to_owned(),
    ));
    files.push(("tsconfig.json", "{\"compilerOptions\":{\"outDir\":\"lib\",\"module\":\"commonjs\",\"types\":[]},\"files\":[\"src/say.ts\"]}".to_owned()));
    let clone = house.committed("one", "master", &borrowed(&files));
    let said = git(&clone, &["push", &url, "master"]).refused();
    assert!(said.contains("npm test failed"), "{said}");
    assert!(said.contains("git push -o skip-tests"), "{said}");
    assert_nothing(&house);
    let said = git(&clone, &["push", "-o", "skip-tests", &url, "master"]).well();
    assert!(
        said.contains("npm test is left out") && said.contains("-- tsc"),
        "{said}"
    );
    let known = versions(&house);
    let revision = known[0]["id"].as_str().expect("an id");
    let id = house.component.parse().expect("an id");
    let tree = house.server.installation.app.build_path(id, revision);
    assert!(tree.join("lib/say.js").is_file());
    assert!(!tree.join("node_modules/typescript").exists(), "pruned");
}

#[test]
fn of_two_pushes_at_once_one_wins_and_the_other_hears_it() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    let pushes: Vec<_> = ["one", "two"]
        .into_iter()
        .map(|name| {
            let clone = house.committed(name, "master", &borrowed(&component("1.0.0", "true")));
            commit(&clone, &[("name.txt", name)]);
            command(&clone)
                .args(["push", &url, "master"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("git")
        })
        .collect();
    let ended: Vec<_> = pushes
        .into_iter()
        .map(|push| push.wait_with_output().expect("its end"))
        .collect();
    let texts: Vec<_> = ended
        .iter()
        .map(|one| String::from_utf8_lossy(&one.stderr))
        .collect();
    let won = ended.iter().filter(|one| one.status.success()).count();
    assert_eq!(won, 1, "{texts:?}");
    assert_eq!(versions(&house).len(), 1);
    let head = git(house.desk.path(), &["ls-remote", &url, "refs/heads/master"]).well();
    assert_eq!(head.split('\t').next(), versions(&house)[0]["id"].as_str());
}

#[test]
fn a_build_that_is_killed_refuses_its_push_and_stands_in_nobodys_way() {
    let house = House::new();
    let url = house.url(&house.ada, REPO);
    // The first test waits for ever, and is killed.
    let script = "
        const fs = require('fs'), mark = '../../npm/waited';
        if (!fs.existsSync(mark)) {
            fs.writeFileSync(mark, '');
            setInterval(() => {}, 1000);
            console.log('the test waits');
        }";
    let mut files = component("1.0.0", "node wait.js");
    files.push(("wait.js", script.to_owned()));
    let clone = house.committed("one", "master", &borrowed(&files));
    let push = command(&clone)
        .args(["push", &url, "master"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("git");
    let database = house.server.installation.database();
    let log = house
        .server
        .installation
        .dir
        .path()
        .join("elastane.builds")
        .join(&house.component)
        .join("new/log");
    wait_for_line(&log, "the test waits");
    let hook = hook_of(&database).expect("the hook that builds");
    let killed = Command::new("kill")
        .args(["-9", &hook.to_string()])
        .status();
    assert!(killed.expect("kill").success());
    let ended = push.wait_with_output().expect("its end");
    assert!(
        !ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(versions(&house).is_empty());
    git(&clone, &["push", &url, "master"]).well();
    assert_eq!(versions(&house).len(), 1);
}

/// Returns the process of our hook over a database.
fn hook_of(database: &Path) -> Option<u32> {
    let database = database.to_str().expect("text");
    fs::read_dir("/proc")
        .expect("processes")
        .flatten()
        .find_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (line.contains("git hook pre-receive") && line.contains(database)).then_some(number)
        })
}
