//! Examples of bodies for API v2: the documented samples, with their broken quotes repaired.

use serde_json::{Value, json};

/// An example: method, path, and the resource in the body. A word in braces is the id of
/// something of that kind.
pub type Example = (&'static str, &'static str, &'static str);

/// The id that stands for a word in braces where nothing is at hand.
const SOME_ID: &str = "5559edd38968ec0736000003";

/// Every example, each with what it needs from those before it.
pub const EXAMPLES: &[Example] = &[
    (
        "POST",
        "/v2/teams",
        r#"{"type":"team","attributes":{"name":"mynewteam"}}"#,
    ),
    (
        "PATCH",
        "/v2/teams/{team_id}",
        r#"{"type":"team","id":"{team}","attributes":{"name":"our team"}}"#,
    ),
    (
        "POST",
        "/v2/components",
        r#"{"type":"component","attributes":{"name":"test-component"},"relationships":{"team":{"data":{"type":"team","id":"{team}"}}}}"#,
    ),
    (
        "PATCH",
        "/v2/components/{component_id}",
        r#"{"type":"component","attributes":{"access":"tenant"}}"#,
    ),
    (
        "PUT",
        "/v2/components/{component_id}/env",
        r#"{"type":"component-env","attributes":{"vars":{"key1":"val1","key2":"val2"}}}"#,
    ),
    (
        "POST",
        "/v2/credentials",
        r#"{"type":"credential","attributes":{"name":"Test","keys":{"username":"username","password":"secret"}},"relationships":{"component":{"data":{"type":"component","id":"{component}"}}}}"#,
    ),
    (
        "PATCH",
        "/v2/credentials/{credential_id}",
        r#"{"type":"credential","id":"{credential}","attributes":{"name":"Test 2"}}"#,
    ),
    (
        "POST",
        "/v2/data-samples",
        r#"{"type":"data-sample","attributes":{"method":"timer","result":{"foo":"bar"}},"relationships":{"component":{"data":{"type":"component","id":"{component}"}},"component_version":{"data":{"type":"version","id":"latest"}}}}"#,
    ),
    (
        "PATCH",
        "/v2/data-samples/{sample_id}",
        r#"{"type":"data-sample","id":"{data-sample}","attributes":{"result":{"foo":"baz"}}}"#,
    ),
    (
        "POST",
        "/v2/samples",
        r#"{"type":"data-sample","attributes":{"method":"timer","result":{"foo":"bar"}},"relationships":{"component":{"data":{"type":"component","id":"{component}"}},"component_version":{"data":{"type":"version","id":"latest"}}}}"#,
    ),
    (
        "PATCH",
        "/v2/samples/{sample_id}",
        r#"{"type":"data-sample","id":"{data-sample}","attributes":{"method":"timer"}}"#,
    ),
    (
        "POST",
        "/v2/flows",
        r#"{"type":"flow","attributes":{"name":"Timer to E-Mail Test","type":"ordinary","graph":{"nodes":[{"id":"step_1","command":"elasticio/timer:timer"},{"id":"step_2","command":"elasticio/email:send"}],"edges":[{"source":"step_1","target":"step_2","config":{"mapper":{"to":"info@acme.org","subject":"Test","textBody":"{{fireTime}}"}}}]}}}"#,
    ),
    (
        "PATCH",
        "/v2/flows/{flow_id}",
        r#"{"type":"flow","id":"{flow}","attributes":{"name":"this is a test task","cron":"*/2 * * * *"}}"#,
    ),
    (
        "POST",
        "/v2/flows/{flow_id}/snapshots",
        r#"{"type":"snapshot","id":"step_1","attributes":{"snapshot":{"lastUpdate":0}}}"#,
    ),
    (
        "PATCH",
        "/v2/flows/{flow_id}/snapshots/{step_id}",
        r#"{"type":"snapshot","id":"step_1","attributes":{"snapshot":{"lastUpdate":1}}}"#,
    ),
    (
        "POST",
        "/v2/flow-executions/{execution_id}/retry",
        r#"{"type":"execution-retry","attributes":{"mode":"run"}}"#,
    ),
    (
        "POST",
        "/v2/lookups",
        r#"{"type":"lookup","attributes":{"title":"Countries","data":{"de":"Germany","us":"USA"}}}"#,
    ),
    (
        "PUT",
        "/v2/lookups",
        r#"{"type":"lookup","id":"{lookup}","attributes":{"title":"Countries","data":{"de":"Germany"}}}"#,
    ),
    (
        "PUT",
        "/v2/lookups/{lookup_id}",
        r#"{"type":"lookup","id":"{lookup}","attributes":{"title":"Lands","data":{"de":"Deutschland"}}}"#,
    ),
    (
        "PATCH",
        "/v2/lookups/{lookup_id}",
        r#"{"type":"lookup","id":"{lookup}","attributes":{"title":"Countries"}}"#,
    ),
    (
        "POST",
        "/v2/organizations",
        r#"{"type":"organization","attributes":{"name":"Test Organization"}}"#,
    ),
    (
        "POST",
        "/v2/users",
        r#"{"type":"user","attributes":{"first_name":"John","last_name":"Doe","email":"john.doe@example.com","password":"secret","company":"Acme"}}"#,
    ),
    (
        "POST",
        "/v2/organizations/{organization_id}/members",
        r#"{"type":"member","id":"{user}","attributes":{"role":"admin"}}"#,
    ),
    (
        "PATCH",
        "/v2/organizations/{organization_id}/members/{user_id}",
        r#"{"type":"member","id":"{user}","attributes":{"role":"admin"}}"#,
    ),
    (
        "POST",
        "/v2/organizations/{organization_id}/invites",
        r#"{"type":"invite","attributes":{"email":"one@example.com","role":"guest"}}"#,
    ),
    (
        "POST",
        "/v2/organizations/{organization_id}/members/invite",
        r#"{"type":"invite","attributes":{"email":"two@example.com","role":"guest"}}"#,
    ),
    (
        "POST",
        "/v2/invites/{token}",
        r#"{"type":"organization-invite","attributes":{"first_name":"John","last_name":"Doe","password":"secret"}}"#,
    ),
    (
        "POST",
        "/v2/api-keys",
        r#"{"type":"api-key","attributes":{"name":"laptop"}}"#,
    ),
    (
        "POST",
        "/v2/sshkeys",
        r#"{"type":"sshkey","attributes":{"title":"laptop","key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl john@example.com"}}"#,
    ),
    (
        "POST",
        "/v2/components/{component_id}/versions/{version}/verify-credential",
        r#"{"type":"verify-credential","attributes":{"fields":{"username":"username","password":"secret"}}}"#,
    ),
    (
        "POST",
        "/v2/components/{component_id}/versions/{version}/dynamic-metadata",
        r#"{"type":"dynamic-metadata","attributes":{"module":"timer","fields":{}}}"#,
    ),
    (
        "POST",
        "/v2/components/{component_id}/versions/{version}/select-model",
        r#"{"type":"select-model","attributes":{"module":"timer","method":"options","fields":{}}}"#,
    ),
];

/// Returns the body of an operation as an example; none where there is none.
pub(super) fn of(method: &str, path: &str) -> Option<Value> {
    let found = EXAMPLES
        .iter()
        .find(|(of, at, _)| (*of, *at) == (method, path));
    found.map(|(_, _, resource)| body(resource, |_| SOME_ID.to_owned()))
}

/// Returns the body of an example, the words in braces replaced.
pub fn body(resource: &str, id_of: impl Fn(&str) -> String) -> Value {
    let mut text = String::new();
    let mut rest = resource;
    // A word in braces is a whole text of JSON; other braces are not.
    while let Some((before, from)) = rest.split_once("\"{") {
        let (word, after) = from.split_once("}\"").unwrap_or((from, ""));
        if word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
            text.push_str(before);
            text.push('"');
            text.push_str(&id_of(word));
            text.push('"');
            rest = after;
        } else {
            text.push_str(before);
            text.push_str("\"{");
            rest = from;
        }
    }
    text.push_str(rest);
    let resource: Value = serde_json::from_str(&text).expect("an example is JSON");
    json!({ "data": resource })
}
