//! Numbers 1, 2, 4, 5, 6, 7, 8, 10, 16, 17, 18, 19: what clients send, and where.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::golden::compare::{a_uuid, an_id};
use crate::golden::curl::curl;
use crate::golden::documented::{ACTIVATION, NOTHING, RECIPE_ID, id_of, repo, task};
use crate::support::installation::PASSWORD;
use crate::support::{Installation, TestServer};

/// How long the target of a callback waits for it.
const CALLBACK_LIMIT: Duration = Duration::from_secs(30);

#[test]
fn number_1_a_key_is_user_name_or_password_and_the_login_password_falls_back() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for (name, password) in [
        (ada.key.as_str(), ""),
        (ada.key.as_str(), "whatever:it:holds"),
        ("Ada@Example.com", ada.key.as_str()),
        ("ada@example.com", PASSWORD),
    ] {
        let way = server.anonymous().signing_in(name, password);
        assert_eq!(way.get("/v1/users").json(200)["id"], ada.id(), "{name}");
    }
    for (name, password) in [
        (PASSWORD, ""),
        ("", ada.key.as_str()),
        ("ada@example.com", ""),
        ("bob@example.com", ada.key.as_str()),
    ] {
        let way = server.anonymous().signing_in(name, password);
        assert_eq!(way.get("/v1/users").status, 401, "{name}");
    }
}

#[test]
fn number_2_the_public_components_have_two_paths() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for query in ["", "?compat=later"] {
        let short = ada.get(&format!("/v1/components{query}"));
        let long = ada.get(&format!("/v1/components/public{query}"));
        assert_eq!((short.status, long.status), (200, 200));
        assert_eq!(short.text, long.text);
    }
}

#[test]
fn numbers_4_and_5_the_recipe_stands_in_the_path_or_in_the_body() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let with_id: Value = serde_json::from_str(ACTIVATION).expect("documented JSON");
    let without_id = json!({ "accounts": with_id["accounts"] });
    let by_path = format!("/v1/recipes/{RECIPE_ID}");
    for (path, body) in [
        ("/v1/recipes", &with_id),
        (&by_path, &without_id),
        (&by_path, &with_id),
    ] {
        let made = ada.post(path, body).json(200);
        assert_eq!(made["tasks"].as_array().map(Vec::len), Some(2), "{path}");
    }
    let accounts = || ada.get("/v1/accounts").json(200);
    let before = accounts();
    let missing = ada.post("/v1/recipes", &without_id).json(400);
    assert_eq!(missing["errors"][0]["field"], "recipeId");
    let other = ada.post("/v1/recipes/timer_heartbeat", &with_id).json(400);
    assert_eq!(other["errors"][0]["field"], "recipeId");
    let unknown = ada.post(&format!("/v1/recipes/{NOTHING}"), &without_id);
    assert_eq!(unknown.status, 404);
    assert_eq!(accounts(), before, "refusals change nothing");
}

#[test]
fn number_6_a_value_that_is_not_among_the_options_is_taken() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let recipe = ada.get(&format!("/v1/recipes/{RECIPE_ID}")).json(200);
    let options = recipe
        .pointer("/accounts/amazonmws/credentials/properties/marketplace/options")
        .and_then(Value::as_array)
        .expect("the documented options");
    assert!(!options.contains(&json!("us")) && options.contains(&json!("usa")));
    let body: Value = serde_json::from_str(ACTIVATION).expect("documented JSON");
    assert_eq!(ada.post("/v1/recipes", &body).status, 200);
    let accounts = ada.get("/v1/accounts").json(200);
    let taken = accounts.as_array().expect("an array").iter();
    assert_eq!(
        taken
            .filter(|account| account["keys"]["marketplace"] == "us")
            .count(),
        1
    );
}

