//! Webhooks of flows, over real sockets (`runtime.md 4.5`).

use elastane::store::{OpenMode, Store};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer};

/// How a JSON body is announced.
const JSON: (&str, &str) = ("content-type", "application/json");

/// Makes a flow of API v2, starts it and returns its id.
fn started(who: &Actor, nodes: &Value, edges: &Value) -> String {
    let flow = json!({ "data": { "type": "flow", "attributes": {
        "name": "Hook", "type": "ordinary", "default_mapper_type": "jsonata",
        "graph": { "nodes": nodes, "edges": edges },
    } } });
    let made = who.post("/v2/flows", &flow).json(201);
    let id = made["data"]["id"].as_str().expect("an id").to_owned();
    let start = who.send("POST", &format!("/v2/flows/{id}/start"), &[], "");
    assert_eq!(start.status, 202, "{}", start.text);
    id
}

/// A flow that maps a call and replies.
fn replying(who: &Actor, mapper: &Value) -> String {
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "out", "command": "elasticio/request-reply:reply" },
    ]);
    let edges = json!([{ "source": "in", "target": "out", "config": { "mapper": mapper } }]);
    started(who, &nodes, &edges)
}

/// A flow whose second step runs code.
fn coding(who: &Actor, code: &str) -> String {
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive" },
        { "id": "code", "command": "elasticio/code:execute", "fields": { "code": code } },
    ]);
    started(who, &nodes, &json!([{ "source": "in", "target": "code" }]))
}

/// Calls a webhook with JSON, as somebody without credentials.
fn call(server: &TestServer, flow: &str, body: &Value) -> Answer {
    let nobody = server.anonymous();
    nobody.send("POST", &format!("/hook/{flow}"), &[JSON], &body.to_string())
}

#[test]
fn a_reply_step_answers_the_call_with_its_status_headers_and_body() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = replying(
        &ada,
        &json!({
            "responseBody": "{\"hello\": name}",
            "statusCode": "201",
            "customHeaders": "{\"x-more\": \"yes\"}",
        }),
    );
    let answer = call(&server, &flow, &json!({ "name": "Bob" }));
    assert_eq!(answer.json(201), json!({ "hello": "Bob" }));
    assert_eq!(answer.header("x-more"), Some("yes"));
    let execution = answer.header("x-execution-id").expect("the run").to_owned();
    let run = ada
        .get(&format!("/v2/flow-executions/{execution}"))
        .json(200);
    assert_eq!(run["data"]["attributes"]["status"], "success");
    assert_eq!(run["data"]["attributes"]["trigger"], "webhook");
    let steps = ada
        .get(&format!("/v2/flow-executions/{execution}/steps"))
        .json(200);
    let ids: Vec<&Value> = steps["data"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| &step["attributes"]["step_id"])
        .collect();
    assert_eq!(ids, ["in", "out"]);
}

#[test]
fn code_answers_with_http_reply_and_its_error_is_a_500() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = coding(
        &ada,
        "async function run(msg) { await this.emit('httpReply', \
         { statusCode: 418, body: 'tea', headers: { 'x-kind': 'green' } }); return {}; }",
    );
    let answer = call(&server, &flow, &json!({}));
    assert_eq!((answer.status, answer.text.as_str()), (418, "tea"));
    assert_eq!(answer.header("x-kind"), Some("green"));
    let flow = coding(
        &ada,
        "async function run() { if (false) this.emit('httpReply', {}); throw new Error('no luck'); }",
    );
    let answer = call(&server, &flow, &json!({}));
    assert_eq!(answer.json(500), json!({ "error": "no luck" }));
    assert!(answer.header("x-execution-id").is_some());
}

#[test]
fn a_flow_without_a_reply_is_thanked_for_at_once_with_the_id_of_the_request() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = coding(
        &ada,
        "async function run(msg) { return { got: msg.body.n }; }",
    );
    let path = format!("/hook/{flow}/a/b?n=7");
    let nobody = server.anonymous();
    let answer = nobody.send("GET", &path, &[("x-request-id", "mine-1")], "");
    assert_eq!(
        answer.json(200),
        json!({ "requestId": "mine-1", "message": "thank you" })
    );
    assert_eq!(nobody.send("HEAD", &path, &[], "").status, 200);
    let listed = format!("/v2/flow-executions?filter[flow]={flow}");
    let runs = ada.get(&listed).json(200);
    assert_eq!(runs["meta"]["total"], 1, "HEAD runs nothing: {runs}");
    assert_eq!(runs["data"][0]["attributes"]["request_id"], "mine-1");
}

