//! Steps that call others over HTTP, against a small server on this machine.

use std::net::TcpListener;

use elastane::domain::run::{HttpReply, Message, ReplyBody};
use elastane::engine::component::Event;
use serde_json::{Value, json};

use super::bench::{Bench, Outcome, call, faults, object};
use super::server::{Server, answer, json_answer};
use crate::support::Installation;

/// Returns the fields of a step that gets an address.
fn get(url: &str) -> Value {
    json!({ "reader": { "method": "GET", "url": format!("\"{url}\"") } })
}

/// Runs a step that gets an answer, with other fields besides.
fn get_answered(bench: &Bench, answer: Vec<u8>, more: &Value) -> Outcome {
    let server = Server::start(vec![answer]);
    let mut cfg = get(&server.url("/"));
    for (name, value) in object(more) {
        cfg[name] = value.clone();
    }
    bench.run(&call("rest-api:httpRequestAction", cfg, json!({})))
}

#[test]
fn a_request_is_made_of_expressions() {
    let bench = Bench::new();
    let server = Server::start(vec![json_answer("{\"ok\":true}")]);
    let cfg = json!({ "reader": {
        "method": "POST",
        "url": format!("\"{}/\" & id & \"?q=\" & q", server.url("")),
        "headers": [
            { "key": "X-Id", "value": "id" },
            { "key": "X-None", "value": "missing" },
            { "key": "", "value": "id" },
            { "key": "Content-Type", "value": "application/json" },
        ],
        "body": { "contentType": "application/json", "raw": "{ \"n\": id + 1 }" },
    } });
    let body = json!({ "id": 7, "q": "a b" });
    let bodies = bench.bodies("rest-api:httpRequestAction", cfg.clone(), body);
    assert_eq!(bodies, [json!({ "ok": true })]);
    let sent = server.sent();
    assert!(
        sent.head.starts_with("post /7?q=a%20b http/1.1"),
        "{}",
        sent.head
    );
    assert!(
        sent.head.contains("x-id: 7") && !sent.head.contains("x-none"),
        "{}",
        sent.head
    );
    assert_eq!(
        sent.head.matches("content-type: application/json").count(),
        1
    );
    assert_eq!(sent.body, "{\"n\":8}");
    assert_eq!(
        faults("rest-api:httpRequestAction", &cfg),
        Vec::<String>::new()
    );
}

#[test]
fn the_trigger_calls_without_a_message_and_a_plain_url_is_one() {
    let bench = Bench::new();
    let server = Server::start(vec![json_answer("{\"n\":1}")]);
    let cfg = json!({ "reader": { "method": "get", "url": server.url("/x") } });
    assert_eq!(
        faults("rest-api:httpRequestTrigger", &cfg),
        Vec::<String>::new()
    );
    let bodies = bench.bodies("rest-api:httpRequestTrigger", cfg, json!({}));
    assert_eq!(bodies, [json!({ "n": 1 })]);
    assert!(server.sent().head.starts_with("get /x "));
}

#[test]
fn the_body_of_an_answer_is_read_by_its_media_type() {
    let bench = Bench::new();
    for (kind, body, expected) in [
        (
            "application/json; charset=utf-8",
            "{\"a\":[1]}",
            json!({ "a": [1] }),
        ),
        ("application/problem+json", "5", json!(5)),
        (
            "application/xml",
            "<a b=\"1\"><c>x</c></a>",
            json!({ "a": { "_attr": { "b": "1" }, "c": "x" } }),
        ),
        (
            "application/x-www-form-urlencoded",
            "a=1&b=2",
            json!({ "a": "1", "b": "2" }),
        ),
        ("text/html", "<p>", json!("<p>")),
        ("text/plain", "{\"a\":1}", json!("{\"a\":1}")),
        ("", "{\"a\":1}", json!({ "a": 1 })),
        ("", "plain", json!("plain")),
        ("application/json", "", json!({})),
    ] {
        let outcome = get_answered(&bench, answer("200 OK", kind, body.as_bytes()), &json!({}));
        assert_eq!(outcome.bodies(), [expected], "{kind}");
    }
    let broken = get_answered(&bench, json_answer("{broken"), &json!({}));
    assert_eq!(broken.failure.unwrap().name, "SyntaxError");
}

