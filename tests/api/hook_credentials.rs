//! Who may call a webhook, over real sockets: Basic and signatures (`runtime.md 4.5`,
//! `settled.md`). Keys in headers are in `hook.rs`.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use crate::support::running::{JSON, id_of, runs_of, seen, started, steps_of};
use crate::support::{Actor, TestServer};

/// The secret of all signatures here.
const SECRET: &str = "a shared s3cret";

/// Makes a flow whose trigger has a credential, and starts it.
fn locked(who: &Actor, auth: &Value) -> String {
    let account = json!({ "name": "Lock", "type": "webhook", "keys": { "auth": auth } });
    let account = who.post("/v1/accounts", &account).json(200);
    let nodes = json!([
        { "id": "in", "command": "elasticio/webhook:receive", "credentials_id": account["id"] },
        { "id": "out", "command": "elasticio/debug:log" },
    ]);
    started(who, &nodes, &json!([{ "source": "in", "target": "out" }]))
}

/// Returns the digits of a signature of a body.
fn signature<M: Mac + KeyInit>(secret: &str, body: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(body.as_bytes());
    elastane::domain::text::hex(&mac.finalize().into_bytes())
}

fn short(body: &str) -> String {
    signature::<Hmac<Sha256>>(SECRET, body)
}

fn long(body: &str) -> String {
    signature::<Hmac<Sha512>>(SECRET, body)
}

#[test]
fn basic_lets_in_whoever_knows_both_words() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let auth = json!({ "type": "BASIC", "basic": { "username": "shop", "password": "pa:ss" } });
    let flow = locked(&ada, &auth);
    let path = format!("/hook/{flow}");
    let knock = |who: &Actor| who.send("POST", &path, &[JSON], "{}").status;
    let nobody = server.anonymous();
    assert_eq!(knock(&nobody), 401);
    for (user, password) in [
        ("shop", "wrong"),
        ("wrong", "pa:ss"),
        ("pa:ss", "shop"),
        ("Shop", "pa:ss"),
        ("shop", ""),
        ("", ""),
    ] {
        assert_eq!(knock(&nobody.signing_in(user, password)), 401, "{user}");
    }
    // Somebody who may do anything with the flow still has to know them.
    assert_eq!(knock(&ada), 401);
    assert_eq!(runs_of(&ada, &flow).len(), 0, "nothing ran");
    assert_eq!(knock(&nobody.signing_in("shop", "pa:ss")), 200);
    assert_eq!(runs_of(&ada, &flow).len(), 1);
}

#[test]
fn a_signature_opens_for_the_body_that_it_signs_alone() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let flow = locked(
        &ada,
        &json!({ "type": "HMAC", "hmac": { "secret": SECRET } }),
    );
    let path = format!("/hook/{flow}");
    let nobody = server.anonymous();
    let knock = |signed: &str, body: &str| {
        let headers = [JSON, ("x-eio-signature", signed)];
        nobody.send("POST", &path, &headers, body).status
    };
    let body = r#"{"n":1}"#;
    assert_eq!(nobody.send("POST", &path, &[JSON], body).status, 401);
    let other = signature::<Hmac<Sha256>>("another secret", body);
    let cut = &short(body)[..63];
    for wrong in [other.as_str(), cut, "", "sha256=", &short("{}")] {
        assert_eq!(knock(wrong, body), 401, "{wrong}");
    }
    // Replayed over another body, if only by a blank.
    assert_eq!(knock(&short(body), r#"{"n":2}"#), 401);
    assert_eq!(knock(&short(body), r#"{"n": 1}"#), 401);
    // A name in front says which of the two it is.
    for mixed in [
        format!("sha512={}", short(body)),
        format!("sha256={}", long(body)),
        format!("sha1={}", short(body)),
        format!("sha256=sha256={}", short(body)),
    ] {
        assert_eq!(knock(&mixed, body), 401, "{mixed}");
    }
    assert_eq!(runs_of(&ada, &flow).len(), 0, "nothing ran");
    let right = [
        short(body),
        long(body),
        short(body).to_uppercase(),
        format!("sha256={}", short(body)),
        format!("sha512={}", long(body)),
    ];
    for signed in &right {
        assert_eq!(knock(signed, body), 200, "{signed}");
    }
    assert_eq!(runs_of(&ada, &flow).len(), right.len());
}

#[test]
fn a_credential_that_names_header_and_algorithm_wants_those() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let hmac = json!({ "secret": SECRET, "headerName": "X-Shop", "algorithm": "SHA512" });
    let flow = locked(&ada, &json!({ "type": "HMAC", "hmac": hmac }));
    let path = format!("/hook/{flow}");
    let nobody = server.anonymous();
    let knock = |header: &str, signed: &str| {
        nobody
            .send("POST", &path, &[JSON, (header, signed)], "{}")
            .status
    };
    assert_eq!(knock("x-eio-signature", &long("{}")), 401);
    assert_eq!(knock("x-shop", &short("{}")), 401);
    assert_eq!(knock("x-shop", &format!("sha256={}", short("{}"))), 401);
    assert_eq!(knock("x-shop", &long("{}")), 200);
}

#[test]
fn what_a_caller_proves_itself_with_is_in_no_log_and_no_step() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let auth = json!({ "type": "BASIC", "basic": { "username": "shop", "password": "pa:ss" } });
    let flow = locked(&ada, &auth);
    let caller = server.anonymous().signing_in("shop", "pa:ss");
    let body = json!({ "password": "hunter2", "said": "c2hvcDpwYTpzcw==", "n": 1 }).to_string();
    let headers = [JSON, ("cookie", "session-1")];
    let answer = caller.send(
        "POST",
        &format!("/hook/{flow}?api_key=k-e-y"),
        &headers,
        &body,
    );
    assert_eq!(answer.status, 200, "{}", answer.text);
    let path = format!("/v2/flows/{flow}/logs");
    let log = seen("the entry", || {
        let text = ada.get(&path).text;
        text.contains("_url").then_some(text)
    });
    let run = id_of(&runs_of(&ada, &flow)[0]);
    let steps = Value::from(steps_of(&ada, &run)).to_string();
    for shown in [&log, &steps] {
        assert!(shown.contains('n') && shown.contains("***"), "{shown}");
        for secret in ["hunter2", "c2hvcDpwYTpzcw", "session-1", "k-e-y", "pa:ss"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}
