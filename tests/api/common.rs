//! The rules that hold on every path (`v1.md 1`).

use serde_json::json;

use crate::support::TestServer;

#[test]
fn brew_is_a_teapot_on_every_path_without_credentials() {
    let server = TestServer::start();
    for path in ["/v1/users", "/nowhere", "/healthz"] {
        let answer = server.anonymous().send("BREW", path, &[], "");
        assert_eq!(answer.status, 418, "{path}");
    }
}

#[test]
fn no_credentials_and_wrong_ones_are_challenged_alike() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let nobody = server.anonymous();
    let missing = nobody.get("/v1/users");
    let wrong_key = nobody
        .signing_in("7a00b1ec-a0a8-4cea-84d2-d26052c8b788", "")
        .get("/v1/users");
    let wrong_password = nobody
        .signing_in("ada@example.com", "wrong")
        .get("/v1/users");
    let unknown = nobody
        .signing_in("who@example.com", "wrong")
        .get("/v1/users");
    for answer in [missing, wrong_key, wrong_password, unknown] {
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Basic realm=\"Elastane\", charset=\"UTF-8\"")
        );
        assert!(answer.text.contains("missing or wrong credentials"));
    }
    assert_eq!(ada.get("/v1/users").status, 200);
}

#[test]
fn unknown_paths_wrong_methods_and_wrong_types_are_told_apart() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    assert_eq!(ada.get("/v1/nowhere").status, 404);
    let wrong = ada.send("PATCH", "/v1/users/", &[], "");
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET, HEAD, POST"))
    );
    assert_eq!(
        ada.send("GET", "/v1/users", &[("accept", "text/xml")], "")
            .status,
        406
    );
    assert_eq!(ada.send("HEAD", "/v1/users", &[], "").status, 200);
    let xml = ada.send("POST", "/v1/users", &[("content-type", "text/xml")], "<a/>");
    assert_eq!(xml.status, 400);
    assert!(xml.text.contains("application/json"));
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://evil.example"),
    ] {
        assert_eq!(ada.send("POST", "/v1/users", &[header], "").status, 403);
        assert_eq!(ada.send("GET", "/v1/users", &[header], "").status, 200);
    }
    let own = [("origin", server.base.as_str())];
    assert_eq!(ada.send("POST", "/v1/users", &own, "").status, 400);
}

#[test]
fn a_request_id_is_taken_over_or_made() {
    let server = TestServer::start();
    let nobody = server.anonymous();
    let kept = nobody.send("GET", "/healthz", &[("x-request-id", "my-id.1")], "");
    assert_eq!(kept.header("x-request-id"), Some("my-id.1"));
    let made = nobody.send("GET", "/healthz", &[("x-request-id", "no good id")], "");
    assert_eq!(made.header("x-request-id").map(str::len), Some(32));
}

#[test]
fn health_and_readiness_need_no_credentials() {
    let server = TestServer::start();
    let nobody = server.anonymous();
    assert_eq!(nobody.get("/healthz").json(200), json!({ "status": "ok" }));
    assert_eq!(
        nobody.get("/readyz").json(200),
        json!({ "status": "ready", "maintenance": false })
    );
    assert!(
        nobody
            .get("/metrics")
            .text
            .contains("elastane_requests_total")
    );
}

#[test]
fn a_packed_body_is_refused_before_it_is_read() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let packed = [("content-encoding", "gzip")];
    assert_eq!(ada.send("POST", "/v1/teams", &packed, "{}").status, 415);
    let plain = [("content-encoding", "identity")];
    assert_eq!(ada.send("POST", "/v1/teams", &plain, "{}").status, 201);
}

#[test]
fn a_refusal_of_the_socket_has_a_request_id_too() {
    let server = TestServer::start();
    let refused = server.anonymous().get("/v1/users/%zz");
    assert_eq!(refused.status, 400);
    assert_eq!(refused.header("x-request-id").map(str::len), Some(32));
}

#[test]
fn a_name_with_marks_that_nobody_sees_is_refused() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for name in ["a\u{202e}b", "a\u{200b}b", "a\u{0}b"] {
        let refused = ada.post("/v1/teams", &json!({ "name": name })).json(400);
        assert_eq!(refused["errors"][0]["field"], "name");
    }
}