#[test]
fn an_array_is_a_result_unless_it_is_split() {
    let bench = Bench::new();
    let list = || json_answer("[{\"n\":1},{\"n\":2}]");
    let whole = get_answered(&bench, list(), &json!({}));
    assert_eq!(
        whole.bodies(),
        [json!({ "result": [{ "n": 1 }, { "n": 2 }] })]
    );
    let split = get_answered(&bench, list(), &json!({ "splitResult": "on" }));
    assert_eq!(split.bodies(), [json!({ "n": 1 }), json!({ "n": 2 })]);
    let both = json!({ "splitResult": true, "dontThrowErrorFlg": true });
    let split = get_answered(&bench, list(), &both).bodies();
    assert_eq!((split.len(), &split[1]["body"]), (2, &json!({ "n": 2 })));
}

#[test]
fn bytes_become_an_attachment_that_later_steps_can_read() {
    let bench = Bench::new();
    let own = "https://eio.example.com".to_owned();
    bench.here.app.set_base_url(own);
    let bytes = b"\x89PNG\x00\xff";
    let outcome = get_answered(&bench, answer("200 OK", "image/png", bytes), &json!({}));
    let message = outcome.messages()[0];
    assert_eq!(message.body, json!({}));
    let attachment = message.attachments.values().next().unwrap();
    assert_eq!(
        (&attachment["content-type"], &attachment["size"]),
        (&json!("image/png"), &json!(6))
    );
    let url = attachment["url"].as_str().unwrap();
    assert!(url.starts_with("https://eio.example.com/"), "{url}");
    let reply = bench.run(&call(
        "request-reply:replyWithAttachment",
        json!({}),
        json!({ "responseUrl": url, "statusCode": 203 }),
    ));
    let expected = HttpReply {
        status: 203,
        headers: object(&json!({ "Content-Type": "image/png" })).clone(),
        body: ReplyBody::Bytes(bytes.to_vec()),
    };
    assert_eq!(reply.events[0], Event::Reply(expected));
    assert_eq!(
        reply.bodies(),
        [json!({ "responseUrl": url, "statusCode": 203 })]
    );
}

#[test]
fn a_failed_answer_is_an_error() {
    let bench = Bench::new();
    for (status, message) in [
        ("404 Nope", "Code: 404 Message: Not Found"),
        ("500 x", "Code: 500 Message: Internal Server Error"),
        ("599 x", "Code: 599 Message: HTTP error"),
    ] {
        let outcome = get_answered(&bench, answer(status, "text/plain", b"x"), &json!({}));
        assert_eq!(outcome.failure.unwrap().message, message);
        assert_eq!(outcome.events, []);
    }
}

#[test]
fn with_the_flag_every_answer_comes_whole() {
    let bench = Bench::new();
    let flag = json!({ "dontThrowErrorFlg": "true" });
    for (status, kind, body, expected) in [
        ("200 OK", "application/json", "{\"a\":1}", json!({ "a": 1 })),
        ("404 x", "application/json", "{\"a\":1}", json!({ "a": 1 })),
        ("502 x", "application/json", "<html>", json!("<html>")),
        ("200 OK", "application/json", "[1]", json!([1])),
    ] {
        let bodies = get_answered(&bench, answer(status, kind, body.as_bytes()), &flag).bodies();
        let code: u16 = status.split(' ').next().unwrap().parse().unwrap();
        assert_eq!(bodies[0]["statusCode"], code);
        assert_eq!(bodies[0]["body"], expected);
        assert_eq!(bodies[0]["headers"]["x-a"], "1, 2");
        assert_eq!(bodies[0]["headers"]["set-cookie"], json!(["c=d"]));
        assert!(bodies[0]["statusMessage"].is_string());
    }
}

#[test]
fn what_may_pass_is_tried_again_where_the_step_says_so() {
    let bench = Bench::new();
    let rebound = json!({ "enableRebound": true, "dontThrowErrorFlg": true });
    for (status, passes) in [
        ("408 x", true),
        ("423 x", true),
        ("429 x", true),
        ("500 x", true),
        ("503 x", true),
        ("400 x", false),
        ("404 x", false),
        ("200 x", false),
    ] {
        let outcome = get_answered(&bench, answer(status, "", b"{}"), &rebound);
        assert_eq!(outcome.failure, None);
        let is_rebound = matches!(&outcome.events[..], [Event::Rebound(_)]);
        assert_eq!(is_rebound, passes, "{status}");
    }
    let outcome = get_answered(
        &bench,
        answer("503 x", "", b""),
        &json!({ "enableRebound": "on" }),
    );
    assert_eq!(
        outcome.events,
        [Event::Rebound(
            "Code: 503 Message: Service Unavailable".to_owned()
        )]
    );
}

