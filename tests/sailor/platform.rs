//! What the platform does for components: rebounds, keys, start-up data, files
//! (`runtime.md 3.6, 4.7`).

use elastane::app::step_run::{StepKey, StepRun};
use elastane::clock::Clock;
use elastane::domain::organization::Owner;
use elastane::domain::user::User;
use serde_json::{Map, Value, json};

use super::house::{House, Sailor, wait_for};
use crate::support::Installation;

/// What asks the API as the process of a step.
const REQUEST: &str = r"
const http = require('http');
const { ELASTICIO_API_URI: base, ELASTICIO_API_USERNAME: user, ELASTICIO_API_KEY: key } = process.env;
const request = (method, path, body = '', headers = {}) => new Promise((done, failed) => {
    const url = new URL(path, base);
    const auth = url.searchParams.has('token') ? undefined : user + ':' + key;
    const sent = http.request(url, { method, auth, headers }, (answer) => {
        let text = '';
        answer.on('data', (part) => text += part);
        answer.on('end', () => done({ status: answer.statusCode, text }));
    });
    sent.on('error', failed);
    sent.end(body);
});
";

/// Adds a component of one action, whose file begins with [`REQUEST`].
fn action(house: &House, code: &str) -> String {
    let descriptor = json!({ "title": "Asks", "actions": {
        "act": { "title": "Act", "main": "./act.js", "metadata": {} },
    } });
    let file = format!("{REQUEST}{code}");
    let files = [("act.js", file.as_str())];
    let component = house.component("asks", Sailor::New, &descriptor, &files);
    format!("{}/{}:act", component.team, component.slug)
}

/// Returns what a process of a flow's step signs in with.
fn begin(house: &House, flow: &str, user: &User) -> StepKey {
    house.server.installation.app.begin_step_run(StepRun {
        flow: flow.parse().expect("an id"),
        step: "hook".to_owned(),
        owner: Owner {
            user: user.id,
            organization: None,
        },
        component: "0123456789abcdef01234567".parse().expect("an id"),
        function: "receive".to_owned(),
        config: Map::new(),
        credential: None,
        passes_through: false,
        variables: Map::new(),
        snapshot: None,
        startup: None,
        result: None,
    })
}

#[test]
fn a_message_that_is_wanted_again_comes_again_up_to_a_limit() {
    let clock = Clock::fixed(1_800_000_000_000);
    let own = clock.clone();
    let installation = Installation::with(|options| options.clock = own);
    let house = House::over(installation, |options| options.rebound_limit = 2);
    let code = r"
exports.process = async function (msg, cfg, snapshot) {
    const seen = (snapshot.seen || 0) + 1;
    await this.emit('snapshot', { seen });
    if (seen > msg.body.times) return { body: { seen } };
    await this.emit('rebound', 'not yet ' + seen);
};
";
    let command = action(&house, code);
    let come_again = |times: u64, rebounds: usize| -> Value {
        let flow = house.flow(&[json!({ "id": "step", "command": command })]);
        assert_eq!(house.call(&flow, &json!({ "times": times })).status, 200);
        let path = format!("/v2/flow-executions?filter[flow]={flow}");
        for nth in 1..=rebounds {
            let mut waits = Value::Null;
            wait_for("the message to wait", || {
                let runs = house.ada.get(&path).json(200);
                let step = house.steps(&runs["data"][0]).pop().unwrap_or_default();
                waits = step;
                waits["status"] == "waiting" && waits["attempts"] == nth
            });
            assert_eq!(waits["error"]["message"], format!("not yet {nth}"));
            clock.advance(15_000 << (nth - 1));
            // The workers sleep for as long as it was before the clock was moved, unless
            // a flow starts.
            let _other = house.flow(&[]);
        }
        house.ended_runs(&flow, 1).remove(0)
    };
    let run = come_again(2, 2);
    assert_eq!(house.outputs(&run, "step"), [json!({ "seen": 3 })]);
    assert_eq!(house.steps(&run)[1]["attempts"], 3);
    let run = come_again(9, 2);
    let error = house.error(&run, "step");
    assert_eq!(error["message"], "Rebound limit exceeded");
    assert_eq!(run["attributes"]["status"], "error");
}

#[test]
fn a_component_renews_the_keys_of_its_own_credential_alone() {
    let house = House::new();
    let make = |name: &str| -> String {
        let keys = json!({ "user": "me", "oauth": { "access_token": "old" } });
        let sent = json!({ "name": name, "type": "third", "keys": keys });
        let made = house.ada.post("/v1/accounts", &sent).json(200);
        made["id"].as_str().expect("an id").to_owned()
    };
    let (own, other) = (make("own"), make("other"));
    let code = r"
exports.process = async function (msg, cfg) {
    await this.emit('updateKeys', { oauth: { access_token: 'new' } });
    const keys = JSON.stringify({ keys: { user: 'stolen' } });
    const json = { 'content-type': 'application/json' };
    const other = await request('PUT', '/v1/accounts/' + cfg.other, keys, json);
    const read = await request('GET', '/v1/accounts/' + cfg._account);
    return { body: { account: cfg._account, token: cfg.oauth.access_token, other: other.status, read: read.status } };
};
";
    let command = action(&house, code);
    let node = json!({
        "id": "step", "command": command, "credentials_id": own, "fields": { "other": other },
    });
    let flow = house.flow(&[node]);
    let run = house.run(&flow, &json!({}));
    let said = house.outputs(&run, "step");
    assert_eq!(said[0]["account"], own.as_str(), "{said:?}");
    assert_eq!(said[0]["other"], 404, "{said:?}");
    assert_ne!(said[0]["read"], 200, "{said:?}");
    let keys = |id: &str| {
        let shown = house.ada.get(&format!("/v1/accounts/{id}")).json(200);
        shown["keys"].clone()
    };
    let renewed = json!({ "user": "me", "oauth": { "access_token": "new" } });
    assert_eq!(keys(&own), renewed, "what was not emitted stays");
    assert_eq!(keys(&other)["user"], "me");
}

