//! What can be done about a run: copy, save, run again, cancel.

use serde_json::{Value, json};

use super::{Model, Tab, step_json};
use crate::app::execution::NewRetry;
use crate::console::confirm;
use crate::console::deed::Deed;
use crate::console::editor;
use crate::console::keys::{Action, Binding, bind, letter};
use crate::console::menu::{self, MenuItem};
use crate::console::message::Level;
use crate::console::overlay::Overlay;
use crate::console::screen::{Effect, Scene};
use crate::console::table::related::curl;
use crate::console::text;
use crate::domain::id::ExecutionId;
use crate::domain::listing::{ListOf, ListRow};
use crate::domain::run::RetryMode;
use crate::domain::{Error, Result};

/// The keys of what can be done about a run.
pub(in crate::console) const DEEDS: &[Binding] = &[
    bind(
        &[letter('i')],
        Action::Edit,
        "edit the step's input and run it with that",
    )
    .short("edit + retry")
    .writing(),
    bind(
        &[letter('f')],
        Action::RetryFrom,
        "run again from this step, present version",
    )
    .short("from step")
    .writing(),
    bind(
        &[letter('R')],
        Action::RetryStep,
        "run this step again, the run's version",
    )
    .writing(),
    bind(&[letter('a')], Action::Retry, "run it all again")
        .short("again")
        .writing(),
    bind(&[letter('x')], Action::Cancel, "cancel the run").writing(),
    bind(&[letter('w')], Action::Save, "save the run to a file").short("save"),
];

/// The keys of what can be done about a run of the list.
pub(in crate::console) const LIST_DEEDS: &[Binding] = &[
    bind(&[letter('a')], Action::Retry, "run it all again")
        .short("again")
        .writing(),
    bind(&[letter('x')], Action::Cancel, "cancel the run")
        .short("cancel")
        .writing(),
    bind(&[letter('w')], Action::Save, "save the run to a file").short("save"),
];

/// Asks before something is done about a run of the list.
pub(in crate::console) fn act_on_row(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    let id = rows.first()?.id.parse().ok()?;
    Some(match action {
        Action::Retry => vec![ask_run_again(id, "with the present version of the task")],
        Action::Cancel => vec![ask_cancel(id, "What waits of it is dropped.".to_owned())],
        Action::Save => vec![Effect::Do(Deed::SaveExecution(id))],
        _ => return None,
    })
}

impl Model {
    /// Does what is no movement; none where the screen does not know it.
    pub(super) fn verb(&self, action: Action, _: &Scene) -> Option<Vec<Effect>> {
        Some(match action {
            Action::Copy => self.copy_value(),
            Action::CopyJson => self.copy_step(),
            Action::CopyCurl => {
                let place = format!("{}/steps", self.id);
                let text = curl(ListOf::Executions, &place).unwrap_or_default();
                vec![Effect::copy("the call", text)]
            }
            Action::Related => self.related(),
            Action::Edit => self.edit_input(),
            Action::RetryStep => self.retry_step(RetryMode::Step),
            Action::RetryFrom => self.retry_step(RetryMode::FromStep),
            Action::Retry => vec![self.run_again()],
            Action::Cancel => self.cancel(),
            Action::Save => vec![Effect::Do(Deed::SaveExecution(self.id))],
            _ => return None,
        })
    }

    /// Copies the value under the cursor, or the text that the tab shows.
    fn copy_value(&self) -> Vec<Effect> {
        if !self.in_value {
            return vec![Effect::copy("the execution's id", self.id.to_string())];
        }
        let shown = self.shown.as_ref();
        let view = shown.and_then(|shown| match self.tab {
            Tab::Input => Some(&shown.input),
            Tab::Output => Some(&shown.output),
            Tab::Json => Some(&shown.json),
            Tab::Error | Tab::Log => None,
        });
        let text = match (view, self.tab) {
            (Some(view), _) => view.selected_text(),
            (None, Tab::Log) => self.log_text(),
            (None, _) => self
                .step()
                .and_then(|step| step.error.as_ref())
                .map(ToString::to_string)
                .unwrap_or_default(),
        };
        vec![Effect::copy("the value", text)]
    }

