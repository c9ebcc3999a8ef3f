//! Requests as the documents write them, and what they need to find on a server.

use elastane::app::user::Role;
use elastane::domain::principal::{Channel, Principal};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestServer};

/// The documented recipe.
pub const RECIPE_ID: &str = "53d61965a6b9e9183f000001";

/// The documented activation, character by character.
pub const ACTIVATION: &str = r#"
   {
       "recipeId": "53d61965a6b9e9183f000001",
       "accounts": {
           "amazonmws": {
               "credentials": {
                   "sellerId": "asdasd7a7sd60asasdasd",
                   "marketplace": "us",
                   "mwsAuthToken": "345lkj34k5j3l45k"
               }
           },
           "shopware": {
               "credentials": {
                   "baseUrl": "mysuperawesomeshop.com",
                   "user": "text@example.com",
                   "password": "secret"
               }
           }
       }
   }"#;

/// An id that no object has.
pub const NOTHING: &str = "000000000000000000000000";

/// An RSA key of 2048 bits, as `ssh-keygen` wrote it.
pub const RSA_KEY: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDC/GVK5tHzPhHuPxwUlhUq/8q76jyUOfv33WWAKIwxE4NzIHFstlmUDhJK5LwMQEu7JH1s1ATkcImP07uoyn3icRopqrlI3EAKpRrSZ6zpviWjSciNJrwxymDv7mBc+vM7+enLcI+BGsirZGoaiwMcu/+Do3JFSui50DIRSJkFYCB9IouMM6qdC3advtB4ohd+Nke0Bleeva61wN9/0IIUmM9cZHaplyPZPDRRwtrbj6bGqJLZwE4pguSz/0f8GlLp80yVHRcERtTnQpdJqUEYzdFMK4sh5E8vvPe9emcwg7b0yesDVw1LHiPAcKAckj+1opH3sHWyGuF3rm/3iRFT john@example.com";

/// What `ssh-keygen -lf` prints of the key.
pub const RSA_SHA256: &str = "SHA256:D+0ZZVjurUW8lzE0rrgIl3YBWHcvvhR8lZPYUixDDWQ";

/// What `ssh-keygen -E md5 -lf` prints of the key, without the name of the hash.
pub const RSA_MD5: &str = "b6:b7:10:ca:6b:89:01:78:a0:70:fc:d5:40:f8:39:54";

/// What a documented curl line says of the body.
#[derive(Clone, Copy)]
pub enum Labelled {
    /// `-H 'Content-Type: application/json'`.
    Json,
    /// Nothing, so that curl labels the body as a form.
    AsForm,
}

/// Sends what a documented curl line without a body sends.
pub fn curl_line(actor: &Actor, method: &str, path: &str) -> Answer {
    actor.send(method, path, &[("accept", "application/json")], "")
}

/// Sends what a documented curl line with a body sends.
pub fn curl_data(actor: &Actor, path: &str, label: Labelled, body: &str) -> Answer {
    let content_type = match label {
        Labelled::Json => "application/json",
        Labelled::AsForm => "application/x-www-form-urlencoded",
    };
    let headers = [
        ("accept", "application/json"),
        ("content-type", content_type),
    ];
    actor.send("POST", path, &headers, body)
}

/// Registers a user who sends its key as user name and, as the curl lines do, something
/// as password.
pub fn user(server: &TestServer, email: &str) -> Actor {
    let (user, key) = server.installation.register(email, Role::Member);
    Actor::of(&server.base, user, &key).signing_in(&key, "a password")
}

/// Returns whoever works at the command line.
pub fn operator() -> Principal {
    Principal::operator(Channel::Cli)
}

/// Makes a repository and returns it.
pub fn repo(actor: &Actor, name: &str) -> Value {
    actor.post("/v1/repos/", &json!({ "name": name })).json(201)
}

/// Makes a task of built-in components and returns its id.
pub fn task(actor: &Actor) -> String {
    let nodes = json!([
        { "action": "elasticio/timer:timer", "config": { "interval": "minute" } },
        { "action": "elasticio/debug:log" },
    ]);
    let body = json!({ "name": "Heartbeat", "nodes": nodes });
    id_of(&actor.post("/v1/tasks", &body).json(200))
}

/// Returns the id of an object.
pub fn id_of(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

/// Returns the id of a public component by its title.
pub fn public_component(actor: &Actor, title: &str) -> String {
    let list = actor.get("/v1/components").json(200);
    let components = list["components"].as_object().expect("a map");
    let found = components.iter().find(|(_, shown)| shown["name"] == title);
    found.expect("a public component").0.clone()
}
