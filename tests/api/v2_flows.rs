//! Flows and recipes on the wire of v2 (`v2.md 4.4, 6.4, 8`).

use elastane::domain::principal::{Channel, Principal};
use elastane::domain::recipe::RecipeId;
use elastane::domain::recipe::folder::FolderFiles;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer};

/// The documented graph, with components that are there.
fn graph() -> Value {
    json!({
        "nodes": [
            { "id": "step_1", "command": "elasticio/timer:timer", "fields": { "interval": "minute" } },
            { "id": "step_2", "command": "elasticio/debug:log@latest", "name": "", "anything": [1] },
        ],
        "edges": [{
            "id": "mapper:step_1:step_2",
            "source": "step_1",
            "target": "step_2",
            "config": {
                "mapper_type": "jsonata",
                "condition": null,
                "mapper": { "to": "\"info@acme.org\"", "textBody": "fireTime" },
            },
        }],
    })
}

/// The documented creation.
fn new(name: &str) -> Value {
    json!({ "data": {
        "type": "flow",
        "attributes": {
            "name": name, "type": "ordinary", "graph": graph(),
            "description": null, "cron": null, "default_mapper_type": "jsonata",
        },
    } })
}

/// Makes a flow and returns its document.
fn make(actor: &Actor, name: &str) -> Value {
    actor.post("/v2/flows", &new(name)).json(201)
}

/// Returns the path of what a document shows.
fn path_of(document: &Value) -> String {
    document["data"]["links"]["self"]
        .as_str()
        .expect("a link")
        .to_owned()
}

/// A change of a flow.
fn change(flow: &Value, attributes: &Value) -> Value {
    json!({ "data": { "type": "flow", "id": flow["data"]["id"], "attributes": attributes } })
}

#[test]
fn a_flow_is_made_read_changed_and_deleted() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let made = make(&ada, "Timer to E-Mail");
    let path = path_of(&made);
    let attributes = &made["data"]["attributes"];
    assert_eq!(
        made["data"],
        json!({
            "type": "flow",
            "id": path.rsplit('/').next(),
            "attributes": {
                "name": "Timer to E-Mail",
                "status": "inactive",
                "current_status": "inactive",
                "type": "ordinary",
                "graph": graph(),
                "api_version": "2.0",
                "created_at": attributes["created_at"],
                "updated_at": attributes["updated_at"],
                "missed": "once",
                "variables": {},
                "default_mapper_type": "jsonata",
                "nodes_config": {},
            },
            "relationships": { "user": {
                "data": { "type": "user", "id": ada.id() },
                "links": { "self": format!("/v2/users/{}", ada.id()) },
            } },
            "links": { "self": path },
        })
    );
    assert_eq!(ada.get(&path).json(200), made);
    let sent = change(
        &made,
        &json!({
            "name": "this is a test task", "type": "long_running", "cron": "*/5 * * * *",
            "description": "why", "time_zone": "UTC", "missed": "all",
            "variables": { "a": 1 }, "status": "active",
            "nodes_config": { "step_2": { "prefetch": 3 } },
        }),
    );
    let changed = ada.patch(&path, &sent).json(200);
    let now = &changed["data"]["attributes"];
    for (name, value) in sent["data"]["attributes"].as_object().expect("attributes") {
        let expected = if name == "status" {
            &json!("inactive")
        } else {
            value
        };
        assert_eq!(&now[name], expected, "{name}");
    }
    assert_eq!(now["graph"], graph());
    let cleared = change(
        &made,
        &json!({ "cron": null, "description": null, "time_zone": null }),
    );
    let cleared = ada.patch(&path, &cleared).json(200);
    for name in ["cron", "description", "time_zone"] {
        assert!(cleared["data"]["attributes"].get(name).is_none(), "{name}");
    }
    assert_eq!(cleared["data"]["attributes"]["missed"], "all");
    assert_eq!(ada.delete(&path).status, 204);
    assert_eq!(ada.get(&path).status, 410);
}

