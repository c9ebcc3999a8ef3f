//! Git over HTTP: who may clone and push, and what comes back.

use elastane::api::route::Access;
use serde_json::json;

use super::given::{House, commit, git};
use crate::support::organization::Organization;

/// The repository of the tests.
const REPO: &str = "ada-s/hello.git";

#[test]
fn what_is_pushed_is_what_is_cloned() {
    let house = House::new();
    let clone = house.committed("one", "topic", &[("a.txt", "one\n")]);
    let url = house.url(&house.ada, REPO);
    let said = git(&clone, &["push", &url, "topic"]).well();
    assert!(
        said.contains("remote: topic is stored; only master and main are built"),
        "{said}"
    );
    // Large enough that git sends it in chunks, and packs what it asks for.
    let many: Vec<String> = (0..400_000_u64).map(|n| format!("{:x}\n", n * n)).collect();
    let many = many.concat();
    let revision = commit(&clone, &[("many.txt", &many)]);
    git(
        &clone,
        &["-c", "http.postBuffer=65536", "push", &url, "topic"],
    )
    .well();
    git(
        house.desk.path(),
        &["clone", "-q", "-b", "topic", &url, "two"],
    )
    .well();
    let two = house.desk.path().join("two");
    assert_eq!(git(&two, &["rev-parse", "HEAD"]).well().trim(), revision);
    assert_eq!(
        std::fs::read_to_string(two.join("many.txt")).expect("a file"),
        many
    );
    git(&clone, &["push", &url, ":topic"]).well();
    assert_eq!(git(&two, &["ls-remote", &url]).well(), "");
}

#[test]
fn every_route_of_git_asks_who_calls_and_for_what() {
    let house = House::new();
    let bea = house.server.user("bea@example.com");
    house.add_to_team(&bea);
    let carl = house.server.user("carl@example.com");
    let root = house.server.admin("root@example.com");
    let nobody = house.server.anonymous();
    let wrong = nobody.signing_in("7a00b1ec-a0a8-4cea-84d2-d26052c8b788", "");
    let routes: Vec<_> = elastane::api::routes()
        .into_iter()
        .filter(|route| route.access == Access::Git)
        .collect();
    assert_eq!(routes.len(), 3);
    for route in routes {
        let path = |team: &str, repo: &str| {
            let path = route
                .path
                .replace("{team}", team)
                .replace("{repository}", repo);
            let query = if route.method == "GET" {
                "?service=git-receive-pack"
            } else {
                ""
            };
            format!("{path}{query}")
        };
        for (who, team, repo, status) in [
            (&nobody, "ada-s", "hello.git", 401),
            (&wrong, "ada-s", "hello.git", 401),
            (&carl, "ada-s", "hello.git", 404),
            (&root, "ada-s", "hello.git", 404),
            (&house.ada, "ada-s", "other.git", 404),
            (&house.ada, "elasticio", "timer.git", 404),
            (&house.ada, "Ada's", "hello.git", 404),
            (&house.ada, "ada-s", "hello.git", 200),
            (&house.ada, "ada-s", "hello", 200),
            (&bea, "ada-s", "hello.git", 200),
        ] {
            // An empty exchange is one that git ends without a word.
            let answer = who.send(route.method, &path(team, repo), &[], "0000");
            assert_eq!(
                answer.status,
                status,
                "{} {}: {}",
                route.method,
                path(team, repo),
                answer.text
            );
        }
    }
}

#[test]
fn a_key_signs_git_in_as_user_as_password_and_as_token() {
    let house = House::new();
    let path = "/git/ada-s/hello.git/info/refs?service=git-upload-pack";
    let nobody = house.server.anonymous();
    let key = house.ada.key.as_str();
    assert_eq!(nobody.signing_in(key, "").get(path).status, 200);
    assert_eq!(
        nobody.signing_in("ada@example.com", key).get(path).status,
        200
    );
    let mut bearer = nobody.clone();
    bearer.authorization = Some(format!("Bearer {key}"));
    assert_eq!(bearer.get(path).status, 200);
    bearer.authorization = Some("Bearer 7a00b1ec-a0a8-4cea-84d2-d26052c8b788".to_owned());
    assert_eq!(bearer.get(path).status, 401);
    bearer.authorization = Some(format!("Bearer {key}"));
    assert_eq!(
        bearer.get("/v1/teams").status,
        401,
        "tokens are for git alone"
    );
}