#[test]
fn number_7_the_recipes_are_kept() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let list = ada.get("/v1/recipes").json(200);
    for recipe in list.as_array().expect("an array") {
        let id = id_of(recipe);
        let one = ada.get(&format!("/v1/recipes/{id}")).json(200);
        assert_eq!(
            (&one["id"], &one["title"]),
            (&recipe["id"], &recipe["title"])
        );
        assert!(one["description"].is_string() && one["accounts"].is_object());
    }
    let ids: Vec<String> = list
        .as_array()
        .expect("an array")
        .iter()
        .map(id_of)
        .collect();
    assert!(
        ids.contains(&"timer_heartbeat".to_owned()),
        "slugs: {ids:?}"
    );
    let without_accounts = json!({ "accounts": {} });
    let made = ada.post("/v1/recipes/timer_heartbeat", &without_accounts);
    assert_eq!(made.json(200)["tasks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn number_8_a_json_body_needs_no_content_type() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let user = format!("{}:", ada.key);
    let id = id_of(&repo(&ada, "kept"));
    let labels: [&[&str]; 5] = [
        &[],
        &["-H", "Content-Type:"],
        &["-H", "Content-Type: text/plain"],
        &["-H", "Content-Type: application/vnd.api+json"],
        &["-H", "Content-Type: application/json; charset=utf-8"],
    ];
    for (number, label) in labels.iter().enumerate() {
        let body = format!(" \n {{\"name\": \"Repo {number}\"}}");
        let with = |path: &'static str, body: &str, method: &str| {
            let mut arguments = vec!["-u", &user, "-X", method, "-d", body];
            arguments.extend(*label);
            let path = path.replace("{id}", &id);
            arguments.push(&path);
            curl(&server, &arguments)
        };
        let made = with("/v1/repos/", &body, "POST").json(201);
        assert_eq!(made["name"], format!("Repo {number}"), "{label:?}");
        let env = with("/v1/repos/{id}/env/", r#"{"A": "x=1&b=2"}"#, "PUT");
        assert_eq!(env.json(200), json!({ "A": "x=1&b=2" }), "{label:?}");
        assert_eq!(with("/v1/repos/", "{\"name\":", "POST").status, 400);
        assert_eq!(with("/v1/repos/", "[1]", "POST").status, 400, "no object");
    }
    let form = ["-u", &user, "-d", "name=A+form%21", "/v1/repos/"];
    assert_eq!(curl(&server, &form).json(201)["name"], "A form!");
    let xml = [
        "-u",
        &user,
        "-d",
        "<a/>",
        "-H",
        "Content-Type: text/xml",
        "/v1/repos/",
    ];
    assert_eq!(curl(&server, &xml).status, 400);
}

#[test]
fn number_8_a_post_without_a_body_comes_in_two_forms() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let user = format!("{}:", ada.key);
    let id = task(&ada);
    let forms: [&[&str]; 2] = [
        &[],
        &[
            "-H",
            "Content-Type: application/x-www-form-urlencoded",
            "-H",
            "Content-Length: 0",
        ],
    ];
    for form in forms {
        for verb in ["start", "suspend", "start", "stop"] {
            let path = format!("/v1/tasks/{verb}/{id}");
            let mut arguments = vec!["-X", "POST", "-u", &user];
            arguments.extend(form);
            arguments.push(&path);
            assert_eq!(curl(&server, &arguments).status, 200, "{verb} {form:?}");
        }
    }
}

#[test]
fn number_10_every_path_is_served_with_and_without_a_final_slash() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let repo = id_of(&repo(&ada, "kept"));
    let account = id_of(&ada.post("/v1/accounts", &json!({})).json(200));
    let task = task(&ada);
    for path in [
        "/v1/users".to_owned(),
        "/v1/recipes".to_owned(),
        format!("/v1/recipes/{RECIPE_ID}"),
        "/v1/sshkey".to_owned(),
        "/v1/components".to_owned(),
        "/v1/components/public".to_owned(),
        "/v1/components/mine".to_owned(),
        "/v1/repos".to_owned(),
        format!("/v1/repos/{repo}"),
        format!("/v1/repos/{repo}/env"),
        "/v1/teams".to_owned(),
        "/v1/accounts".to_owned(),
        format!("/v1/accounts/{account}"),
    ] {
        let (plain, slash) = (ada.get(&path), ada.get(&format!("{path}/")));
        assert_eq!((plain.status, slash.status), (200, 200), "{path}");
        assert_eq!(plain.text, slash.text, "{path}");
    }
    for slash in ["", "/"] {
        let post = |path: &str, body: Value| ada.post(&format!("{path}{slash}"), &body).status;
        assert_eq!(post("/v1/teams", json!({})), 201);
        assert_eq!(post("/v1/repos", json!({})), 201);
        assert_eq!(post("/v1/accounts", json!({})), 200);
        for verb in ["start", "suspend", "stop"] {
            assert_eq!(post(&format!("/v1/tasks/{verb}/{task}"), json!({})), 200);
        }
    }
}