#[test]
fn a_flow_starts_and_stops_as_each_document_says() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = path_of(&make(&ada, "f"));
    let post = |action: &str, headers: &[(&str, &str)]| {
        ada.send("POST", &format!("{path}/{action}"), headers, "")
    };
    let status = || ada.get(&path).json(200)["data"]["attributes"]["status"].clone();
    let json_type = [("content-type", "application/json")];
    for _ in 0..2 {
        let started = post("start", &json_type);
        assert_eq!((started.status, started.text.as_str()), (202, ""));
        assert_eq!(status(), "active");
    }
    for _ in 0..2 {
        let stopped = post("stop/", &json_type);
        assert_eq!((stopped.status, stopped.text.as_str()), (202, ""));
        assert_eq!(status(), "inactive");
    }
    let later = post("start", &[("x-elastane-compat", "later")]).json(202);
    assert_eq!(later["data"]["attributes"]["status"], "active");
    assert!(later["data"]["attributes"]["last_start_time"].is_string());
    let stopped = post("stop?compat=later", &[]).json(202);
    assert_eq!(stopped, json!({ "data": {}, "meta": {} }));
    let preferred = post("start", &[("prefer", "wait=5, return=representation")]);
    assert_eq!(preferred.json(202)["data"]["links"]["self"], path);
    let active = post("start?compat=later", &[]).json(202);
    let sent = change(
        &active,
        &json!({ "graph": { "nodes": [graph()["nodes"][0]] } }),
    );
    assert_eq!(
        ada.patch(&path, &sent).status,
        200,
        "an active flow may be changed"
    );
    let id = path.rsplit('/').next().expect("an id");
    let suspended = ada.post(&format!("/v1/tasks/suspend/{id}"), &json!({}));
    assert_eq!(suspended.status, 200);
    let shown = ada.get(&path).json(200);
    assert_eq!(shown["data"]["attributes"]["status"], "inactive");
    assert_eq!(shown["data"]["attributes"]["current_status"], "suspended");
}

#[test]
fn a_flow_may_be_drafted_and_its_start_names_what_is_missing() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for (command, wanted) in [
        ("nobody/nothing:send", "nobody/nothing"),
        ("elasticio/nothing:go", "elasticio/nothing, which is not"),
        (
            "elasticio/lookup:lookup",
            "the lookup table `Lands`, which is not",
        ),
    ] {
        let mut sent = new("draft");
        let node = &mut sent["data"]["attributes"]["graph"]["nodes"][1];
        node["command"] = json!(command);
        node["fields"] = json!({ "lookup": "Lands" });
        let made = ada.post("/v2/flows", &sent).json(201);
        let refused = ada.send("POST", &format!("{}/start", path_of(&made)), &[], "");
        let errors = refused.json(409);
        let told = errors["errors"][0]["detail"].as_str().expect("a text");
        assert!(
            told.starts_with("step_2 ") && told.contains(wanted),
            "{told}"
        );
        assert!(errors["errors"][0].get("source").is_none());
    }
}

#[test]
fn faults_of_a_graph_are_told_by_place() {
    let server = TestServer::start();
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let hers = eve.post("/v1/accounts", &json!({})).json(200)["id"].clone();
    let node = |id: &str, command: &str| json!({ "id": id, "command": command });
    let edge = |source: &str, target: &str| json!({ "source": source, "target": target });
    let timer = || node("a", "elasticio/timer:timer");
    let log = || node("b", "elasticio/debug:log");
    let with_credential = |mut node: Value, id: &Value| {
        node["credentials_id"] = id.clone();
        node
    };
    let before = ada.get("/v2/flows").json(200);
    for (nodes, edges, pointer) in [
        (json!([]), json!([]), "graph/nodes"),
        (json!([timer(), timer()]), json!([]), "graph/nodes/1/id"),
        (
            json!([node("", "elasticio/timer:timer")]),
            json!([]),
            "graph/nodes/0/id",
        ),
        (
            json!([node("a", "timer")]),
            json!([]),
            "graph/nodes/0/command",
        ),
        (json!([log()]), json!([]), "graph/nodes/0/command"),
        (
            json!([timer(), node("b", "elasticio/timer:timer")]),
            json!([edge("a", "b")]),
            "graph/nodes/1/command",
        ),
        (
            json!([timer()]),
            json!([edge("a", "x")]),
            "graph/edges/0/target",
        ),
        (json!([timer(), log()]), json!([]), "graph/nodes/1"),
        (
            json!([timer(), log(), node("c", "elasticio/debug:log")]),
            json!([edge("a", "b"), edge("b", "c"), edge("c", "b")]),
            "graph/edges",
        ),
        (
            json!([with_credential(timer(), &hers)]),
            json!([]),
            "graph/nodes/0/credentials_id",
        ),
        (
            json!([with_credential(timer(), &json!("x"))]),
            json!([]),
            "graph/nodes/0/credentials_id",
        ),
    ] {
        let mut sent = new("f");
        sent["data"]["attributes"]["graph"] = json!({ "nodes": nodes, "edges": edges });
        let answer = ada.post("/v2/flows", &sent).json(400);
        let expected = format!("/data/attributes/{pointer}");
        assert_eq!(
            answer["errors"][0]["source"]["pointer"], expected,
            "{answer}"
        );
    }
    assert_eq!(ada.get("/v2/flows").json(200), before, "nothing was made");
}

