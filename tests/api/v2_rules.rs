//! What holds for every route of v2 (`v2.md 2`).

use elastane::api::route::Access;
use elastane::api::shape::Answers;
use elastane::api::v2;

use crate::support::TestServer;

/// An id of nothing, and not one of anything's form.
const NOTHING: &str = "x";

/// Returns a pattern with nothing in the places of its parameters.
fn path_of(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| {
        if segment.starts_with('{') {
            NOTHING
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_refuses_a_query_that_it_does_not_know() {
    let server = TestServer::start();
    let ada = server.user("ada@example.com");
    for route in v2::routes() {
        if route.access != Access::User {
            continue;
        }
        for query in [
            "include=nothing",
            "filter[x]=1",
            "page[x]=1",
            "sort=x",
            "nothing=1",
        ] {
            let path = format!("{}?{query}", path_of(route.path));
            let answer = ada.send(route.method, &path, &[], "");
            assert_eq!(answer.status, 400, "{} {path}", route.method);
            assert!(answer.text.contains("\"parameter\""), "{}", answer.text);
        }
    }
}

#[test]
fn a_malformed_id_is_the_id_of_nothing() {
    let server = TestServer::start();
    let admin = server.admin("root@example.com");
    for route in v2::routes() {
        let needs_body = route.takes.is_some() || route.path.contains("relationships");
        if route.access != Access::User || needs_body || !route.path.contains('{') {
            continue;
        }
        let answer = admin.send(route.method, &path_of(route.path), &[], "");
        assert_eq!(answer.status, 404, "{} {}", route.method, route.path);
    }
}

#[test]
fn every_route_says_what_it_answers() {
    for route in v2::routes() {
        let said = match route.answers {
            Answers::Unsaid | Answers::Object(_) | Answers::Objects(_) | Answers::Map => false,
            Answers::Nothing => route.status == 202 || route.status == 204,
            Answers::One(kind) | Answers::Many(kind) => {
                v2::TYPES.iter().any(|known| known.name == kind.name)
            }
            Answers::Meta | Answers::Plain => true,
        };
        assert!(said, "{} {}", route.method, route.path);
    }
}