#[test]
fn a_target_that_does_not_answer_is_an_error_a_rebound_or_a_message() {
    let bench = Bench::new();
    let closed = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let run = |more: Value| {
        let mut cfg = get(&format!("http://{closed}/secret"));
        for (name, value) in object(&more) {
            cfg[name] = value.clone();
        }
        bench.run(&call("rest-api:httpRequestAction", cfg, json!({})))
    };
    let message = run(json!({})).failure.unwrap().message;
    assert!(!message.contains("secret"), "{message}");
    let both = json!({ "enableRebound": true, "dontThrowErrorFlg": true });
    assert!(matches!(&run(both).events[..], [Event::Rebound(_)]));
    let bodies = run(json!({ "dontThrowErrorFlg": true })).bodies();
    assert_eq!(bodies[0]["statusCode"], 0);
    assert_eq!(bodies[0]["errorCode"], "ECONNREFUSED");

    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut cfg = get(&format!("http://{}/", silent.local_addr().unwrap()));
    cfg["requestTimeoutPeriod"] = json!("50");
    cfg["enableRebound"] = json!(true);
    let outcome = bench.run(&call("rest-api:httpRequestAction", cfg, json!({})));
    assert!(matches!(&outcome.events[..], [Event::Rebound(reason)] if reason.contains("50 ms")));
}

#[test]
fn redirects_are_followed_unless_the_step_says_otherwise() {
    let bench = Bench::new();
    let server = Server::start(vec![json_answer("{\"n\":2}")]);
    let moved = |to: &str| {
        format!(
            "HTTP/1.1 302 x\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .into_bytes()
    };
    let followed = get_answered(&bench, moved(&server.url("/next")), &json!({}));
    assert_eq!(followed.bodies(), [json!({ "n": 2 })]);
    assert!(server.sent().head.starts_with("get /next "));
    let kept = json!({ "followRedirect": "doNotFollowRedirects", "dontThrowErrorFlg": true });
    let kept = get_answered(&bench, moved("http://127.0.0.1:1/"), &kept).bodies();
    assert_eq!(kept[0]["statusCode"], 302);
    assert_eq!(kept[0]["headers"]["location"], "http://127.0.0.1:1/");
}

#[test]
fn credentials_become_headers_and_go_before_those_of_the_step() {
    let bench = Bench::new();
    for (auth, header) in [
        (
            json!({ "type": "Basic Auth", "basic": { "username": "u", "password": "p" } }),
            "authorization: basic dtpw",
        ),
        (
            json!({ "type": "API Key Auth", "apiKey": { "headerName": "X-Key", "headerValue": "k" } }),
            "x-key: k",
        ),
        (
            json!({ "type": "OAuth2", "oauth2": { "keys": { "access_token": "t" } } }),
            "authorization: bearer t",
        ),
    ] {
        let server = Server::start(vec![json_answer("{}")]);
        let mut cfg = get(&server.url("/"));
        cfg["reader"]["headers"] = json!([
            { "key": "authorization", "value": "\"old\"" },
            { "key": "x-key", "value": "\"old\"" },
        ]);
        cfg["auth"] = auth.clone();
        assert_eq!(
            bench.verify("rest-api", &json!({ "auth": auth })),
            json!({ "verified": true })
        );
        bench.bodies("rest-api:httpRequestAction", cfg, json!({}));
        let head = server.sent().head;
        assert!(head.contains(header), "{head}");
        assert_eq!(head.matches("old").count(), 1, "{head}");
    }
    for auth in [
        json!({ "type": "Basic Auth", "basic": { "username": "u" } }),
        json!({ "type": "API Key Auth" }),
        json!({ "type": "OAuth2", "oauth2": {} }),
        json!({ "type": "Digest Auth" }),
        json!("secret text"),
    ] {
        let keys = json!({ "auth": auth });
        let verdict = bench.verify("rest-api", &keys);
        assert_eq!(verdict["verified"], false);
        assert!(!verdict.to_string().contains("secret text"));
        let mut cfg = get("http://127.0.0.1:1/");
        cfg["auth"] = auth;
        assert_eq!(faults("rest-api:httpRequestAction", &cfg).len(), 1);
    }
    assert_eq!(
        bench.verify("rest-api", &json!({})),
        json!({ "verified": true })
    );
}

#[test]
fn forms_are_encoded_and_parts_carry_the_attachments() {
    let bench = Bench::new();
    let server = Server::start(vec![json_answer("{}"), json_answer("{}")]);
    let cfg = |body: Value| {
        json!({ "reader": { "method": "PUT", "url": format!("\"{}\"", server.url("/")),
            "headers": [{ "key": "Content-Type", "value": "\"multipart/form-data\"" }], "body": body } })
    };
    let mut form = cfg(json!({
        "contentType": "application/x-www-form-urlencoded",
        "urlencoded": [
            { "key": "a b", "value": "\"1&2=ü\"" }, { "key": "n", "value": "3" },
            { "key": "none", "value": "missing" },
        ],
    }));
    form["reader"]["headers"] = json!([]);
    bench.bodies("rest-api:httpRequestAction", form, json!({}));
    let sent = server.sent();
    assert_eq!(sent.body, "a+b=1%262%3D%C3%BC&n=3");
    assert!(
        sent.head
            .contains("content-type: application/x-www-form-urlencoded")
    );

    let stored = bench
        .here
        .app
        .put_object(b"file text", Some("text/plain"), 60_000)
        .unwrap();
    let parts = cfg(json!({
        "contentType": "multipart/form-data",
        "formData": [{ "key": "na\"me", "value": "\"v\"" }],
    }));
    let mut call = call("rest-api:httpRequestAction", parts, json!({}));
    call.message
        .attachments
        .insert("f.txt".to_owned(), json!({ "url": stored.get_path }));
    assert_eq!(bench.run(&call).failure, None);
    let sent = server.sent();
    let (_, boundary) = sent
        .head
        .split_once("multipart/form-data; boundary=")
        .unwrap();
    let boundary = boundary.lines().next().unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"na%22me\"\r\n\r\nv\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"f.txt\"; filename=\"f.txt\"\r\n\
         Content-Type: text/plain\r\n\r\nfile text\r\n--{boundary}--\r\n"
    );
    assert_eq!(sent.body, expected);
    assert_eq!(
        sent.head.matches("content-type").count(),
        1,
        "{}",
        sent.head
    );
}

