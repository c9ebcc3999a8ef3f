//! Flows that leave the installation as a file, and come from one.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Steps, check_flow_count, component, load, require_operator, usable_descriptor};
use crate::app::{Act, App, PAGE_MAX};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::flow::portable::{NamedCredential, PortableFlow};
use crate::domain::flow::{Flow, NewFlow};
use crate::domain::id::{CredentialId, FlowId, UserId};
use crate::domain::organization::Owner;
use crate::domain::principal::Principal;
use crate::domain::slug::Slug;
use crate::domain::{Error, FieldError, Result};
use crate::store::Read;

/// The view of a field whose value is a secret (`runtime.md 1.4`).
const SECRET_VIEW: &str = "PasswordFieldView";

impl App {
    /// Returns a flow for a file: one's own, or anybody's for the operator.
    ///
    /// Credentials stand in it by name and component. The values of fields that a
    /// person enters as passwords are left out. That is all that anybody can tell to
    /// be a secret: a text in another field stays.
    pub fn export_flow(&self, who: &Principal, id: FlowId) -> Result<PortableFlow> {
        self.read(|read| portable(read, load(read, who, id)?))
    }

    /// Returns the fields of a flow's steps that a person enters as passwords, as far as
    /// they have a value: the step and the name of the field. A screen hides these.
    pub fn secret_fields_of(&self, who: &Principal, id: FlowId) -> Result<Vec<(String, String)>> {
        self.read(|read| {
            let flow = load(read, who, id)?;
            let mut found = Vec::new();
            for node in &flow.graph.nodes {
                let Some(Value::Object(fields)) = node.members.get("fields") else {
                    continue;
                };
                let descriptor = usable_descriptor(read, flow.user_id, &node.command)?;
                let secrets =
                    secret_fields(&descriptor.unwrap_or_default(), &node.command.function);
                let own = fields.keys().filter(|name| secrets.contains(*name));
                found.extend(own.map(|name| (node.id.clone(), name.clone())));
            }
            Ok(found)
        })
    }

    /// Makes an inactive flow of `user` from a file; for the operator.
    ///
    /// Refused with each step that names a function which the user may not use, and
    /// each whose credential the user does not have exactly once.
    pub fn import_flow(&self, who: &Principal, user: UserId, file: PortableFlow) -> Result<Flow> {
        require_operator(who)?;
        self.read(|read| check_flow_count(read, user, 1))?;
        let app = self.clone();
        self.act(who, move |act| {
            let new = checked(act, user, file)?;
            new.graph.check_expressions(new.options.mapper_kind())?;
            let flow = app.insert_flow(act, user, new)?;
            act.audit(
                &NewAuditEntry::of("flow.import", ObjectKind::Flow, flow.id)
                    .with(json!({ "user_id": user.to_string() })),
            )?;
            Ok(flow)
        })
    }
}

/// Takes from a flow what only this installation knows.
fn portable(read: &Read<'_>, flow: Flow) -> Result<PortableFlow> {
    let mut graph = flow.graph;
    let mut credentials = std::collections::BTreeMap::new();
    for node in &mut graph.nodes {
        node.members.shift_remove("credentials_id");
        if let Some(id) = node.credential_id.take()
            && let Some(credential) = read.credential(id)?
        {
            let named = NamedCredential {
                name: credential.name,
                component: credential.component_name,
            };
            credentials.insert(node.id.clone(), named);
        }
        let descriptor = usable_descriptor(read, flow.user_id, &node.command)?;
        let secrets = secret_fields(&descriptor.unwrap_or_default(), &node.command.function);
        if let Some(Value::Object(fields)) = node.members.get_mut("fields") {
            fields.retain(|name, _| !secrets.contains(name));
        }
    }
    Ok(PortableFlow {
        name: flow.name,
        description: flow.description,
        flow_type: flow.flow_type,
        graph,
        cron: flow.cron,
        options: flow.options,
        credentials,
    })
}

/// Returns the names of the fields of a function, and of its component, that hold
/// secrets.
pub(in crate::app) fn secret_fields(descriptor: &Value, function: &str) -> HashSet<String> {
    let of = |group: &str| {
        descriptor
            .get(group)?
            .get(function)?
            .get("fields")?
            .as_object()
    };
    let all = [
        of("triggers"),
        of("actions"),
        descriptor.get("fields").and_then(Value::as_object),
    ];
    let is_secret =
        |field: &Value| field.get("viewClass").and_then(Value::as_str) == Some(SECRET_VIEW);
    all.into_iter()
        .flatten()
        .flatten()
        .filter(|(_, field)| is_secret(field))
        .map(|(name, _)| name.clone())
        .collect()
}

/// Checks a flow from a file and puts the user's credentials on its steps.
fn checked(act: &Act<'_>, user: UserId, file: PortableFlow) -> Result<NewFlow> {
    let mut graph = file.graph;
    component::unpin_built_in(act, &mut graph)?;
    let first = graph.first().map(|node| node.id.clone());
    let mut steps = Steps::new(act, Owner::personal(user));
    let mut faults = Vec::new();
    for node in &mut graph.nodes {
        let is_first = first.as_ref() == Some(&node.id);
        let mut reason = steps.find(node, is_first)?.err();
        if let Some(named) = file.credentials.get(&node.id) {
            match credential(act, user, named)? {
                Ok(id) => {
                    let text = id.to_string();
                    node.members
                        .insert("credentials_id".to_owned(), text.into());
                    node.credential_id = Some(id);
                }
                Err(fault) => reason = reason.or(Some(fault)),
            }
        }
        faults.extend(reason.map(|message| FieldError {
            field: node.id.clone(),
            message,
        }));
    }
    if !faults.is_empty() {
        return Err(Error::invalid_fields(faults));
    }
    Ok(NewFlow {
        name: file.name,
        description: file.description,
        flow_type: file.flow_type,
        graph,
        cron: file.cron,
        recipe_id: None,
        options: file.options,
    })
}

/// Returns the user's one credential with this name for this component, or half a
/// sentence that says why there is none.
fn credential(
    read: &Read<'_>,
    user: UserId,
    wanted: &NamedCredential,
) -> Result<Result<CredentialId, String>> {
    let slug = |text: &str| Slug::of_name("component", text).ok();
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = read.sealed_credentials_of(user, after, PAGE_MAX)?;
        let Some(last) = page.last() else { break };
        after = Some(last.credential.id);
        let fitting = page.iter().map(|row| &row.credential).filter(|credential| {
            credential.name == wanted.name
                && slug(&credential.component_name) == slug(&wanted.component)
        });
        found.extend(fitting.map(|credential| credential.id));
    }
    Ok(match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(format!(
            "needs the account {:?} for {}, which the user does not have",
            wanted.name, wanted.component
        )),
        _ => Err(format!(
            "needs the account {:?} for {}, of which the user has several",
            wanted.name, wanted.component
        )),
    })
}
