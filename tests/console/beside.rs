//! The real console on a real terminal beside a running server: what either does is seen
//! by the other.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::terminal::{LOOK_MS, LOOKS_MAX, Shell};
use crate::support::TestServer;

/// Looks at something until it is so.
#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..LOOKS_MAX {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(LOOK_MS));
    }
    panic!("never: {what}");
}

#[test]
fn a_task_is_started_beside_a_running_server_and_its_runs_arrive() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "Weave", "type": "ordinary", "graph": {
            "nodes": [
                { "id": "in", "command": "elasticio/webhook:receive" },
                { "id": "out", "command": "elasticio/debug:log" },
            ],
            "edges": [{ "source": "in", "target": "out" }],
        },
    } } });
    let made = ada.post("/v2/flows", &flow).json(201);
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    let nobody = server.anonymous();
    let call = || {
        let hook = format!("/hook/{id}");
        let answer = nobody.send("POST", &hook, &[("content-type", "application/json")], "{}");
        answer.status
    };
    assert_ne!(call(), 200, "it stands still");

    let shell = Shell::open(100, 30);
    shell.console(&server.installation.database(), "");
    shell.press(&["5"]);
    shell.wait_for("No executions yet.");
    shell.press(&["4"]);
    shell.wait_for("Weave");
    shell.press(&["A"]);
    shell.wait_for("Start the task Weave?");
    shell.press(&["y"]);
    shell.wait_for("ok: started Weave");
    shell.press(&["5"]);
    eventually("the server runs what the console started", || call() == 200);
    shell.wait_for("1 row ");
    shell.wait_for("success");
    assert_eq!(call(), 200);
    shell.wait_for("+1 new, press r");
    shell.press(&["r"]);
    shell.wait_for("2 rows");
    shell.press(&["Enter"]);
    shell.wait_for("[Input]");
    shell.wait_for("Step 1");
    shell.press(&["q"]);
    shell.press(&["4"]);
    shell.wait_for("● run");
    shell.press(&["x"]);
    shell.wait_for("Stop the task Weave?");
    shell.press(&["y"]);
    shell.wait_for("ok: stopped Weave");
    eventually("the server runs it no more", || call() != 200);
    shell.press(&["q"]);
    shell.wait_for_end();
}

#[test]
fn a_rotated_key_is_shown_once_and_signs_in_where_the_old_one_does_not() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = "/v2/users/me";
    assert_eq!(ada.get(path).status, 200);
    let shell = Shell::open(100, 30);
    shell.console(&server.installation.database(), "");
    shell.press(&["8"]);
    shell.wait_for("No SSH keys yet.");
    shell.press(&["Tab"]);
    shell.wait_for("api_secret");
    shell.press(&["R"]);
    shell.wait_for("keeps working for 24 h");
    shell.press(&["BTab"]);
    shell.wait_for("The old key is dead at once.");
    shell.press(&["Enter"]);
    shell.wait_for("Type api_secret to confirm");
    assert_eq!(ada.get(path).status, 200, "Enter alone confirms nothing");
    shell.press(&["a", "p", "i", "_", "s", "e", "c", "r", "e", "t", "Enter"]);
    shell.wait_for("It is shown this once");
    let screen = shell.screen();
    let is_key = |word: &&str| word.len() == 36 && word.matches('-').count() == 4;
    let key = screen.split_whitespace().find(is_key).unwrap().to_owned();
    shell.press(&["Escape"]);
    shell.wait_for("filter  s sort");
    assert!(!shell.screen().contains(&key), "{}", shell.screen());
    let signed_in = server.anonymous().signing_in(&key, "");
    assert_eq!(signed_in.get(path).status, 200);
    eventually("the old key is refused", || ada.get(path).status == 401);
    shell.press(&["q"]);
    shell.wait_for_end();
    // Neither the history of the terminal nor the log holds it.
    assert!(!shell.history().contains(&key));
}