#[test]
fn number_16_callback_has_two_names() {
    let installation = Installation::with(|options| options.rules.allow_private_networks = true);
    let server = TestServer::over(installation, elastane::server::ServerOptions::default());
    let ada = server.user("ada@example.com");
    for (number, name) in ["callback", "callback_url"].into_iter().enumerate() {
        let target = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = target.local_addr().expect("an address");
        let mut body = json!({
            "first_name": "John", "last_name": "Doe", "password": "secret",
            "email": format!("john{number}@example.com"),
        });
        body[name] = json!(format!("http://{address}/made"));
        let told = ada.post("/v1/users", &body).json(202);
        assert_eq!(told, json!({ "message": "accepted" }));
        let user = take_json(&target);
        assert_eq!(user["email"], body["email"], "{name}");
        assert!(an_id(&user["id"]) && a_uuid(&user["api_secret"]), "{user}");
        let key = user["api_secret"].as_str().expect("a key");
        let own = ada.signing_in(key, "").get("/v1/users").json(200);
        assert_eq!(own["id"], user["id"]);
    }
}

#[test]
fn number_16_a_callback_does_not_reach_into_private_networks() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for url in [
        "http://127.0.0.1:9/made",
        "http://10.0.0.1/made",
        "http://169.254.169.254/latest",
        "http://[::1]/made",
        "ftp://example.com/made",
        "not a URL",
    ] {
        let body = json!({
            "first_name": "John", "last_name": "Doe", "password": "secret",
            "email": "john@example.com", "callback": url,
        });
        let told = ada.post("/v1/users", &body).json(400);
        assert_eq!(told["errors"][0]["field"], "callback", "{url}: {told}");
    }
}

#[test]
fn number_17_a_node_names_its_function_under_two_names() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for name in ["action", "function"] {
        let node = |command: &str| json!({ name: command });
        let nodes = [node("elasticio/timer:timer"), node("elasticio/debug:log")];
        let made = ada.post("/v1/tasks", &json!({ "name": name, "nodes": nodes }));
        assert!(an_id(&made.json(200)["id"]), "{name}");
    }
}

#[test]
fn number_18_v2_does_not_answer_with_shapes_of_v1() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let own = ada.get("/v1/users").json(200);
    for path in ["/v2/users", "/v2/users/"] {
        let answer = ada.get(path);
        let body: Value = serde_json::from_str(&answer.text).expect("JSON");
        assert_ne!(body, own, "{path}");
        assert!(body.get("first_name").is_none(), "{path}");
    }
}

#[test]
fn number_19_a_password_needs_six_letters() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let post = |password: &str| {
        let body = json!({
            "first_name": "John", "last_name": "Doe", "email": "john@example.com",
            "password": password,
        });
        ada.post("/v1/users", &body)
    };
    let short = post("secre").json(400);
    assert_eq!(short["errors"][0]["field"], "password");
    assert_eq!(post("secret").status, 201);
}

/// Takes one POST, answers it, and returns its body.
fn take_json(listener: &TcpListener) -> Value {
    let mut stream = accept(listener);
    let mut held = Vec::new();
    let mut buffer = [0_u8; 4096];
    let body = loop {
        let read = stream.read(&mut buffer).expect("a request");
        assert_ne!(read, 0, "the request ends early");
        held.extend_from_slice(&buffer[..read]);
        if let Some(body) = whole_body(&held) {
            break body;
        }
    };
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .expect("an answer");
    serde_json::from_slice(&body).expect("a body in JSON")
}

/// Returns the body of a request once all of it is there.
fn whole_body(request: &[u8]) -> Option<Vec<u8>> {
    let head = request.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    assert!(text.starts_with("post /made http/1.1"), "{text}");
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .expect("a length");
    let body = &request[head + 4..];
    (body.len() >= length).then(|| body[..length].to_vec())
}

/// Waits for a connection; one that never comes fails the test.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("a listener");
    let pause = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    while waited < CALLBACK_LIMIT {
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(false).expect("a stream");
            stream
                .set_read_timeout(Some(CALLBACK_LIMIT))
                .expect("a stream");
            return stream;
        }
        std::thread::sleep(pause);
        waited += pause;
    }
    panic!("no callback came");
}
