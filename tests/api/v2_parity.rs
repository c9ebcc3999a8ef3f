//! Every pair of reads that v1 and v2 have in common shows the same (`v2.md 7`).

use serde_json::{Value, json};

use super::v2_views::make_one_of_each;
use crate::support::TestServer;

/// What is compared of an answer.
type Part = fn(&Value) -> Value;

/// Where both versions show one thing: the path in each, and what is compared of it. In a
/// path, `REPO`, `ACCOUNT` and `COMPONENT` stand for ids.
struct Views {
    what: &'static str,
    v1: (&'static str, Part),
    v2: (&'static str, Part),
}

/// Every such pair.
const VIEWS: [Views; 12] = [
    Views {
        what: "the own user",
        v1: ("/v1/users", Value::clone),
        v2: ("/v2/users/me", |one| {
            attributes(&one["data"], &["first_name", "last_name", "email"])
        }),
    },
    Views {
        what: "teams and their members",
        v1: ("/v1/teams", |all| each(all, Value::clone)),
        v2: ("/v2/teams", |all| {
            each(&all["data"], |team| {
                let users = &team["relationships"]["users"]["data"];
                let mut shown = attributes(team, &["name"]);
                shown["members"] = each(users, |user| user["id"].clone());
                shown
            })
        }),
    },
    Views {
        what: "repositories",
        v1: ("/v1/repos", |all| {
            each(all, |one| members(one, &["id", "name", "team_id"]))
        }),
        v2: ("/v2/components?filter[access]=private", |all| {
            each(&all["data"], |one| {
                let mut shown = attributes(one, &["name"]);
                shown["team_id"] = one["relationships"]["team"]["data"]["id"].clone();
                shown
            })
        }),
    },
    Views {
        what: "a repository",
        v1: ("/v1/repos/REPO", |one| members(one, &["id", "name"])),
        v2: ("/v2/components/REPO", |one| {
            attributes(&one["data"], &["name"])
        }),
    },
    Views {
        what: "environment variables",
        v1: ("/v1/repos/REPO/env", Value::clone),
        v2: ("/v2/components/REPO/env", |one| {
            one["data"]["attributes"]["vars"].clone()
        }),
    },
    Views {
        what: "the components of the own teams",
        v1: ("/v1/components/mine?compat=later", |all| {
            each(&all["components"], |one| one["repo_id"].clone())
        }),
        v2: ("/v2/components?filter[access]=private", |all| {
            each(&all["data"], |one| one["id"].clone())
        }),
    },
    Views {
        what: "public components",
        v1: ("/v1/components/public?compat=later", |all| {
            each(&all["components"], |one| one["repo_id"].clone())
        }),
        v2: ("/v2/components?filter[access]=public", |all| {
            each(&all["data"], |one| one["id"].clone())
        }),
    },
    Views {
        what: "a descriptor",
        v1: ("/v1/components/COMPONENT", |one| {
            members(&one["data"], &["title", "triggers", "actions", "icon"])
        }),
        v2: (
            "/v2/components/COMPONENT/versions/latest/descriptor",
            |one| {
                let shown = &one["data"]["attributes"];
                members(shown, &["title", "triggers", "actions", "icon"])
            },
        ),
    },
    Views {
        what: "SSH keys",
        v1: ("/v1/sshkey", |all| {
            let names = ["id", "title", "key", "fingerprint", "user_id"];
            each(all, |one| members(one, &names))
        }),
        v2: ("/v2/sshkeys", |all| {
            let names = ["title", "key", "fingerprint", "user_id"];
            each(&all["data"], |one| attributes(one, &names))
        }),
    },
    Views {
        what: "credentials",
        v1: ("/v1/accounts", |all| {
            each(all, |one| members(one, &["id", "name", "keys"]))
        }),
        v2: ("/v2/credentials", |all| {
            each(&all["data"], |one| attributes(one, &["name", "keys"]))
        }),
    },
    Views {
        what: "a credential",
        v1: ("/v1/accounts/ACCOUNT", |one| {
            members(one, &["id", "name", "keys"])
        }),
        v2: ("/v2/credentials/ACCOUNT", |one| {
            attributes(&one["data"], &["name", "keys"])
        }),
    },
    Views {
        what: "recipes",
        v1: ("/v1/recipes", |all| each(all, Value::clone)),
        v2: ("/v2/recipes", |all| {
            each(
                &all["data"],
                |one| json!({ "id": one["id"], "title": one["attributes"]["info"]["title"] }),
            )
        }),
    },
];

/// Returns what a function makes of every element of a list, in an order of its own.
fn each(list: &Value, make: impl Fn(&Value) -> Value) -> Value {
    let mut all: Vec<Value> = list.as_array().expect("a list").iter().map(make).collect();
    all.sort_by_key(Value::to_string);
    assert!(!all.is_empty(), "nothing to compare");
    all.into()
}

/// Returns some members of an object.
fn members(object: &Value, names: &[&str]) -> Value {
    let mut shown = json!({});
    for name in names {
        shown[name] = object[name].clone();
    }
    shown
}

/// Returns the id of a resource and some of its attributes.
fn attributes(resource: &Value, names: &[&str]) -> Value {
    let mut shown = members(&resource["attributes"], names);
    shown["id"] = resource["id"].clone();
    shown
}

#[test]
fn every_pair_of_views_shows_the_same() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let [_, repo, _, account, _] = make_one_of_each(&ada);
    let vars = ada.put(&format!("/v1/repos/{repo}/env"), &json!({ "A": "b" }));
    assert_eq!(vars.status, 200);
    let public = ada.get("/v2/components?filter[access]=public").json(200);
    let component = public["data"][0]["id"].as_str().expect("an id");
    for Views { what, v1, v2 } in VIEWS {
        let [old, new] = [v1, v2].map(|(path, part)| {
            let path = path
                .replace("REPO", &repo)
                .replace("ACCOUNT", &account)
                .replace("COMPONENT", component);
            part(&ada.get(&path).json(200))
        });
        assert_eq!(old, new, "{what}");
    }
}

#[test]
fn a_task_and_a_flow_have_one_status() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    let [.., task] = make_one_of_each(&ada);
    // v1 shows a task only where its status changes.
    for (verb, told, shown) in [
        ("start", "active", "active"),
        ("suspend", "suspended", "inactive"),
        ("start", "active", "active"),
        ("stop", "inactive", "inactive"),
    ] {
        let old = ada.post(&format!("/v1/tasks/{verb}/{task}"), &json!({}));
        assert_eq!(old.json(200)["status"], told, "{verb}");
        let new = ada.get(&format!("/v2/flows/{task}")).json(200);
        let attributes = &new["data"]["attributes"];
        assert_eq!(attributes["status"], shown, "{verb}");
        assert_eq!(attributes["current_status"], told, "{verb}");
    }
}
