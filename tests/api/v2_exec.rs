//! Scheduled executions of v2.

use serde_json::{Value, json};

use super::exec::{location, ready, silent_mail_server, start};
use crate::support::organization::{Organization, document, id_of};
use crate::support::{Actor, Answer, TestServer};

/// Returns the path of the newest build of a built-in component.
fn build_of(actor: &Actor, name: &str) -> String {
    let all = actor.get("/v2/components").json(200);
    let all = all["data"].as_array().expect("a list").clone();
    let is_it = |one: &&Value| one["attributes"]["name"] == name;
    let found = all.iter().find(is_it).expect("the component");
    let id = found["id"].as_str().expect("an id");
    format!("/v2/components/{id}/versions/latest")
}

/// A body of a type.
fn body(kind: &str, attributes: &Value) -> Value {
    json!({ "data": { "type": kind, "attributes": attributes } })
}

/// Schedules, and returns where to poll and the document.
#[track_caller]
fn schedule(server: &TestServer, actor: &Actor, path: &str, sent: &Value) -> (String, Value) {
    let answer = actor.post(path, sent);
    let document = answer.json(202);
    (location(server, answer.header("location")), document)
}

#[test]
fn the_documents_are_as_the_contract_has_them() {
    let (server, clock) = start();
    let ada = server.user("ada@example.com");
    let bob = server.user("bob@example.com");
    let root = server.admin("root@example.com");
    let (_listener, keys) = silent_mail_server();
    let path = format!("{}/verify-credential", build_of(&ada, "email"));
    let sent = body(
        "verify-credential",
        &json!({ "fields": keys, "module": "m" }),
    );
    let (poll, document) = schedule(&server, &ada, &path, &sent);
    let id = poll.rsplit('/').next().expect("an id");
    let link = format!("/v2/exec/result/{id}");
    let golden = json!({
        "data": {
            "type": "execution-result", "id": id,
            "attributes": { "result": {}, "status": "Pending request, waiting other process" },
            "links": { "self": link },
        },
        "meta": {},
    });
    assert_eq!(document, golden);
    assert_eq!(ada.get(&poll).json(200), golden);
    assert_eq!(ada.get(&link).status, 409);
    for other in [&bob, &root] {
        assert_eq!(other.get(&poll).status, 404);
        assert_eq!(other.get(&link).status, 404);
    }
    clock.advance(60_001);
    let over = ada.get(&poll).json(303);
    assert_eq!(over, json!({ "data": {}, "meta": {} }));
    let read = ada.get(&link).json(400);
    assert_eq!(read["errors"][0]["title"], "Rejected");
    assert!(read["meta"]["reason"]["message"].is_string(), "{read}");
    clock.advance(3_600_000);
    assert_eq!(ada.get(&poll).status, 404);
    assert_eq!(ada.get(&link).status, 404);
}

#[test]
fn a_result_stays_for_its_owner_and_the_token_is_good_once() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let path = format!("{}/verify-credential", build_of(&ada, "shopware"));
    let sent = body(
        "verify-credential",
        &json!({ "keys": { "user": "invalid" } }),
    );
    let (poll, _) = schedule(&server, &ada, &path, &sent);
    let result = ready(&server, &ada, &poll);
    let nobody = server.anonymous();
    let link = result.split_once('?').expect("a token").0;
    assert_eq!(nobody.get(link).status, 401);
    let read = nobody.get(&result).json(200);
    assert_eq!(read["data"]["attributes"]["result"]["verified"], false);
    assert_eq!(nobody.get(&result).status, 404);
    assert_eq!(ada.get(link).json(200), read);
    assert_eq!(ada.get(link).json(200), read);
    let later = ada.get(&format!("{link}?compat=later")).json(200);
    let value = &later["data"]["attributes"]["result"]["data"];
    assert_eq!(*value, read["data"]["attributes"]["result"]);
}