#[test]
fn a_request_that_can_not_be_made_is_refused_before_it_is_sent() {
    let bench = Bench::new();
    let reader = |member: &str, value: Value| {
        let mut cfg = get("http://127.0.0.1:1/");
        cfg["reader"][member] = value;
        cfg
    };
    for (cfg, word) in [
        (json!({}), "URL is required"),
        (json!({ "reader": "{" }), "reader"),
        (reader("url", json!("")), "URL is required"),
        (reader("method", json!("")), "Method is required"),
        (
            reader("method", json!("BREW")),
            "Method \"BREW\" isn't one of the",
        ),
        (reader("url", json!("5")), "gives no text"),
        (reader("url", json!("\"ftp://x/\"")), "url"),
        (reader("url", json!("a +")), "a +"),
    ] {
        let failure = bench.failure("rest-api:httpRequestAction", cfg, json!({}));
        assert!(failure.contains(word), "{failure}");
    }
    for (member, value) in [
        ("url", json!("a +")),
        ("method", json!("BREW")),
        ("headers", json!([{ "key": "a", "value": "b +" }])),
    ] {
        assert_eq!(
            faults("rest-api:httpRequestAction", &reader(member, value)).len(),
            1,
            "{member}"
        );
    }
    let mut bad_body = reader("method", json!("POST"));
    for body in [
        json!({ "raw": "a +" }),
        json!({ "encoding": "urlencoded", "urlencoded": [{ "key": "a", "value": "b +" }] }),
        json!({ "encoding": "form-data", "formData": [{ "key": "a", "value": "b +" }] }),
    ] {
        bad_body["reader"]["body"] = body;
        assert_eq!(
            faults("rest-api:httpRequestAction", &bad_body).len(),
            1,
            "{bad_body}"
        );
    }
    for (field, bad) in [
        ("delay", "x"),
        ("delay", "301"),
        ("callCount", "0"),
        ("requestTimeoutPeriod", "-5"),
    ] {
        let mut cfg = get("http://127.0.0.1:1/");
        cfg[field] = json!(bad);
        assert_eq!(
            faults("rest-api:httpRequestAction", &cfg).len(),
            1,
            "{field}"
        );
        let failure = bench.failure("rest-api:httpRequestAction", cfg, json!({}));
        assert!(failure.contains(field), "{failure}");
    }
}