#[test]
fn git_shows_people_why_it_is_refused() {
    let house = House::new();
    let clone = house.committed("one", "topic", &[("a.txt", "one\n")]);
    let carl = house.server.user("carl@example.com");
    let url = house.url(&carl, REPO);
    let said = git(&clone, &["push", &url, "topic"]).refused();
    assert!(said.contains("not found"), "{said}");
    let dumb = house.ada.get("/git/ada-s/hello.git/info/refs");
    assert_eq!(dumb.status, 403);
    assert!(
        dumb.text.starts_with("git speaks its smart protocol"),
        "{}",
        dumb.text
    );
}

#[test]
fn a_push_of_hostile_objects_is_refused() {
    let house = House::new();
    let clone = house.committed("one", "topic", &[("a.txt", "one\n")]);
    // A tree with an entry called .git, which a checkout would write into its own settings.
    let blob = git(&clone, &["hash-object", "-w", "a.txt"]).well();
    let listing = format!("100644 blob {}\t.git", blob.trim());
    let tree = piped(&clone, &["mktree"], &listing);
    let commit = git(&clone, &["commit-tree", "-m", "x", tree.trim()]).well();
    let spec = format!("{}:refs/heads/topic", commit.trim());
    let said = git(&clone, &["push", &house.url(&house.ada, REPO), &spec]).refused();
    assert!(said.contains("hasDotgit"), "{said}");
}

#[test]
fn a_repository_has_so_many_refs_and_can_always_lose_some() {
    let house = House::new();
    let clone = house.committed("one", "topic", &[("a.txt", "one\n")]);
    let url = house.url(&house.ada, REPO);
    let revision = git(&clone, &["rev-parse", "HEAD"]).well();
    let made = (0..1_001).map(|number| {
        let group = if number < 600 { "a" } else { "b" };
        format!("create refs/tags/{group}{number} {}\n", revision.trim())
    });
    let made: Vec<String> = made.collect();
    piped(&clone, &["update-ref", "--stdin"], &made.concat());
    let limit = "a repository has at most 1000 branches and tags";
    let said = git(&clone, &["push", &url, "refs/tags/*"]).refused();
    assert!(
        said.contains("a push has at most 1000 branches and tags"),
        "{said}"
    );
    git(&clone, &["push", "-q", &url, "refs/tags/a*"]).well();
    let said = git(&clone, &["push", &url, "refs/tags/b*"]).refused();
    assert!(said.contains(limit), "{said}");
    git(&clone, &["tag", "-d", "b600"]).well();
    git(&clone, &["push", "-q", &url, "refs/tags/b*"]).well();
    let said = git(&clone, &["push", &url, "topic"]).refused();
    assert!(said.contains(limit), "{said}");
    // What is there may move and go.
    let next = commit(&clone, &[("a.txt", "two\n")]);
    git(
        &clone,
        &["push", "-q", &url, &format!("+{next}:refs/tags/a0")],
    )
    .well();
    git(&clone, &["push", "-q", &url, ":refs/tags/a1"]).well();
    git(&clone, &["push", "-q", &url, "topic"]).well();
}

#[test]
fn git_on_the_server_fetches_from_nowhere() {
    let house = House::new();
    let place = house.server.installation.dir.path();
    let settings = place.join("elastane.repositories/config");
    let trap = house.desk.path().join("trapped");
    let program = format!("ext::sh -c touch% {}", trap.display());
    let local = format!("file://{}", house.desk.path().display());
    for source in [program.as_str(), local.as_str(), "https://127.0.0.1:1/x"] {
        let output = super::given::command(house.desk.path())
            .env("GIT_CONFIG_GLOBAL", &settings)
            .args(["ls-remote", source])
            .output();
        let said = super::given::Said(output.expect("git")).refused();
        assert!(said.contains("not allowed"), "{source}: {said}");
    }
    assert!(!trap.exists());
}

/// Runs git with a text on its input.
fn piped(folder: &std::path::Path, args: &[&str], input: &str) -> String {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = super::given::command(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("its end");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_guest_of_the_organization_clones_and_does_not_push() {
    let house = House::new();
    let organization = Organization::new(&house.server, "Acme");
    let ivy = organization.member(&house.server, "ivy@example.com", "integrator");
    let guest = organization.member(&house.server, "guest@example.com", "guest");
    let team = ivy.post("/v1/teams", &json!({ "name": "Acme" })).json(201);
    let sent = json!({ "name": "shop", "team_id": team["id"] });
    assert_eq!(ivy.post("/v1/repos", &sent).status, 201);
    let refs = |program: &str| format!("/git/acme/shop.git/info/refs?service={program}");
    for (who, clones, pushes) in [(&ivy, 200, 200), (&guest, 200, 403), (&house.ada, 404, 404)] {
        assert_eq!(who.get(&refs("git-upload-pack")).status, clones);
        assert_eq!(who.get(&refs("git-receive-pack")).status, pushes);
    }
}