#[test]
fn faults_of_attributes_are_told_by_place() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let before = ada.get("/v2/flows").json(200);
    for (name, value) in [
        ("name", json!("")),
        ("name", json!(7)),
        ("type", json!("slow")),
        ("graph", json!([])),
        ("cron", json!("every day")),
        ("time_zone", json!("Mars/Olympus")),
        ("missed", json!("never")),
        ("variables", json!([])),
        ("default_mapper_type", json!("xslt")),
    ] {
        let mut sent = new("f");
        sent["data"]["attributes"][name] = value;
        let answer = ada.post("/v2/flows", &sent).json(400);
        let pointer = format!("/data/attributes/{name}");
        assert_eq!(
            answer["errors"][0]["source"]["pointer"], pointer,
            "{answer}"
        );
    }
    let team = json!({ "data": { "type": "team" } });
    assert_eq!(ada.post("/v2/flows", &team).status, 409);
    assert_eq!(ada.get("/v2/flows").json(200), before, "nothing was made");
}

#[test]
fn flows_are_listed_in_pages_sorted_filtered_and_searched() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let (b, a) = (make(&ada, "beta"), make(&ada, "Alpha 100%"));
    let described = change(
        &b,
        &json!({ "description": "Sends MAIL", "type": "long_running" }),
    );
    assert_eq!(ada.patch(&path_of(&b), &described).status, 200);
    let started = ada.send("POST", &format!("{}/start", path_of(&a)), &[], "");
    assert_eq!(started.status, 202);
    let names = |query: &str| -> Vec<String> {
        let listed = ada.get(&format!("/v2/flows{query}")).json(200);
        let flows = listed["data"].as_array().expect("a list").iter();
        let names: Vec<String> = flows
            .map(|flow| {
                flow["attributes"]["name"]
                    .as_str()
                    .expect("a text")
                    .to_owned()
            })
            .collect();
        assert_eq!(listed["meta"]["total"], names.len(), "{query}");
        names
    };
    let (alpha, beta) = ("Alpha 100%", "beta");
    let nothing: [&str; 0] = [];
    assert_eq!(names(""), [beta, alpha], "by id");
    assert_eq!(names("?sort=name"), [alpha, beta]);
    assert_eq!(names("?sort=-name"), [beta, alpha]);
    assert_eq!(names("?sort=-created_at"), [alpha, beta]);
    assert_eq!(names("?sort=updated_at"), [beta, alpha]);
    assert_eq!(names("?search=mail"), [beta]);
    assert_eq!(names("?search=0%25"), [alpha]);
    assert_eq!(names("?search=_"), nothing);
    assert_eq!(names("?filter[status]=active"), [alpha]);
    assert_eq!(names("?filter%5Bstatus%5D=inactive"), [beta]);
    assert_eq!(names("?filter[type]=long_running"), [beta]);
    assert_eq!(names(&format!("?filter[user]={}", ada.id())), [beta, alpha]);
    assert_eq!(names("?filter[user]=x"), nothing);
    assert_eq!(names("?filter[has_draft]=true"), nothing);
    assert_eq!(names("?filter[has_draft]=false&sort=name"), [alpha, beta]);
    let second = ada
        .get("/v2/flows/?page%5Bsize%5D=1&page%5Bnumber%5D=2")
        .json(200);
    assert_eq!(second["data"][0]["attributes"]["name"], alpha);
    let meta = json!({ "page": 2, "per_page": 1, "total": 2, "total_pages": 2 });
    assert_eq!(second["meta"], meta);
    for (query, parameter) in [
        ("filter[status]=running", "filter[status]"),
        ("filter[type]=slow", "filter[type]"),
        ("filter[has_draft]=maybe", "filter[has_draft]"),
        ("sort=status", "sort"),
        ("page[number]=0", "page[number]"),
    ] {
        let answer = ada.get(&format!("/v2/flows?{query}")).json(400);
        assert_eq!(answer["errors"][0]["source"]["parameter"], parameter);
    }
}