#[test]
fn options_and_metadata_come_from_the_component() {
    let (server, _) = start();
    let ada = server.user("ada@example.com");
    let made = json!({ "data": {
        "type": "lookup", "attributes": { "title": "Words", "data": { "a": "b" } },
    } });
    let made = ada.post("/v2/lookups", &made).json(201);
    let table = made["data"]["id"].as_str().expect("an id");
    let path = build_of(&ada, "lookup");
    let result_of = |path: String, sent: &Value| {
        let (poll, _) = schedule(&server, &ada, &path, sent);
        let read = ada.get(&ready(&server, &ada, &poll)).json(200);
        read["data"]["attributes"]["result"].clone()
    };
    // The sample's type, and no method: the only field with a model has it.
    let sent = body(
        "dynamic-metadata",
        &json!({ "module": "lookup", "fields": {} }),
    );
    let options = result_of(format!("{path}/select-model"), &sent);
    assert_eq!(options[table], "Words", "{options}");
    let fields = json!({ "module": "lookup", "fields": { "lookup": table } });
    let sent = body("dynamic-metadata", &fields);
    let metadata = result_of(format!("{path}/dynamic-metadata"), &sent);
    let choices = &metadata["in"]["properties"]["input"]["enum"];
    assert_eq!(*choices, json!(["a"]), "{metadata}");
}

#[test]
fn options_come_from_the_tables_of_the_organization_for_which_a_key_acts() {
    let (server, _) = start();
    let acme = Organization::new(&server, "Acme");
    let ada = acme.member(&server, "ada@example.com", "integrator");
    let bob = acme.member(&server, "bob@example.com", "integrator");
    let mut sent = document("api-key", &json!({}));
    sent["data"]["relationships"] =
        json!({ "organization": { "data": { "type": "organization", "id": acme.id } } });
    let for_acme = |actor: &Actor| {
        let key = actor.post("/v2/api-keys", &sent).json(201);
        let key = key["data"]["attributes"]["key"].as_str().expect("a key");
        actor.signing_in(key, "")
    };
    let lookup = document(
        "lookup",
        &json!({ "title": "Shared", "data": { "x": "y" } }),
    );
    let table = id_of(&for_acme(&bob).post("/v2/lookups", &lookup).json(201));
    let path = build_of(&ada, "lookup");
    let asked = |actor: &Actor, end: &str, fields: &Value| {
        let sent = body(
            "dynamic-metadata",
            &json!({ "module": "lookup", "fields": fields }),
        );
        let (poll, _) = schedule(&server, actor, &format!("{path}/{end}"), &sent);
        actor.get(&ready(&server, actor, &poll))
    };
    let result = |answer: Answer| answer.json(200)["data"]["attributes"]["result"].clone();
    let ada_for_acme = for_acme(&ada);
    let options = result(asked(&ada_for_acme, "select-model", &json!({})));
    assert_eq!(options, json!({ &table: "Shared" }));
    let fields = json!({ "lookup": table });
    let metadata = result(asked(&ada_for_acme, "dynamic-metadata", &fields));
    assert_eq!(metadata["in"]["properties"]["input"]["enum"], json!(["x"]));
    let eve = server.user("eve@example.com");
    assert_eq!(result(asked(&eve, "select-model", &json!({}))), json!({}));
    assert_eq!(asked(&eve, "dynamic-metadata", &fields).status, 400);
}

#[test]
fn bad_input_is_refused_at_its_place() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let path = build_of(&ada, "shopware");
    let refused = |end: &str, sent: &Value, status| {
        ada.post(&format!("{path}/{end}"), sent).json(status)["errors"][0].clone()
    };
    let none = json!({});
    let error = refused("verify-credential", &body("verify-credential", &none), 400);
    assert_eq!(error["source"]["pointer"], "/data/attributes/fields");
    let error = refused("verify-credential", &body("other", &none), 409);
    assert_eq!(error["source"]["pointer"], "/data/type");
    let error = refused("dynamic-metadata", &body("dynamic-metadata", &none), 400);
    assert_eq!(error["source"]["pointer"], "/data/attributes/module");
    let asked = json!({ "module": "getProducts", "fields": {} });
    let error = refused("select-model", &body("select-model", &asked), 400);
    assert_eq!(error["source"]["pointer"], "/data/attributes/method");
    let mut sent = body("dynamic-metadata", &asked);
    let error = refused("dynamic-metadata", &sent, 400);
    let place = "/data/relationships/credential/data/id";
    assert_eq!(error["source"]["pointer"], place);
    let named = json!({ "type": "credential", "id": "0123456789abcdef01234567" });
    for shape in [named.clone(), json!({ "data": named })] {
        sent["data"]["relationships"] = json!({ "credential": shape });
        refused("dynamic-metadata", &sent, 404);
    }
    let nowhere = path.replace("latest", "0000");
    let answer = ada.post(&format!("{nowhere}/verify-credential"), &none);
    assert_eq!(answer.status, 404);
}
