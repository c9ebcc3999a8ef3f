//! Data samples on the wire of v2 (`v2.md 4.3, 6.3`).

use serde_json::{Value, json};

use crate::support::organization::{Organization, id_of};
use crate::support::{Actor, TestServer};

/// Returns the id of a component that everyone may use.
fn mapper(actor: &Actor) -> String {
    let listed = actor.get("/v1/components").json(200);
    let listed = listed["components"].as_object().expect("a map");
    listed.keys().next().expect("a component").clone()
}

/// Returns a sample's request.
fn sample(component: &str, version: &str, result: Value) -> Value {
    let mut sent = json!({ "data": {
        "type": "data-sample",
        "attributes": { "method": "getPetsByStatus" },
        "relationships": {
            "component": { "data": { "type": "component", "id": component } },
            "component_version": { "data": { "type": "version", "id": version } },
        },
    } });
    sent["data"]["attributes"]["result"] = result;
    sent
}

#[test]
fn a_sample_is_served_under_both_prefixes() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let component = mapper(&ada);
    for prefix in ["samples", "data-samples"] {
        let list = format!("/v2/{prefix}");
        let sent = sample(&component, "latest", json!({ "id": 1 }));
        let made = ada.post(&list, &sent).json(201);
        let id = id_of(&made);
        let path = format!("{list}/{id}");
        let component_path = format!("/v2/components/{component}");
        assert_eq!(
            made,
            json!({
                "data": {
                    "type": "data-sample",
                    "id": id,
                    "attributes": { "method": "getPetsByStatus", "result": { "id": 1 } },
                    "relationships": {
                        "component": {
                            "data": { "type": "component", "id": component },
                            "links": { "self": component_path },
                        },
                        "component_version": {
                            "data": { "type": "version", "id": "latest" },
                            "links": { "self": format!("{component_path}/versions/latest") },
                        },
                        "user": {
                            "data": { "type": "user", "id": ada.id() },
                            "links": { "self": format!("/v2/users/{}", ada.id()) },
                        },
                    },
                    "links": { "self": path },
                },
                "meta": {},
            })
        );
        assert_eq!(ada.get(&path).json(200), made);
        let listed = json!({ "data": [made["data"]], "meta": {} });
        let asked = format!("{list}?filter[id]=x,{id},5f0000000000000000000abc");
        assert_eq!(ada.get(&asked).json(200), listed);
        let mut change = json!({ "data": {
            "type": "data-sample", "id": id, "attributes": { "result": null },
        } });
        let changed = ada.patch(&path, &change).json(200);
        assert_eq!(
            changed["data"]["attributes"],
            json!({ "method": "getPetsByStatus", "result": null })
        );
        change["data"]["attributes"] = json!({ "method": "other" });
        let changed = ada.patch(&path, &change).json(200);
        assert_eq!(changed["data"]["attributes"]["method"], "other");
        assert_eq!(ada.get(&list).status, 400, "several by id, not all");
    }
}

#[test]
fn any_json_is_a_result() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let component = mapper(&ada);
    for result in [json!(null), json!(1.5), json!("x"), json!([]), json!(false)] {
        let sent = sample(&component, "latest", result.clone());
        let made = ada.post("/v2/samples", &sent).json(201);
        let path = made["data"]["links"]["self"].as_str().expect("a link");
        let kept = ada.get(path).json(200);
        assert_eq!(kept["data"]["attributes"]["result"], result);
    }
}

#[test]
fn faults_of_a_sample_are_told_with_their_place() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let component = mapper(&ada);
    let id = "/data/relationships/component/data/id";
    let bare = json!({ "data": { "type": "data-sample" } });
    for (sent, pointer) in [
        (bare, "/data/attributes/method"),
        (sample("x", "latest", json!(1)), id),
        (sample("5f0000000000000000000abc", "latest", json!(1)), id),
        (
            sample(&component, "newest", json!(1)),
            "/data/relationships/component_version/data/id",
        ),
        (
            sample(&component, "latest", "x".repeat(300_000).into()),
            "/data/attributes/result",
        ),
    ] {
        let refused = ada.post("/v2/samples", &sent).json(400);
        assert_eq!(refused["errors"][0]["source"]["pointer"], pointer);
    }
    let bob = server.user("bob@example.com");
    let repo = bob
        .post("/v1/repos", &json!({ "name": "private" }))
        .json(201);
    let repo = repo["id"].as_str().expect("an id");
    let sent = sample(repo, "latest", json!(1));
    assert_eq!(ada.post("/v2/samples", &sent).status, 400, "not ada's");
    assert_eq!(bob.post("/v2/samples", &sent).status, 201);
}

#[test]
fn members_read_the_samples_of_their_organization_and_others_none() {
    let server = TestServer::start();
    let at = Organization::new(&server, "Company");
    let ada = at.member(&server, "ada@example.com", "integrator");
    let guest = at.member(&server, "guest@example.com", "guest");
    let bob = server.user("bob@example.com");
    let sent = sample(&mapper(&ada), "latest", json!(1));
    let made = ada.post("/v2/samples", &sent).json(201);
    let path = made["data"]["links"]["self"].as_str().expect("a link");
    assert_eq!(guest.get(path).json(200), made);
    assert_eq!(bob.get(path).status, 404);
    let list = format!("/v2/samples?filter[id]={}", id_of(&made));
    assert_eq!(bob.get(&list).json(200)["data"], json!([]));
    assert_eq!(guest.get(&list).json(200)["data"], json!([made["data"]]));
}