#[test]
fn anothers_flow_is_not_there() {
    let server = TestServer::start();
    let (ada, eve) = (
        server.user("ada@example.com"),
        server.user("eve@example.com"),
    );
    let made = make(&ada, "f");
    let path = path_of(&made);
    assert_eq!(eve.get(&path).status, 404);
    assert_eq!(
        eve.patch(&path, &change(&made, &json!({ "name": "x" })))
            .status,
        404
    );
    assert_eq!(eve.delete(&path).status, 404);
    assert_eq!(eve.get("/v2/flows").json(200)["meta"]["total"], 0);
    assert_eq!(eve.get("/v2/flows").json(200)["meta"]["total_pages"], 0);
}

#[test]
fn recipes_are_read_under_their_later_names() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let listed = ada.get("/v2/recipes/").json(200);
    assert_eq!(listed["meta"]["total"], 4);
    let one = ada.get("/v2/recipes/53d61965a6b9e9183f000001").json(200);
    assert_eq!(one["data"], listed["data"][0]);
    let attributes = &one["data"]["attributes"];
    let old = ada.get("/v1/recipes/53d61965a6b9e9183f000001").json(200);
    assert_eq!(attributes["info"]["title"], old["title"]);
    assert_eq!(attributes["visibility"], "global");
    let declared = attributes["declarations"]["credentials"].as_array();
    assert_eq!(
        declared.map(Vec::len),
        old["accounts"].as_object().map(serde_json::Map::len)
    );
    assert!(attributes["flow_templates"][0]["graph"]["nodes"].is_array());
    assert_eq!(ada.get("/v2/recipes/nothing").status, 404);
}

#[test]
fn a_change_is_made_to_the_state_that_was_read_or_not_at_all() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let made = ada.post("/v2/flows", &new("f"));
    let flow = made.json(201);
    let path = path_of(&flow);
    let tag_of = |answer: &Answer| answer.header("etag").expect("a tag").to_owned();
    let first = tag_of(&made);
    assert_eq!(tag_of(&ada.get(&path)), first);
    let rename = |tag: &str, name: &str| {
        let headers = [("if-match", tag), ("content-type", "application/json")];
        let sent = change(&flow, &json!({ "name": name })).to_string();
        ada.send("PATCH", &path, &headers, &sent)
    };
    let second = rename(&first, "g");
    assert_eq!(second.status, 200);
    let second = tag_of(&second);
    assert_ne!(second, first);
    for outdated in [&first, "\"x\"", "", &format!("W/{second}")] {
        let refused = rename(outdated, "h");
        let told = refused.json(412);
        assert_eq!(told["errors"][0]["code"], "outdated", "{outdated}");
        assert_eq!(told["errors"][0]["status"], "412");
    }
    assert_eq!(ada.get(&path).json(200)["data"]["attributes"]["name"], "g");
    let listed = format!("{first}, {second}");
    let third = tag_of(&rename(&listed, "h"));
    assert_eq!(rename("*", "i").status, 200);
    // A start is a change, too, and none hides behind another of the same millisecond.
    let states: Vec<String> = ["start", "stop"]
        .map(|verb| {
            let sent = ada.send("POST", &format!("{path}/{verb}"), &[], "");
            assert_eq!(sent.status, 202);
            tag_of(&ada.get(&path))
        })
        .into();
    assert_ne!(states[0], states[1]);
    assert!(!states.contains(&third));
}

#[test]
fn a_flow_that_waits_for_its_time_says_when_that_is() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = path_of(&make(&ada, "f"));
    let due = || ada.get(&path).json(200)["data"]["attributes"]["due_execution"].clone();
    assert_eq!(due(), Value::Null);
    let started = ada.send("POST", &format!("{path}/start?compat=later"), &[], "");
    let started = started.json(202)["data"]["attributes"].clone();
    let (due_at, started_at) = (&started["due_execution"], &started["last_start_time"]);
    assert!(due_at.as_str().expect("a time") > started_at.as_str().expect("a time"));
    assert_eq!(&due(), due_at);
    assert_eq!(
        ada.send("POST", &format!("{path}/stop"), &[], "").status,
        202
    );
    assert_eq!(due(), Value::Null);
}

