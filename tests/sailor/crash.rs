//! kill -9 of the server in the middle of a component's message.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use elastane::app::user::Role;
use elastane::domain::principal::{Channel, Origin, Principal};
use serde_json::{Value, json};

use super::house::{Sailor, add_component, wait_for};
use crate::support::running::{call_at, ended, runs_of, started, steps_of};
use crate::support::{Actor, Installation, Served};

/// Leaves a process behind that hears of nothing, says so and waits for ever, the first
/// time.
const CODE: &str = r"
exports.process = async function (msg, cfg, snapshot) {
    if (snapshot.began) return { body: { survived: msg.body.n } };
    await this.emit('snapshot', { began: true });
    const daemon = ['-c', 'trap : HUP TERM; sleep 1000; :', process.env.TMPDIR];
    const options = { detached: true, stdio: 'ignore' };
    require('child_process').spawn('sh', daemon, options).unref();
    console.log('process works');
    await new Promise(() => {});
};
";

#[test]
fn a_server_that_dies_takes_its_processes_along_and_its_messages_back() {
    let installation = Installation::new();
    let database = installation.database();
    let (user, key) = installation.register("ada@example.com", Role::Member);
    let who = Principal::user(user.clone(), Origin::local(Channel::Api));
    let descriptor = json!({ "title": "Stuck", "actions": {
        "act": { "title": "Act", "main": "./act.js", "metadata": {} },
    } });
    let files = [("act.js", CODE)];
    let app = &installation.app;
    let component = add_component(app, &who, "stuck", Sailor::New, &descriptor, &files);
    app.close();
    let command = format!("{}/{}:act", component.team, component.slug);
    let mut served = Served::start(&database);
    let ada = Actor::of(&served.base, user.clone(), &key);
    let nodes = json!([
        { "id": "hook", "command": "elasticio/webhook:receive" },
        { "id": "step", "command": command },
    ]);
    let flow = started(
        &ada,
        &nodes,
        &json!([{ "source": "hook", "target": "step" }]),
    );
    assert_eq!(call_at(&served.base, &flow, &json!({ "n": 1 })).status, 200);
    wait_for("the component to work", || {
        let log = ada.get(&format!("/v2/flows/{flow}/logs")).text;
        log.contains("process works")
    });
    let folder = database.with_extension("scratch");
    assert!(
        processes_about(&folder) >= 2,
        "the component and its daemon"
    );
    served.kill();
    wait_for("both to die", || processes_about(&folder) == 0);
    let served = Served::start(&database);
    let ada = Actor::of(&served.base, user, &key);
    let run = runs_of(&ada, &flow);
    assert_eq!(run.len(), 1);
    let id = run[0]["id"].as_str().expect("an id").to_owned();
    let attributes = ended(&ada, &id);
    assert_eq!(attributes["status"], "success");
    // What a second record would need has time to come.
    sleep(Duration::from_millis(200));
    let steps = steps_of(&ada, &id);
    let of_step: Vec<&Value> = steps.iter().filter(|it| it["step_id"] == "step").collect();
    assert_eq!(of_step.len(), 1, "one row of the history");
    assert_eq!(of_step[0]["outputs"][0]["body"], json!({ "survived": 1 }));
    assert_eq!(runs_of(&ada, &flow).len(), 1);
}

/// Counts the processes whose words name something in a folder.
fn processes_about(folder: &Path) -> usize {
    let folder = folder.display().to_string();
    let all = fs::read_dir("/proc").expect("processes").flatten();
    all.filter(|entry| {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&folder)
    })
    .count()
}