#[test]
fn start_up_data_is_kept_once_and_for_its_own_step() {
    let house = House::new();
    let flow = house.flow(&[]);
    let key = begin(&house, &flow, house.who.require_user().expect("a user"));
    let nobody = house.server.anonymous();
    let process = nobody.signing_in(&key.user, key.key.expose());
    let path = format!("/sailor-support/hooks/task/{flow}/startup/data");
    let missing = process.get(&path).json(404);
    assert_eq!(missing["error"], missing["message"]);
    let data = json!({ "hook": { "id": 7 } });
    assert_eq!(process.post(&path, &data).json(201), data);
    let taken = process.post(&path, &json!({})).json(409);
    assert!(taken["error"].is_string(), "{taken}");
    assert_eq!(process.get(&path).json(200), data);
    let other = "/sailor-support/hooks/task/0123456789abcdef01234567/startup/data";
    assert_eq!(process.get(other).status, 404);
    assert_eq!(house.ada.get(&path).status, 401, "a user's key is none");
    assert_eq!(process.delete(&path).status, 204);
    assert_eq!(process.get(&path).status, 404);
    // A hook may return any JSON.
    for data in [json!("an id"), json!([1, { "a": null }]), json!(7)] {
        assert_eq!(process.post(&path, &data).json(201), data);
        assert_eq!(process.get(&path).json(200), data);
        assert_eq!(process.delete(&path).status, 204);
    }
    let nothing = process.send("POST", &path, &[], "");
    assert_eq!((nothing.status, nothing.json(201)), (201, json!({})));
    assert_eq!(process.delete(&path).status, 204);
    assert_eq!(process.send("POST", &path, &[], "{").status, 400);
    let large = json!("x".repeat(70_000));
    assert_eq!(process.post(&path, &large).status, 413);
    house.server.installation.app.end_step_run(&key);
    assert_eq!(process.get(&path).status, 401);
}

#[test]
fn a_component_stores_a_file_and_passes_its_url_on() {
    let house = House::new();
    let code = r"
exports.process = async function () {
    const signed = JSON.parse((await request('POST', '/v2/resources/storage/signed-url')).text);
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const put = await request('PUT', signed.put_url, 'a,b\n1,2\n', type);
    const got = await request('GET', signed.get_url);
    const url = signed.get_url;
    return { body: { put: put.status, got: got.text }, attachments: { 'a.csv': { url, size: 8 } } };
};
";
    let command = action(&house, code);
    let flow = house.flow(&[json!({ "id": "step", "command": command })]);
    let run = house.run(&flow, &json!({}));
    let steps = house.steps(&run);
    let made = &steps[1]["outputs"][0];
    assert_eq!(made["body"], json!({ "put": 200, "got": "a,b\n1,2\n" }));
    let url = made["attachments"]["a.csv"]["url"].as_str();
    let path = url.expect("a URL").replace(&house.server.base, "");
    let fetched = house.server.anonymous().get(&path);
    assert_eq!((fetched.status, fetched.text.as_str()), (200, "a,b\n1,2\n"));
}

#[test]
fn a_body_that_is_too_large_for_a_message_goes_as_an_object() {
    let house = House::new();
    let code = r"
exports.process = async function (msg, cfg) {
    if (msg.body.text) return { body: { length: msg.body.text.length, headers: msg.headers } };
    return { body: { text: 'x'.repeat(cfg.size) }, headers: { mine: 'yes' } };
};
";
    let command = action(&house, code);
    let of = |size: u64| {
        let flow = house.flow(&[
            json!({ "id": "step", "command": command, "fields": { "size": size } }),
            json!({ "id": "after", "command": command }),
        ]);
        house.run(&flow, &json!({}))
    };
    let run = of(8_000_000);
    let body = house.outputs(&run, "after").remove(0);
    assert_eq!(body["length"], 8_000_000);
    assert_eq!(body["headers"]["mine"], "yes");
    let name = "x-ipaas-object-storage-id";
    assert_eq!(body["headers"].get(name), None, "{body}");
    let run = of(11_000_000);
    let error = house.error(&run, "step");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("Outgoing message size"), "{error}");
}

#[test]
fn objects_are_for_processes_of_their_owner_alone() {
    let house = House::new();
    let flow = house.flow(&[]);
    let process_of = |user: &User| {
        let key = begin(&house, &flow, user);
        let mut actor = house.server.anonymous();
        actor.authorization = Some(format!("Bearer {}:{}", key.user, key.key.expose()));
        actor
    };
    let bob = house.server.user("bob@example.com");
    let ours = process_of(house.ada.user.as_ref().expect("Ada"));
    let other = process_of(bob.user.as_ref().expect("Bob"));
    let csv = [("content-type", "text/csv")];
    let stored = ours.send("POST", "/objects", &csv, "a,b").json(201);
    let path = format!("/objects/{}", stored["objectId"].as_str().expect("an id"));
    let got = ours.get(&path);
    assert_eq!((got.status, got.text.as_str()), (200, "a,b"));
    assert_eq!(got.header("content-type"), Some("text/csv"));
    assert_eq!(other.get(&path).status, 404);
    assert_eq!(other.delete(&path).status, 404);
    assert_eq!(house.ada.get(&path).status, 401, "a user's key is none");
    assert_eq!(ours.delete(&path).status, 204);
    assert_eq!(ours.get(&path).status, 404);
}