#[test]
fn a_search_and_an_order_ignore_case_in_every_script() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for name in ["ÄRGER im Büro", "Заказы", "ΟΔΟΣ"] {
        make(&ada, name);
    }
    for (search, found) in [
        ("%C3%A4rger%20IM%20B%C3%9CRO", 1),
        ("%D0%B7%D0%B0%D0%9A%D0%90%D0%97", 1),
        ("%CE%BF%CE%B4%CE%BF%CF%82", 1),
        ("arger", 0),
    ] {
        let listed = ada.get(&format!("/v2/flows?search={search}")).json(200);
        assert_eq!(listed["meta"]["total"], found, "{search}");
        assert_eq!(listed["data"].as_array().map(Vec::len), Some(found));
    }
    make(&ada, "ärmel");
    make(&ada, "b");
    make(&ada, "C");
    let names = |sort: &str| {
        let listed = ada.get(&format!("/v2/flows?sort={sort}")).json(200);
        let data = listed["data"].as_array().expect("flows").clone();
        let names = data.iter().map(|flow| flow["attributes"]["name"].clone());
        names.collect::<Vec<_>>()
    };
    let mut sorted = vec!["b", "C", "ÄRGER im Büro", "ärmel", "ΟΔΟΣ", "Заказы"];
    assert_eq!(names("name"), sorted);
    sorted.reverse();
    assert_eq!(names("-name"), sorted);
}

#[test]
fn a_recipe_shows_what_it_declares() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let declarations = json!({
        "credentials": [{ "id": "shop", "help": { "description": "The shop", "link": "/docs" } }],
        "variables": [{ "id": "region", "title": "Region" }],
    });
    let info = json!({
        "title": "Orders", "author": "Ada", "description": "Copies orders",
        "short_description": "Orders",
    });
    let node = json!({
        "id": "step_1", "command": "elasticio/timer:timer@latest", "credentials_id": "shop",
    });
    let sent = json!({
        "declarations": declarations, "info": info,
        "flow_templates": [{ "title": "Orders", "cron": "*/5 * * * *", "graph": {
            "nodes": [node], "edges": [],
        } }],
    });
    let text = sent.to_string();
    let files = FolderFiles {
        recipe: Some(text.as_bytes()),
        ..FolderFiles::default()
    };
    let id = RecipeId::parse("orders").expect("an id");
    let operator = Principal::operator(Channel::Cli);
    let app = &server.installation.app;
    app.import_recipe(&operator, id, &files).expect("imported");
    let shown = ada.get("/v2/recipes/orders").json(200);
    let attributes = &shown["data"]["attributes"];
    assert_eq!(attributes["declarations"], declarations);
    assert_eq!(attributes["info"], info);
    assert_eq!(attributes["visibility"], "tenant");
    assert_eq!(attributes["flow_templates"], sent["flow_templates"]);
}

/// Opens the database beside the server, as another process does.
#[expect(clippy::disallowed_methods, reason = "a test changes rows")]
fn rows_of(server: &TestServer) -> Connection {
    Connection::open(server.installation.database()).expect("the database")
}

#[test]
fn a_page_that_was_asked_for_before_shows_every_change_at_once() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = make(&ada, "f");
    let path = path_of(&flow);
    let page = || ada.get("/v2/flows?page[size]=50").json(200);
    let check = |what: &str| {
        let one = ada.get(&path).json(200);
        let listed = page();
        assert_eq!(listed["data"][0], one["data"], "{what}");
        assert_eq!(page(), listed, "{what}, asked again");
    };
    check("as it was made");
    let mut longer = graph();
    longer["nodes"][1]["name"] = json!("Log");
    for attributes in [
        json!({ "graph": longer }),
        json!({ "cron": "0 4 * * *" }),
        json!({ "name": "g", "description": "why", "type": "long_running" }),
        json!({ "time_zone": "Europe/Berlin", "missed": "skip", "variables": { "a": 1 } }),
        json!({ "nodes_config": { "step_2": { "prefetch": 2 } }, "default_mapper_type": null }),
    ] {
        let changed = ada.patch(&path, &change(&flow, &attributes));
        assert_eq!(changed.status, 200, "{}", changed.text);
        check(&attributes.to_string());
    }
    for verb in ["start", "stop"] {
        let sent = ada.send("POST", &format!("{path}/{verb}"), &[], "");
        assert_eq!(sent.status, 202);
        check(verb);
    }
    // A schedule that fires changes the time of the next one, and nothing else.
    rows_of(&server)
        .execute("UPDATE flows SET due_at = 1900000000000", [])
        .expect("changed");
    check("the time of its next run");
    make(&ada, "another");
    assert_eq!(page()["meta"]["total"], 2);
    assert_eq!(ada.delete(&path).status, 204);
    let left = page();
    assert_eq!(
        (
            left["meta"]["total"].as_u64(),
            left["data"].as_array().map(Vec::len)
        ),
        (Some(1), Some(1))
    );
    let thin = ada
        .get("/v2/flows?page[size]=50&fields[flow]=name")
        .json(200);
    assert_eq!(thin["data"][0]["attributes"], json!({ "name": "another" }));
}