    /// Returns the log as text, a line an entry.
    fn log_text(&self) -> String {
        let log = self.page.as_ref().map_or(&[][..], |page| &page.log);
        let lines = log.iter().map(|line| {
            let step = line.step.as_deref().unwrap_or("-");
            let at = text::rfc3339(line.at_ms);
            format!("{at} {} {step}: {}", line.level.as_str(), line.message)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Copies the step as JSON.
    fn copy_step(&self) -> Vec<Effect> {
        let Some(step) = self.step() else {
            return vec![Effect::copy(
                "the execution's id",
                json!(self.id.to_string()).to_string(),
            )];
        };
        let text = serde_json::to_string_pretty(&step_json(step)).unwrap_or_default();
        vec![Effect::copy("the step as JSON", text)]
    }

    /// Offers the task, and the run that this one repeats.
    fn related(&self) -> Vec<Effect> {
        let Some(page) = &self.page else {
            return Vec::new();
        };
        let flow = page.run.flow_id;
        let mut items = vec![
            MenuItem::list(
                "Task of the execution",
                ListOf::Flows,
                format!("id:={flow}"),
            ),
            MenuItem::list(
                "Executions of the same task",
                ListOf::Executions,
                format!("flow:={flow}"),
            ),
        ];
        if let Some(of) = page.run.retry_of {
            let filter = format!("id:={of}");
            items.push(MenuItem::list(
                "The execution that it repeats",
                ListOf::Executions,
                filter,
            ));
        }
        vec![menu::offer(format!("Of {}", self.crumb()), items)]
    }

    /// Asks before a step is run again.
    fn retry_step(&self, mode: RetryMode) -> Vec<Effect> {
        let (Some(step), Some(page)) = (self.step(), &self.page) else {
            return vec![no_step()];
        };
        let version = match mode {
            RetryMode::Step => format!(
                "with version {} of the task, as then",
                page.run.flow_version
            ),
            _ => present(page.present_version),
        };
        let deed = Deed::Retry {
            id: self.id,
            retry: NewRetry {
                mode,
                step: Some(step.step.clone()),
                input: None,
            },
        };
        let ask = confirm::Model::new(format!("Run the step {} again?", step.step), deed)
            .of(self.id)
            .line(format!(
                "It gets the same input, and what follows it runs too, {version}."
            ))
            .line("Outside effects of these steps happen again.");
        vec![Effect::ask_first(ask)]
    }

    /// Asks before the whole run is repeated.
    fn run_again(&self) -> Effect {
        let version = self.page.as_ref().and_then(|page| page.present_version);
        ask_run_again(self.id, &present(version))
    }

    /// Asks before the run is cancelled.
    fn cancel(&self) -> Vec<Effect> {
        let Some(page) = &self.page else {
            return Vec::new();
        };
        if page.run.status.is_over() {
            let told = "it is over already: a runs it again".to_owned();
            return vec![Effect::Say(Level::Note, told)];
        }
        let waiting = text::number(page.run.queued);
        vec![ask_cancel(
            self.id,
            format!("{waiting} messages that wait are dropped."),
        )]
    }

    /// Lets the input of the step be edited, and the step be run with it.
    fn edit_input(&self) -> Vec<Effect> {
        let Some(step) = self.step() else {
            return vec![no_step()];
        };
        let Some(input) = &step.input else {
            let told = "the input of this step is not kept".to_owned();
            return vec![Effect::Say(Level::Note, told)];
        };
        let text = serde_json::to_string_pretty(input).unwrap_or_default();
        let editor = editor::Model::new(
            format!("Input of {}", step.step),
            format!("{}/{}", self.id, step.step),
            &text,
            ("run with this", retry_with),
        );
        vec![Effect::show(Overlay::Editor(Box::new(editor)))]
    }
}

/// Asks before a whole run is repeated, in the version that is said.
fn ask_run_again(id: ExecutionId, version: &str) -> Effect {
    let retry = NewRetry {
        mode: RetryMode::Run,
        step: None,
        input: None,
    };
    let short = text::short_id(&id.to_string());
    let question = format!("Run {short} again from its trigger?");
    let ask = confirm::Model::new(question, Deed::Retry { id, retry })
        .of(id)
        .line(format!("All its steps run, {version}."))
        .line("Outside effects of its steps happen again.");
    Effect::ask_first(ask)
}

/// Asks before a run is cancelled, with what that means.
fn ask_cancel(id: ExecutionId, meaning: String) -> Effect {
    let question = format!("Cancel the execution {}?", text::short_id(&id.to_string()));
    Effect::ask_first(
        confirm::Model::new(question, Deed::Cancel(id))
            .of(id)
            .line(meaning),
    )
}

/// Makes the retry of an edited input; `about` is the run's id and the step.
fn retry_with(about: &str, text: &str) -> Result<Deed> {
    let (id, step) = about.split_once('/').unwrap_or((about, ""));
    let input: Value = serde_json::from_str(text)
        .map_err(|error| Error::invalid("input", format!("is not JSON: {error}")))?;
    Ok(Deed::Retry {
        id: id
            .parse::<ExecutionId>()
            .map_err(|_| Error::invalid("id", "is not an execution's"))?,
        retry: NewRetry {
            mode: RetryMode::FromStep,
            step: Some(step.to_owned()),
            input: Some(input),
        },
    })
}

/// Says which version a retry runs.
fn present(version: Option<i64>) -> String {
    match version {
        Some(version) => format!("with version {version} of the task, the present one"),
        None => "but the task is gone".to_owned(),
    }
}

/// Says that there is no step to do something about.
fn no_step() -> Effect {
    Effect::Say(Level::Note, "no step was recorded yet".to_owned())
}