#[test]
fn without_the_operators_leave_no_step_calls_this_machine() {
    let mut bench = Bench::new();
    bench.here = Installation::new();
    let server = Server::start(vec![json_answer("{}")]);
    let url = server.url("/");
    let attachment = json!({ "responseUrl": url });
    for (function, cfg, body) in [
        ("rest-api:httpRequestAction", get(&url), json!({})),
        ("webhook:post", json!({ "uri": url }), json!({})),
        ("request-reply:replyWithAttachment", json!({}), attachment),
    ] {
        let failure = bench.failure(function, cfg, body);
        assert!(failure.contains("private or local address"), "{failure}");
    }
    assert!(!server.was_called());
}

#[test]
fn post_sends_the_body_as_json_with_the_secret() {
    let bench = Bench::new();
    for (cfg, line) in [
        (json!({}), "post /h "),
        (json!({ "method": "PUT" }), "put /h "),
    ] {
        let server = Server::start(vec![json_answer("{\"got\":1}")]);
        let mut cfg = cfg;
        cfg["uri"] = json!(server.url("/h"));
        cfg["secret"] = json!("s3");
        let outcome = bench.run(&call("webhook:post", cfg, json!({ "a": "ü" })));
        let message: &Message = outcome.messages()[0];
        assert_eq!(message.body, json!({ "got": 1 }));
        assert_eq!(message.headers["content-type"], "application/json");
        let sent = server.sent();
        assert!(sent.head.starts_with(line), "{}", sent.head);
        assert!(sent.head.contains("x-api-secret: s3"), "{}", sent.head);
        assert!(
            sent.head
                .contains("content-type: application/json;charset=utf-8")
        );
        assert_eq!(sent.body, "{\"a\":\"ü\"}");
    }
}

#[test]
fn post_names_what_is_no_json_and_fails_on_other_statuses() {
    let bench = Bench::new();
    let run = |answer: Vec<u8>| {
        let server = Server::start(vec![answer]);
        bench.run(&call(
            "webhook:post",
            json!({ "uri": server.url("/") }),
            json!({}),
        ))
    };
    let text = run(answer("201 Created", "text/plain", b"thanks"));
    assert_eq!(text.bodies(), [json!({ "responseBody": "thanks" })]);
    let empty = run(answer("204 No Content", "", b""));
    assert_eq!(empty.bodies(), [json!({})]);
    let failed = run(answer("500 x", "application/json", b"{}"));
    assert_eq!(
        failed.failure.unwrap().message,
        "Endpoint responds with 500"
    );
    assert_eq!(faults("webhook:post", &json!({ "method": "GET" })).len(), 2);
    for (cfg, word) in [
        (json!({}), "URL is required"),
        (json!({ "uri": "x" }), "uri"),
        (
            json!({ "uri": "http://127.0.0.1:1/", "method": "GET" }),
            "method",
        ),
    ] {
        let failure = bench.failure("webhook:post", cfg, json!({}));
        assert!(failure.contains(word), "{failure}");
    }
}

#[test]
fn a_file_that_can_not_be_fetched_is_an_error_and_no_reply() {
    let bench = Bench::new();
    let server = Server::start(vec![answer("404 x", "text/plain", b"")]);
    for (body, word) in [
        (json!({}), "responseUrl"),
        (json!({ "responseUrl": server.url("/f") }), "404"),
        (
            json!({ "responseUrl": "http://127.0.0.1:1/f" }),
            "responseUrl",
        ),
    ] {
        let outcome = bench.run(&call("request-reply:replyWithAttachment", json!({}), body));
        let message = outcome.failure.unwrap().message;
        assert!(message.contains(word), "{message}");
        assert_eq!(outcome.events, []);
    }
}
