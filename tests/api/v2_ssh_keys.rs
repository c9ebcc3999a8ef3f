//! SSH keys on the wire of v2 (`v2.md 4.8`), and the rules of every resource shown on
//! them (`v2.md 2`).

use elastane::http::REQUEST_LINE_BYTES;
use serde_json::json;

use crate::support::{Actor, TestServer};

/// A public key that nobody holds the other half of.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICv55RppFul96WlcCxAqGJ1mm2Db7DJzzXQ+yM5NMmd+ ada@laptop";

/// The media type of JSON:API.
const API: &str = "application/vnd.api+json";

/// Adds the key.
fn add(actor: &Actor) -> String {
    let sent = json!({ "data": { "type": "sshkey", "attributes": { "key": KEY } } });
    let made = actor.post("/v2/sshkeys/", &sent).json(201);
    made["data"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_key_is_sent_with_and_without_data_and_answered_wrapped() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let bare = json!({ "type": "sshkey", "attributes": { "title": "Home", "key": KEY } });
    for sent in [bare.clone(), json!({ "data": bare })] {
        let answer = ada.post("/v2/sshkeys/", &sent);
        let made = answer.json(201);
        let id = made["data"]["id"].as_str().expect("an id");
        let path = format!("/v2/sshkeys/{id}");
        let location = format!("{}{path}", server.base);
        assert_eq!(answer.header("location"), Some(location.as_str()));
        assert_eq!(
            made,
            json!({
                "data": {
                    "type": "sshkey",
                    "id": id,
                    "attributes": {
                        "title": "Home",
                        "fingerprint": made["data"]["attributes"]["fingerprint"],
                        "fingerprint_md5": made["data"]["attributes"]["fingerprint_md5"],
                        "key": KEY,
                        "user_id": ada.id(),
                    },
                    "relationships": { "user": {
                        "data": { "type": "user", "id": ada.id() },
                        "links": { "self": format!("/v2/users/{}", ada.id()) },
                    } },
                    "links": { "self": path },
                },
                "meta": {},
            })
        );
        assert_eq!(ada.get(&path).json(200), made);
        let listed = json!({ "data": [made["data"]], "meta": {} });
        assert_eq!(ada.get("/v2/sshkeys/").json(200), listed);
        assert_eq!(ada.delete(&path).status, 204);
        assert_eq!(ada.get(&path).status, 410);
    }
}

#[test]
fn the_sample_is_no_json_as_it_is_printed() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let printed = r#"{"type": "sshkey, "attributes": {"key": "ssh-rsa AAAA"}}"#;
    let json = [("content-type", "application/json")];
    assert_eq!(ada.send("POST", "/v2/sshkeys/", &json, printed).status, 400);
}

#[test]
fn faults_of_a_resource_are_told_with_their_place() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    add(&ada);
    let own = add_other(&ada);
    for (sent, status, pointer) in [
        (json!({ "data": [] }), 400, "/data"),
        (json!({ "data": 1 }), 400, "/data"),
        (json!({ "data": {} }), 400, "/data/type"),
        (json!({}), 400, "/data/type"),
        (json!({ "data": { "type": 1 } }), 400, "/data/type"),
        (json!({ "data": { "type": "team" } }), 409, "/data/type"),
        (
            json!({ "data": { "type": "sshkey", "id": own } }),
            409,
            "/data/id",
        ),
        (
            json!({ "data": { "type": "sshkey", "id": "5f0000000000000000000abc" } }),
            403,
            "/data/id",
        ),
        (
            json!({ "data": { "type": "sshkey" } }),
            400,
            "/data/attributes/key",
        ),
        (
            json!({ "data": { "type": "sshkey", "attributes": [] } }),
            400,
            "/data/attributes",
        ),
        (
            json!({ "data": { "type": "sshkey", "attributes": { "key": 1 } } }),
            400,
            "/data/attributes/key",
        ),
        (
            json!({ "data": { "type": "sshkey", "attributes": { "key": "nonsense" } } }),
            400,
            "/data/attributes/key",
        ),
        (
            json!({ "data": { "type": "sshkey", "attributes": { "key": KEY } } }),
            409,
            "/data/attributes/key",
        ),
    ] {
        let answer = ada.post("/v2/sshkeys", &sent).json(status);
        assert_eq!(answer["errors"][0]["source"]["pointer"], pointer, "{sent}");
    }
}

