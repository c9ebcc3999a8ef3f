//! Filters, and what lets a row through when one looks at its cells.

use elastane::domain::listing::ListOf;

/// Tells whether a row fits, by the text of its cells.
pub(super) type Fits = fn(&dyn Fn(&str) -> String) -> bool;

/// Filters of lists. Now is 1,000 s after 1970.
pub(super) const CASES: &[(ListOf, &str, Fits)] = &[
    (ListOf::Users, "FIRST1", |it| it("name").contains("First1")),
    (ListOf::Users, "!first1 state:act", |it| {
        !it("name").contains("First1") && it("state") == "active"
    }),
    (ListOf::Users, "company:-", |it| it("company").is_empty()),
    (ListOf::Users, "!company:/2/", |it| {
        !it("company").contains('2')
    }),
    (ListOf::Users, "teams:>2", |it| {
        it("teams").parse::<i64>().unwrap() > 2
    }),
    (ListOf::Users, "seen:-", |it| it("last_login_at").is_empty()),
    (ListOf::Users, "email:=User7@example.com", |it| {
        it("email") == "User7@example.com"
    }),
    (ListOf::Users, "100%", |_| false),
    (ListOf::Users, "First_", |_| false),
    (ListOf::Users, "First~", |_| false),
    (ListOf::Flows, "state:stop", |it| it("status") == "inactive"),
    (ListOf::Flows, "state:fail", |it| {
        it("status") == "active" && matches!(&*it("last_run"), "error" | "interrupted")
    }),
    (ListOf::Flows, "state:inactive", |it| {
        it("status") == "inactive"
    }),
    (ListOf::Flows, "user_id:aa0000000000000000000002", |it| {
        it("user_id") == "aa0000000000000000000002"
    }),
    (
        ListOf::Flows,
        "user_id:=aa0000000000000000000002 flow",
        |it| it("user_id") == "aa0000000000000000000002",
    ),
    (ListOf::Flows, "owner:user2@ name:\"flow 1\"", |it| {
        it("user") == "User2@example.com" && it("name") == "flow 1"
    }),
    (ListOf::Flows, "next:-", |it| it("due_at").is_empty()),
    (ListOf::Executions, "state:error", |it| {
        it("status") == "error"
    }),
    (ListOf::Executions, "errors:>0", |it| {
        it("errors_total") != "0"
    }),
    (ListOf::Executions, "state:running", |it| {
        it("status") == "running"
    }),
    (ListOf::Executions, "state:w", |it| {
        it("status") == "waiting"
    }),
    (ListOf::Executions, "state:cancel", |it| {
        it("status") == "cancelled"
    }),
    (ListOf::Executions, "state:i took:>50", |it| {
        it("status") == "interrupted" && it("duration").parse::<i64>().unwrap() > 50
    }),
    (ListOf::Executions, "!state:error", |it| {
        it("status") != "error"
    }),
    (ListOf::Executions, "flow:ac0000000000000000000003", |it| {
        it("flow") == "ac0000000000000000000003"
    }),
    (
        ListOf::Executions,
        "flow:ac0000000000000000000003 state:error",
        |it| it("flow") == "ac0000000000000000000003" && it("status") == "error",
    ),
    (
        ListOf::Executions,
        "flow:ac0000000000000000000003 state:wait",
        |it| it("flow") == "ac0000000000000000000003" && it("status") == "waiting",
    ),
    (
        ListOf::Executions,
        "flow:ac0000000000000000000004 state:canc",
        |it| it("flow") == "ac0000000000000000000004" && it("status") == "cancelled",
    ),
    // Run `i` began at `i` seconds.
    (ListOf::Executions, "age:<980s", |it| {
        it("started_at").parse::<i64>().unwrap() > 20_000
    }),
    (ListOf::Executions, "age:>980s task:flow", |it| {
        it("started_at").parse::<i64>().unwrap() < 20_000
    }),
    (ListOf::Executions, "started:1970-01-01T00:00", |_| true),
    (ListOf::Executions, "started:>1970", |_| false),
    (ListOf::Teams, "user3@", |it| {
        it("members").contains("User3@")
    }),
    (ListOf::Components, "team-2", |it| {
        it("component").contains("team-2")
    }),
    (ListOf::Components, "tasks:0", |it| it("tasks") == "0"),
    (ListOf::SshKeys, "is_weak:yes", |it| it("is_weak") == "1"),
    (ListOf::ApiKeys, "ends:-", |it| it("expires_at").is_empty()),
    (ListOf::Credentials, "tasks:>0", |it| it("tasks") != "0"),
    (ListOf::Audit, "actor_id:aa0000000000000000000002", |it| {
        it("actor_id") == "aa0000000000000000000002"
    }),
    (ListOf::Audit, "detail:/\"n\":7/ at:>=2100", |it| {
        it("detail") == "{\"n\":7}"
    }),
    (ListOf::Organizations, "guest", |it| {
        it("members").contains("guest")
    }),
    (ListOf::Lookups, "entries:1", |it| it("entries") == "1"),
    (ListOf::Recipes, "tasks:2 does", |it| {
        it("tasks") == "2" && it("description").contains("does")
    }),
    (ListOf::Users, "team_id:cc0000000000000000000003", |it| {
        it("team_id").contains("cc0000000000000000000003")
    }),
    (ListOf::Users, "!team_id:cc0000000000000000000003", |it| {
        !it("team_id").contains("cc0000000000000000000003")
    }),
    (ListOf::Teams, "user_id:aa0000000000000000000003", |it| {
        it("user_id").contains("aa0000000000000000000003")
    }),
    (ListOf::Teams, "members:user3@", |it| {
        it("members").contains("User3@")
    }),
    (ListOf::Teams, "!members:=User3@example.com", |it| {
        !it("members").contains("User3@")
    }),
    (ListOf::Flows, "component:=team-3/repo-1", |it| {
        it("component") == "team-3/repo-1"
    }),
    (ListOf::Flows, "component:=repo-1", |_| false),
    (ListOf::Flows, "component:team-3", |it| {
        it("component").starts_with("team-3/")
    }),
    (ListOf::Flows, "credential:ab0000000000000000000004", |it| {
        it("credential") == "ab0000000000000000000004"
    }),
    (
        ListOf::Audit,
        "object:=flow/ac0000000000000000000004",
        |it| it("object_id") == "ac0000000000000000000004",
    ),
];
