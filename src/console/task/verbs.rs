//! What can be done about a task: copy, start, stop, suspend, run, delete.

use super::edit::edit;
use super::{Model, Tab, flow_json};
use crate::console::confirm;
use crate::console::deed::{Deed, FlowDeed};
use crate::console::keys::{Action, Binding, bind, letter};
use crate::console::menu::{self, MenuItem};
use crate::console::message::Level;
use crate::console::screen::{Effect, Scene, Screen};
use crate::console::table::related::{curl, name_of, value_of};
use crate::console::text;
use crate::domain::flow::FlowStatus;
use crate::domain::id::FlowId;
use crate::domain::listing::{ListOf, ListRow};

/// The keys of what can be done about a task.
pub(in crate::console) const DEEDS: &[Binding] = &[
    bind(&[letter('R')], Action::RunNow, "run the task now")
        .short("run")
        .writing(),
    bind(&[letter('A')], Action::Start, "start the task")
        .short("start")
        .writing(),
    bind(
        &[letter('x')],
        Action::Stop,
        "stop the task; what waits is dropped",
    )
    .short("stop")
    .writing(),
    bind(
        &[letter('H')],
        Action::Hold,
        "suspend the task; what waits is kept",
    )
    .writing(),
    bind(&[letter('e')], Action::Edit, "edit the task")
        .short("edit")
        .writing(),
    bind(&[letter('d')], Action::Delete, "delete the task").writing(),
];

impl Model {
    /// Does what is no movement; none where the screen does not know it.
    pub(super) fn verb(&self, action: Action, _: &Scene) -> Option<Vec<Effect>> {
        Some(match action {
            Action::Copy => self.copy_value(),
            Action::CopyJson => {
                let flow = self
                    .page
                    .as_ref()
                    .map(|page| flow_json(&page.flow, &page.secrets));
                let text = flow.and_then(|flow| serde_json::to_string_pretty(&flow).ok());
                vec![Effect::copy("the task as JSON", text.unwrap_or_default())]
            }
            Action::CopyCurl => {
                let text = curl(ListOf::Flows, &self.id.to_string()).unwrap_or_default();
                vec![Effect::copy("the call", text)]
            }
            Action::Related => self.related(),
            Action::Edit => {
                let page = self.page.as_ref();
                page.map_or_else(Vec::new, |page| vec![edit(&page.flow, &page.secrets)])
            }
            _ => {
                let waiting = self
                    .page
                    .as_ref()
                    .map_or(0, |page| page.steps.iter().map(|step| step.queued).sum());
                let status = self.page.as_ref().map(|page| page.flow.status);
                return ask_for(action, self.id, &self.crumb(), status, Some(waiting));
            }
        })
    }

    /// Copies the value under the cursor: the id of an execution, or of the task.
    fn copy_value(&self) -> Vec<Effect> {
        match (self.tab, self.execution(), &self.json) {
            (Tab::Executions, Some(run), _) => {
                vec![Effect::copy("the execution's id", run.id.to_string())]
            }
            (Tab::Json, _, Some((_, view))) => {
                let text = view.selected_text();
                vec![Effect::copy("the value", text)]
            }
            _ => vec![Effect::copy("the task's id", self.id.to_string())],
        }
    }

    /// Offers what belongs to the task.
    fn related(&self) -> Vec<Effect> {
        let id = self.id;
        let mut items = vec![
            MenuItem::list(
                "Executions of the task",
                ListOf::Executions,
                format!("flow:={id}"),
            ),
            MenuItem::list(
                "What was done to the task",
                ListOf::Audit,
                format!("object_id:={id}"),
            ),
        ];
        if let Some(page) = &self.page {
            let owner = format!("id:={}", page.flow.user_id);
            items.push(MenuItem::list("Owner of the task", ListOf::Users, owner));
            let nodes = page.flow.graph.nodes.iter();
            for credential in nodes.filter_map(|node| node.credential_id) {
                let filter = format!("id:={credential}");
                items.push(MenuItem::list(
                    "A credential that it uses",
                    ListOf::Credentials,
                    filter,
                ));
            }
        }
        vec![menu::offer(format!("Of {}", self.crumb()), items)]
    }
}

/// Asks before something is done about a task of the list.
pub(in crate::console) fn act_on_row(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    let row = rows.first()?;
    let status = value_of(ListOf::Flows, row, "status");
    let status = status.and_then(|word| FlowStatus::parse(&word));
    let id = row.id.parse().ok()?;
    if action == Action::Edit {
        let task = Model::edited(id, name_of(ListOf::Flows, row));
        return Some(vec![Effect::Open(Box::new(Screen::Task(Box::new(task))))]);
    }
    ask_for(action, id, &name_of(ListOf::Flows, row), status, None)
}

/// Asks before something is done about a task, from its screen or from the list; none
/// where the action is no such thing.
fn ask_for(
    action: Action,
    id: FlowId,
    name: &str,
    status: Option<FlowStatus>,
    waiting: Option<i64>,
) -> Option<Vec<Effect>> {
    let waiting = waiting.map_or_else(|| "The".to_owned(), text::number);
    let deed = |verb: FlowDeed| Deed::Flow { id, verb };
    let model = match action {
        Action::Start if status == Some(FlowStatus::Active) => {
            let told = "it is active already: R runs it now".to_owned();
            return Some(vec![Effect::Say(Level::Note, told)]);
        }
        Action::Start => {
            confirm::Model::new(format!("Start the task {name}?"), deed(FlowDeed::Start))
                .line("It runs whenever its trigger says so.")
        }
        Action::Stop => confirm::Model::new(format!("Stop the task {name}?"), deed(FlowDeed::Stop))
            .line(format!(
                "{waiting} messages that wait are dropped; suspending (H) keeps them."
            )),
        Action::Hold => {
            confirm::Model::new(format!("Suspend the task {name}?"), deed(FlowDeed::Suspend)).line(
                format!("{waiting} messages that wait are kept until it is started again."),
            )
        }
        Action::RunNow => {
            confirm::Model::new(format!("Run the task {name} now?"), deed(FlowDeed::Run))
                .line("One execution begins; the schedule stays as it is.")
        }
        Action::Delete => {
            confirm::Model::new(format!("Delete the task {name}?"), deed(FlowDeed::Delete))
                .line("Its executions, logs and snapshots go with it. This can't be taken back;")
                .line("stopping it (x) keeps everything.")
                .typed(name)
        }
        _ => return None,
    };
    Some(vec![Effect::ask_first(model.of(id))])
}