#[test]
fn bodies_that_can_not_be_read_are_refused_and_nothing_runs() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = replying(&ada, &json!({ "responseBody": "$" }));
    let path = format!("/hook/{flow}");
    let nobody = server.anonymous();
    assert_eq!(nobody.send("POST", &path, &[JSON], "{").status, 400);
    let xml = ("content-type", "application/xml");
    assert_eq!(nobody.send("POST", &path, &[xml], "<a>").status, 400);
    assert_eq!(nobody.send("POST", &path, &[], "{}").status, 415);
    let packed = [JSON, ("content-encoding", "gzip")];
    let refused = nobody.send("POST", &path, &packed, "{}");
    assert!(
        refused.text.contains("Content-Encoding"),
        "{}",
        refused.text
    );
    assert_eq!(refused.status, 415);
    let listed = format!("/v2/flow-executions?filter[flow]={flow}");
    assert_eq!(ada.get(&listed).json(200)["meta"]["total"], 0);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let answer = nobody.send("POST", &path, &[form], "a=1&a=2&b=x").json(200);
    assert_eq!(
        (&answer["a"], &answer["b"]),
        (&json!(["1", "2"]), &json!("x"))
    );
    let plain = [JSON, ("content-encoding", "identity")];
    let answer = nobody.send("POST", &path, &plain, "{\"a\":1}");
    assert_eq!(answer.json(200)["a"], 1);
    let answer = nobody
        .send("POST", &path, &[xml], "<a n='1'><b>x</b></a>")
        .json(200);
    assert_eq!(answer["a"]["b"], "x");
}

#[test]
fn a_flow_that_does_not_run_is_404_and_after_ten_calls_in_vain_409() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = replying(&ada, &json!({ "responseBody": "1" }));
    let stopped = ada.send("POST", &format!("/v2/flows/{flow}/stop"), &[], "");
    assert_eq!(stopped.status, 202);
    let wanted = format!("Flow {flow} either does not exist or is inactive");
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let answer = call(&server, &flow, &json!({}));
                assert_eq!(answer.json(404), json!({ "error": wanted }));
            });
        }
    });
    assert_eq!(call(&server, &flow, &json!({})).status, 409);
}

#[test]
fn a_credential_on_the_trigger_decides_who_may_call() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let auth =
        json!({ "type": "API_KEY", "apiKey": { "headerName": "X-Key", "headerValue": "s3cret" } });
    let account = json!({ "name": "Key", "type": "webhook", "keys": { "auth": auth } });
    let account = ada.post("/v1/accounts", &account).json(200);
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive", "credentials_id": account["id"] },
        { "id": "out", "command": "elasticio/request-reply:reply" },
    ]);
    let edges = json!([{ "source": "in", "target": "out",
        "config": { "mapper": { "responseBody": "\"in\"" } } }]);
    let flow = started(&ada, &nodes, &edges);
    let path = format!("/hook/{flow}");
    let nobody = server.anonymous();
    assert_eq!(nobody.send("POST", &path, &[JSON], "{}").status, 401);
    assert_eq!(
        nobody
            .send("POST", &path, &[JSON, ("x-key", "wrong")], "{}")
            .status,
        401
    );
    let answer = nobody.send("POST", &path, &[JSON, ("x-key", "s3cret")], "{}");
    assert_eq!((answer.status, answer.text.as_str()), (200, "in"));
}

/// Makes a flow whose trigger wants a key in a header, which its credential holds.
fn locked(who: &Actor, auth: &Value) -> (String, String) {
    let account = json!({ "name": "Key", "type": "webhook", "keys": { "auth": auth } });
    let account = who.post("/v1/accounts", &account).json(200);
    let account = account["id"].as_str().expect("an id").to_owned();
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive", "credentials_id": account },
        { "id": "out", "command": "elasticio/debug:log" },
    ]);
    let flow = started(who, &nodes, &json!([{ "source": "in", "target": "out" }]));
    (flow, account)
}

