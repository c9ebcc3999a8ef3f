//! Flows that leave an installation as a file and come to another.

use elastane::app::credential::NewCredential;
use elastane::domain::Kind;
use elastane::domain::flow::portable::PortableFlow;
use elastane::domain::principal::{Channel, Principal};
use elastane::domain::recipe::RecipeId;
use serde_json::{Map, Value, json};

use super::given;
use crate::support::Installation;

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// Adds a credential of a user.
fn credential(at: &Installation, who: &Principal, name: &str, component: &str) {
    let new = NewCredential {
        name: Some(name.to_owned()),
        component_name: Some(component.to_owned()),
        component_id: None,
        keys: members(json!({ "password": "s3cret" })),
    };
    at.app.create_credential(who, new).unwrap();
}

/// Makes a flow with an account on its step and returns it as a file.
fn exported(at: &Installation, who: &Principal) -> PortableFlow {
    let keys = json!({ "baseUrl": "s.example.com", "user": "u", "password": "s3cret" });
    let accounts = json!({
        "amazonmws": { "name": "Amazon", "credentials": { "sellerId": "7", "marketplace": "us" } },
        "shopware": { "name": "The shop", "credentials": keys },
    });
    let id = RecipeId::parse("53d61965a6b9e9183f000001").unwrap();
    let flows = at.app.activate_recipe(who, &id, members(accounts)).unwrap();
    at.app.export_flow(who, flows[0].id).unwrap()
}

#[test]
fn credentials_leave_by_name_and_are_found_by_it() {
    let (here, there) = (Installation::new(), Installation::new());
    let file = exported(&here, &here.principal("ada@example.com"));
    let text = file.to_value().to_string();
    assert!(
        !text.contains("s3cret") && !text.contains("credentials_id"),
        "{text}"
    );
    let read = PortableFlow::parse(text.as_bytes()).unwrap();
    assert_eq!(read, file);

    let bob = there.principal("bob@example.com");
    let eve = there.principal("eve@example.com");
    let operator = Principal::operator(Channel::Cli);
    let import = || {
        there
            .app
            .import_flow(&operator, bob.user_id().unwrap(), read.clone())
    };
    credential(&there, &eve, "The shop", "shopware");
    credential(&there, &bob, "The shop", "amazonmws");
    let refused = import().unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    assert_eq!(refused.fields().len(), 2, "{refused:?}");
    credential(&there, &bob, "The shop", "Shopware");
    credential(&there, &bob, "Amazon", "amazonmws");
    let flow = import().unwrap();
    let own = there.app.own_credentials(&bob).unwrap();
    let of = |component: &str| {
        let mut all = own.iter().map(|it| &it.credential);
        all.find(|it| it.component_name == component).unwrap().id
    };
    let first = &flow.graph.nodes[0];
    assert_eq!(first.credential_id, Some(of("Shopware")));
    assert_eq!(first.members["credentials_id"], of("Shopware").to_string());
    assert!(first.members.get("credential").is_none());
    there.app.start_flow(&bob, flow.id).unwrap();
    credential(&there, &bob, "Amazon", "amazonmws");
    let refused = import().unwrap_err();
    assert!(
        refused.message().contains("of which the user has several"),
        "{refused}"
    );
}

#[test]
fn only_the_operator_imports_and_only_ones_own_is_exported() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let eve = at.principal("eve@example.com");
    let file = exported(&at, &ada);
    let refused = at.app.import_flow(&ada, ada.user_id().unwrap(), file);
    assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    let flow = at
        .app
        .flows_of(&ada, ada.user_id().unwrap(), None, 1)
        .unwrap()
        .remove(0);
    let refused = at.app.export_flow(&eve, flow.id).unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
}

#[test]
fn a_field_that_is_entered_as_a_password_stays_here() {
    let at = Installation::new();
    let ada = at.principal("ada@example.com");
    let own = at.app.create_component(&ada, None, Some("Bank")).unwrap();
    let descriptor = json!({
        "title": "Bank", "triggers": { "read": {
            "type": "polling",
            "fields": { "pin": { "viewClass": "PasswordFieldView" },
                        "size": { "viewClass": "TextFieldView" } },
        } },
    });
    given::build(&at, &own, 1, &descriptor);
    let file = json!({ "name": "Bank", "graph": { "nodes": [
        { "id": "a", "command": format!("{}/bank:read", own.team),
          "fields": { "pin": "1234", "size": "5" } },
    ] } });
    let file = PortableFlow::parse(file.to_string().as_bytes()).unwrap();
    let operator = Principal::operator(Channel::Cli);
    let flow = at
        .app
        .import_flow(&operator, ada.user_id().unwrap(), file)
        .unwrap();
    assert_eq!(flow.graph.nodes[0].members["fields"]["pin"], "1234");
    let out = at.app.export_flow(&ada, flow.id).unwrap();
    assert_eq!(out.graph.nodes[0].members["fields"], json!({ "size": "5" }));
}