/// Adds another key, and returns its id.
fn add_other(actor: &Actor) -> String {
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB53ipT/cdBLiIFbTeVCfxoMKLhiEGFMqQnm8mrsEHEo";
    let sent = json!({ "data": { "type": "sshkey", "attributes": { "key": other } } });
    let made = actor.post("/v2/sshkeys/", &sent).json(201);
    made["data"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn anothers_key_is_not_there_not_even_for_administrators() {
    let server = TestServer::start();
    let path = format!("/v2/sshkeys/{}", add(&server.user("ada@example.com")));
    for other in [
        server.user("eve@example.com"),
        server.admin("root@example.com"),
    ] {
        assert_eq!(other.get("/v2/sshkeys").json(200)["data"], json!([]));
        assert_eq!(other.get(&path).status, 404);
        assert_eq!(other.delete(&path).status, 404);
    }
}

#[test]
fn a_list_without_pages_is_paged_where_a_client_asks() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let ids = [add(&ada), add_other(&ada)];
    let second = ada
        .get("/v2/sshkeys?page%5Bsize%5D=1&page%5Bnumber%5D=2")
        .json(200);
    assert_eq!(second["data"][0]["id"], ids[1]);
    assert_eq!(
        second["meta"],
        json!({ "page": 2, "per_page": 1, "total": 2, "total_pages": 2 })
    );
    assert_eq!(
        second["links"],
        json!({
            "first": "/v2/sshkeys?page%5Bnumber%5D=1&page%5Bsize%5D=1",
            "prev": "/v2/sshkeys?page%5Bnumber%5D=1&page%5Bsize%5D=1",
            "last": "/v2/sshkeys?page%5Bnumber%5D=2&page%5Bsize%5D=1",
        })
    );
    let beyond = ada.get("/v2/sshkeys?page[number]=9").json(200);
    assert_eq!(beyond["data"], json!([]));
    assert_eq!(beyond["meta"]["per_page"], 50);
}

#[test]
fn a_query_that_nobody_knows_is_refused_by_its_name() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for (query, parameter) in [
        ("page[size]=0", "page[size]"),
        ("page%5Bsize%5D=x", "page[size]"),
        ("page[number]=-1", "page[number]"),
        ("page[cursor]=1", "page[cursor]"),
        ("page=1", "page"),
        ("filter[title]=a", "filter[title]"),
        ("filter=a", "filter"),
        ("include=user", "include"),
        ("sort=title", "sort"),
        ("fields[sshkey]=colour", "fields[sshkey]"),
        ("fields[cheese]=title", "fields[cheese]"),
        ("limit=3", "limit"),
    ] {
        let answer = ada.get(&format!("/v2/sshkeys?{query}")).json(400);
        assert_eq!(answer["errors"][0]["source"]["parameter"], parameter);
    }
    for query in ["compat=later", "_=1", "workspace_x=1", "include=", "sort="] {
        assert_eq!(ada.get(&format!("/v2/sshkeys?{query}")).status, 200);
    }
}

#[test]
fn only_the_fields_that_are_asked_for_are_shown() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    add(&ada);
    let shown = ada.get("/v2/sshkeys?fields[sshkey]=title,user").json(200);
    let key = &shown["data"][0];
    assert_eq!(key["attributes"], json!({ "title": "ada@laptop" }));
    assert!(key["relationships"]["user"].is_object());
    let none = ada.get("/v2/sshkeys?fields[sshkey]=").json(200);
    assert_eq!(none["data"][0]["attributes"], json!({}));
}

#[test]
fn media_types_are_negotiated_both_ways() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for (accept, status, kind) in [
        ("*/*", 200, "application/json; charset=utf-8"),
        ("application/json", 200, "application/json; charset=utf-8"),
        (API, 200, API),
        ("application/vnd.api+json; profile=\"x\"", 200, API),
        ("application/vnd.api+json; v=1", 406, API),
        ("text/html", 406, "application/json; charset=utf-8"),
    ] {
        let answer = ada.send("GET", "/v2/sshkeys", &[("accept", accept)], "");
        assert_eq!(answer.status, status, "{accept}");
        assert_eq!(answer.header("content-type"), Some(kind), "{accept}");
    }
    let body = json!({ "data": { "type": "sshkey", "attributes": { "key": "x" } } }).to_string();
    for (kind, status) in [
        (API, 400),
        ("application/json", 400),
        ("application/x-www-form-urlencoded", 400),
        ("application/vnd.api+json; ext=\"x\"", 400),
        ("application/vnd.api+json; charset=utf-8", 415),
        ("text/xml", 415),
    ] {
        let answer = ada.send("POST", "/v2/sshkeys", &[("content-type", kind)], &body);
        assert_eq!(answer.status, status, "{kind}");
    }
}

#[test]
fn failures_of_the_protocol_have_the_shape_of_v2_below_v2() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let nobody = server.anonymous();
    assert_eq!(nobody.send("BREW", "/v2/sshkeys", &[], "").status, 418);
    let unknown = nobody.get("/v2/sshkeys");
    assert_eq!(unknown.status, 401);
    assert!(unknown.header("www-authenticate").is_some());
    assert_eq!(ada.get("/v2/nothing").status, 404);
    assert_eq!(ada.get("/v2/sshkeys/x").status, 404);
    let wrong = ada.send("PUT", "/v2/sshkeys", &[], "");
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET, HEAD, POST"))
    );
    let packed = [("content-encoding", "gzip")];
    assert_eq!(ada.send("POST", "/v2/sshkeys", &packed, "{}").status, 415);
    assert_eq!(ada.get("/v2/sshkeys/%zz").status, 400);
    let endless = format!("/v2/sshkeys?a={}", "a".repeat(REQUEST_LINE_BYTES));
    assert_eq!(ada.get(&endless).status, 414);
    let kept = ada.send("GET", "/v2/sshkeys", &[("x-request-id", "my-1")], "");
    assert_eq!(kept.header("x-request-id"), Some("my-1"));
}