#[test]
fn a_webhook_stays_shut_when_its_credential_is_gone_or_can_not_be_read() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let auth =
        json!({ "type": "API_KEY", "apiKey": { "headerName": "X-Key", "headerValue": "s3cret" } });
    let (flow, account) = locked(&ada, &auth);
    let path = format!("/hook/{flow}");
    let nobody = server.anonymous();
    let with_key = [JSON, ("x-key", "s3cret")];
    assert_eq!(nobody.send("POST", &path, &with_key, "{}").status, 200);
    // A credential in use can't be deleted, but it can pass to somebody else's hands.
    let database = server.installation.database();
    let store = Store::open(&database, OpenMode::Existing).expect("the database");
    store
        .write(move |write| {
            let sql = "DELETE FROM credentials WHERE id = ?1";
            let deleted = write.raw_for_tests().execute(sql, [account]);
            assert_eq!(deleted.expect("deleted"), 1);
            Ok(())
        })
        .expect("written");
    let renamed = json!({ "data": { "type": "flow", "id": flow, "attributes": { "name": "B" } } });
    ada.patch(&format!("/v2/flows/{flow}"), &renamed).json(200);
    for headers in [&with_key[..], &[JSON]] {
        assert_eq!(nobody.send("POST", &path, headers, "{}").status, 401);
    }
    let (flow, _) = locked(&ada, &json!("no object, and no JSON of one"));
    let path = format!("/hook/{flow}");
    assert_eq!(nobody.send("POST", &path, &[JSON], "{}").status, 401);
}

#[test]
fn who_is_not_let_in_stores_nothing() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let auth = json!({ "type": "BASIC", "basic": { "username": "a", "password": "b" } });
    let (flow, _) = locked(&ada, &auth);
    let nobody = server.anonymous();
    let binary = ("content-type", "application/octet-stream");
    let stored = || {
        let database = server.installation.database();
        let folder = database.with_file_name("elastane.objects");
        let shards = std::fs::read_dir(folder).into_iter().flatten().flatten();
        shards
            .filter_map(|shard| std::fs::read_dir(shard.path()).ok())
            .map(std::iter::Iterator::count)
            .sum::<usize>()
    };
    let before = stored();
    let refused = nobody.send("POST", &format!("/hook/{flow}"), &[binary], "bytes");
    assert_eq!(refused.status, 401);
    let unknown = "/hook/5f0000000000000000000abc";
    assert_eq!(nobody.send("POST", unknown, &[binary], "bytes").status, 404);
    assert_eq!(stored(), before);
    let basic = ("authorization", "Basic YTpi");
    let let_in = nobody.send("POST", &format!("/hook/{flow}"), &[binary, basic], "bytes");
    assert_eq!(let_in.status, 200, "{}", let_in.text);
    assert_eq!(stored(), before + 1, "the check sees what is stored");
}

#[test]
fn a_template_that_can_not_be_read_is_refused_on_save_with_its_place() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let broken = "{{#if name}}never closed";
    let task = |mapper: &Value| {
        json!({ "name": "Broken", "nodes": [
            { "action": "elasticio/webhook:receive" },
            { "action": "elasticio/mapper:map", "config": { "mapper": mapper } },
            { "action": "elasticio/request-reply:reply" },
        ] })
    };
    let deep = json!({ "responseBody": "{{name}}", "customHeaders": { "x": broken } });
    let refused = ada.post("/v1/tasks", &task(&deep));
    assert_eq!(refused.status, 400, "{}", refused.text);
    let place = "nodes.1.config.mapper.customHeaders.x";
    assert!(refused.text.contains(place), "{}", refused.text);
    let last = json!({ "name": "Broken", "nodes": [
        { "action": "elasticio/webhook:receive" },
        { "action": "elasticio/mapper:map", "config": { "mapper": { "a": broken } } },
    ] });
    let refused = ada.post("/v1/tasks", &last);
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(
        refused.text.contains("nodes.1.config.mapper.a"),
        "{}",
        refused.text
    );
    let flow = |default: &str, config: &Value| {
        json!({ "data": { "type": "flow", "attributes": {
            "name": "Broken", "type": "ordinary", "default_mapper_type": default,
            "graph": {
                "nodes": [
                    { "id": "in", "command": "elasticio/webhook:receive" },
                    { "id": "out", "command": "elasticio/debug:log" },
                ],
                "edges": [{ "source": "in", "target": "out", "config": config }],
            },
        } } })
    };
    let unnamed = json!({ "mapper": { "a": broken } });
    let named = json!({ "mapper_type": "handlebars", "mapper": { "a": broken } });
    for sent in [flow("handlebars", &unnamed), flow("jsonata", &named)] {
        let refused = ada.post("/v2/flows", &sent).json(400);
        let pointer = &refused["errors"][0]["source"]["pointer"];
        assert_eq!(pointer, "/data/attributes/graph/edges/0/config/mapper/a");
    }
    // Text of the other language is no fault until the flow says that it is of this one.
    let sent = flow("jsonata", &json!({ "mapper": { "a": "\"{{#if x}}\"" } }));
    let made = ada.post("/v2/flows", &sent).json(201);
    let id = made["data"]["id"].as_str().expect("an id");
    let changed = json!({ "data": { "type": "flow", "id": id, "attributes": {
        "default_mapper_type": "handlebars",
    } } });
    assert_eq!(ada.patch(&format!("/v2/flows/{id}"), &changed).status, 400);
}

#[test]
fn a_template_of_an_old_flow_that_can_not_be_read_fails_the_message() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let task = json!({ "name": "Broken", "nodes": [
        { "action": "elasticio/webhook:receive" },
        { "action": "elasticio/mapper:map",
          "config": { "mapper": { "responseBody": "{{name}} and so on" } } },
        { "action": "elasticio/request-reply:reply" },
    ] });
    let made = ada.post("/v1/tasks", &task).json(200);
    let id = made["id"].as_str().expect("an id");
    // What is saved is checked; what was saved before it was, is there.
    let store = Store::open(&server.installation.database(), OpenMode::Existing);
    store
        .expect("the database")
        .write(|write| {
            let sql = "UPDATE flows SET graph = replace(graph, '{{name}} and', '{{#if name}}')";
            assert_eq!(write.raw_for_tests().execute(sql, []).expect("changed"), 1);
            Ok(())
        })
        .expect("written");
    let start = ada.send("POST", &format!("/v1/tasks/start/{id}"), &[], "");
    assert_eq!(start.status, 200, "{}", start.text);
    let body = json!({ "name": "Bob", "responseBody": "unmapped" });
    let answer = call(&server, id, &body);
    assert_eq!(answer.status, 500, "{}", answer.text);
    let listed = format!("/v2/flow-executions?filter[flow]={id}");
    let runs = ada.get(&listed).json(200);
    assert_eq!(runs["data"][0]["attributes"]["status"], "error");
}

#[test]
fn a_message_that_was_put_back_says_why_it_waits() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = coding(
        &ada,
        "async function run() { await this.emit('rebound', 'the other side is asleep'); }",
    );
    assert_eq!(call(&server, &flow, &json!({})).status, 200);
    for _ in 0..200 {
        let runs = ada
            .get(&format!("/v2/flow-executions?filter[flow]={flow}"))
            .json(200);
        let run = runs["data"][0]["id"].as_str().expect("a run").to_owned();
        let steps = ada
            .get(&format!("/v2/flow-executions/{run}/steps"))
            .json(200);
        let step = &steps["data"][1]["attributes"];
        // Before its first attempt it waits too, for no reason of its own.
        if step["status"] == "waiting" && !step["error"].is_null() {
            assert_eq!(step["attempts"], 1);
            assert_eq!(step["error"]["message"], "the other side is asleep");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("it was never put back");
}

#[test]
fn the_url_of_a_call_is_as_it_was_sent_and_attachments_have_no_host_of_the_caller() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = coding(
        &ada,
        "async function run(msg) { await this.emit('httpReply', { statusCode: 200, \
         body: { own: msg.body._url, url: msg.url, file: msg.attachments } }); return {}; }",
    );
    let nobody = server.anonymous();
    let ask = |below: &str| {
        let path = format!("/hook/{flow}{below}");
        nobody.send("POST", &path, &[JSON], "{}").json(200)
    };
    for (below, url) in [
        ("/a%2Fb%3Fc/d%20e?n=%20", "/a%2Fb%3Fc/d%20e?n=%20"),
        ("/a/b", "/a/b"),
        ("?n=1", "/?n=1"),
        ("", "/"),
    ] {
        let told = ask(below);
        assert_eq!(
            (&told["own"], &told["url"]),
            (&json!(url), &json!(url)),
            "{below}"
        );
    }
    let headers = [("content-type", "image/png"), ("host", "evil.example.com")];
    let told = nobody.send("POST", &format!("/hook/{flow}"), &headers, "png");
    let told = told.json(200);
    let url = told["file"]["payload"]["url"].as_str().expect("a URL");
    let path = url.strip_prefix(&server.base).expect(url);
    assert_eq!(nobody.get(path).text, "png");
}
