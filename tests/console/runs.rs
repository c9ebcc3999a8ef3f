//! Tasks and their executions: what is seen of them, and what is done about them.

use elastane::app::execution::NewRetry;
use elastane::app::flow::FlowChange;
use elastane::clock::Clock;
use elastane::console::deed::{Deed, FlowDeed};
use elastane::console::msg::{Cmd, Msg};
use elastane::console::overlay::Overlay;
use elastane::domain::flow::{Flow, FlowStatus};
use elastane::domain::id::ExecutionId;
use elastane::domain::run::{Execution, ExecutionFilter, Failure, RetryMode, RunStatus};
use ratatui::crossterm::event::KeyCode;
use serde_json::json;

use super::given::{Console, NOW_MS, operator};
use crate::support::Installation;
use crate::support::history::{
    FIRST, begun, commit, finished, flow, flow_with, made, part, record, waiting,
};
use elastane::domain::run::part::{MessageRef, RunKey};

/// An installation with one task, and a failed and a good run of it.
fn installed() -> (Installation, Flow, ExecutionId) {
    let at = Installation::with(|options| options.clock = Clock::fixed(NOW_MS));
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    finished(&at.app, &flow, json!({ "order": 41 }), None);
    let body =
        json!({ "order": 42, "lines": [{ "sku": "A-1", "count": 2 }], "note": "x".repeat(90) });
    let failure = Failure::named("HttpError", "503 Service Unavailable").with_status(503);
    let failed = finished(&at.app, &flow, body, Some(failure));
    (at, flow, failed)
}

/// Opens the execution that failed.
fn open(at: &Installation, size: (u16, u16)) -> Console<'_> {
    let mut console = Console::open(&at.app, size, "executions");
    while !console.line().contains("error") {
        console.keys("j");
    }
    console.press(KeyCode::Enter);
    console
}

fn runs(at: &Installation) -> Vec<Execution> {
    let all = ExecutionFilter::default();
    at.app.executions(&operator(), &all, None, 10).unwrap()
}

#[test]
fn an_execution_shows_its_steps_and_what_went_wrong() {
    let (at, _, _) = installed();
    for size in [(80, 24), (120, 40)] {
        let console = open(&at, size);
        let name = format!("execution_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, console.frame());
    }
    let console = open(&at, (80, 24));
    let frame = console.frame();
    assert!(frame.contains("503 Service Unavailable"), "{frame}");
    assert!(frame.contains("\"sku\": \"A-1\""), "{frame}");
}

#[test]
fn the_tabs_of_a_step_are_gone_through_and_values_fold() {
    let (at, _, _) = installed();
    let mut console = open(&at, (80, 24));
    assert!(console.frame().contains("[Input]"));
    console.keys("l");
    assert!(console.frame().contains("[Output]"));
    console.keys("l");
    assert!(console.frame().contains("[Error]"));
    assert!(console.frame().contains("HttpError"));
    console.keys("l");
    assert!(console.frame().contains("[Logs]"));
    console.keys("l");
    assert!(console.frame().contains("[JSON]"));
    assert!(console.frame().contains("\"status\": \"error\""));
    console.keys("l");
    console.press(KeyCode::Tab);
    console.keys("z");
    assert!(console.frame().contains(" keys, "), "{}", console.frame());
    console.keys("/A-1");
    console.press(KeyCode::Enter);
    assert!(
        console.frame().contains("\"sku\": \"A-1\""),
        "found where it was folded"
    );
    console.keys("y");
    let copied = console
        .cmds
        .iter()
        .any(|cmd| matches!(cmd, Cmd::Copy { text, .. } if text == "A-1"));
    assert!(copied, "{:?}", console.cmds);
    console.press(KeyCode::Esc);
    assert_eq!(console.model.pages.len(), 2, "Esc leaves the value first");
    console.press(KeyCode::Esc);
    assert_eq!(console.model.pages.len(), 1);
}

#[test]
fn a_retry_is_confirmed_by_y_alone() {
    let (at, _, failed) = installed();
    at.app
        .start_flow(&operator(), runs(&at)[0].flow_id)
        .unwrap();
    let mut console = open(&at, (80, 24));
    console.keys("f");
    console.press(KeyCode::Enter);
    assert!(console.cmds.is_empty(), "Enter confirms nothing");
    console.keys("n");
    assert_eq!(runs(&at).len(), 2);
    console.keys("fy");
    let retry = NewRetry {
        mode: RetryMode::FromStep,
        step: Some("step_2".to_owned()),
        input: None,
    };
    let wanted = format!("{:?}", Cmd::Do(Deed::Retry { id: failed, retry }));
    assert_eq!(format!("{:?}", console.cmds[0]), wanted);
    let made = &runs(&at)[0];
    assert_eq!(made.retry_of, Some(failed));
    assert!(
        console.status().contains("runs again as"),
        "{}",
        console.status()
    );
}

#[test]
fn an_edited_input_is_what_the_step_gets() {
    let (at, flow, failed) = installed();
    let mut console = open(&at, (80, 24));
    console.keys("i");
    assert!(
        console.frame().contains("\"order\": 42"),
        "{}",
        console.frame()
    );
    console.keys("[");
    console.ctrl('s');
    assert!(
        console.frame().contains("is not JSON"),
        "{}",
        console.frame()
    );
    console.press(KeyCode::Backspace);
    console.ctrl('s');
    assert!(
        console
            .frame()
            .contains("steps of a stopped flow don't run"),
        "{}",
        console.frame()
    );
    at.app.start_flow(&operator(), flow.id).unwrap();
    console.ctrl('s');
    let run = runs(&at)
        .into_iter()
        .find(|run| run.retry_of == Some(failed));
    let run = run.expect("a retry");
    assert_eq!(run.flow_id, flow.id);
    assert!(console.model.overlays.is_empty(), "the editor closed");
}

#[test]
fn an_execution_that_waits_is_cancelled() {
    let (at, flow, _) = installed();
    let new = begun(&at.app, &flow);
    let mut first = part(RunKey::New(new), &[], &[made(None, json!({ "order": 43 }))]);
    first.queued.push(waiting("step_2", 0, 1));
    commit(&at.app, &flow, &[first], &[]);
    let mut console = Console::open(&at.app, (80, 24), "executions");
    while !console.line().contains("waiting") {
        console.keys("j");
    }
    console.press(KeyCode::Enter);
    console.keys("x");
    assert!(console.frame().contains("1 messages that wait are dropped"));
    console.keys("y");
    let cancelled = runs(&at)
        .iter()
        .filter(|run| run.status == RunStatus::Cancelled)
        .count();
    assert_eq!(cancelled, 1);
    assert!(console.frame().contains("cancelled"), "{}", console.frame());
}

#[test]
fn a_task_shows_its_facts_steps_and_executions() {
    let (at, flow, _) = installed();
    for size in [(80, 24), (120, 40)] {
        let mut console = Console::open(&at.app, size, "tasks");
        console.press(KeyCode::Enter);
        let name = format!("task_{}x{}", size.0, size.1);
        let (frame, id) = (console.frame(), flow.id.to_string());
        assert!(frame.contains(&id), "the id is what the snapshot hides");
        insta::assert_snapshot!(name, frame.replace(&id, "54f4be3fe7d5224f91000001"));
    }
    let mut console = Console::open(&at.app, (80, 24), "tasks");
    console.press(KeyCode::Enter);
    console.press(KeyCode::Tab);
    assert!(console.frame().contains("error"), "{}", console.frame());
    console.press(KeyCode::Enter);
    assert_eq!(console.model.pages.len(), 3, "its execution opens");
}

#[test]
fn a_task_is_started_run_stopped_and_deleted() {
    let (at, flow, _) = installed();
    let mut console = Console::open(&at.app, (80, 24), "tasks");
    let status = || at.app.flow(&operator(), flow.id).unwrap().status;
    console.keys("Ay");
    assert_eq!(status(), FlowStatus::Active);
    assert!(
        console.status().contains("u takes it back"),
        "{}",
        console.status()
    );
    console.keys("u");
    assert_eq!(status(), FlowStatus::Inactive);
    console.press(KeyCode::Enter);
    console.keys("Ay");
    console.keys("Ry");
    assert_eq!(runs(&at).len(), 3);
    console.keys("xy");
    assert_eq!(status(), FlowStatus::Inactive);
    console.keys("dy");
    console.press(KeyCode::Enter);
    assert!(
        at.app.flow(&operator(), flow.id).is_ok(),
        "`y` is not its name"
    );
    console.press(KeyCode::Esc);
    console.keys("dA flow");
    console.press(KeyCode::Enter);
    let deed = Deed::Flow {
        id: flow.id,
        verb: FlowDeed::Delete,
    };
    assert_eq!(
        format!("{:?}", console.cmds[0]),
        format!("{:?}", Cmd::Do(deed))
    );
    assert!(at.app.flow(&operator(), flow.id).is_err());
}

/// Puts a text in the place of one in the editor on top, and saves.
fn edit(console: &mut Console<'_>, from: &str, to: &str) {
    let Some(Overlay::Editor(editor)) = console.model.overlays.last() else {
        panic!("no editor is open: {}", console.frame());
    };
    let text = editor.text();
    assert!(text.contains(from), "{text}");
    // As a person would: everything away, the other text in.
    for _ in 0..text.lines().count() {
        console.ctrl('k').press(KeyCode::Delete);
    }
    console
        .hear(Msg::Paste(text.replacen(from, to, 1)))
        .ctrl('s');
}

#[test]
fn a_task_is_edited_from_the_list_and_what_it_was_comes_back() {
    let (at, flow, _) = installed();
    let now = || at.app.flow(&operator(), flow.id).unwrap();
    let mut console = Console::open(&at.app, (100, 30), "tasks");
    console.keys("e");
    edit(&mut console, "\"A flow\"", "\"Another\"");
    assert_eq!(now().name, "Another", "{}", console.frame());
    assert!(console.model.overlays.is_empty(), "{}", console.frame());
    console.keys("e");
    edit(
        &mut console,
        "elasticio/debug:log",
        "elasticio/debug:nothing",
    );
    let changed = now();
    assert_eq!(changed.version, flow.version + 1);
    assert_eq!(changed.graph.nodes[1].command.function, "nothing");
    console.keys("u");
    assert_eq!(now().graph, flow.graph);
    // What is wrong stays in the editor, and nothing changes.
    console.keys("e");
    edit(&mut console, "\"ordinary\"", "\"odd\"");
    assert!(
        console.frame().contains("type is not one of"),
        "{}",
        console.frame()
    );
    let Some(Overlay::Editor(_)) = console.model.overlays.last() else {
        panic!("{}", console.frame());
    };
    console.press(KeyCode::Esc).press(KeyCode::Esc);
    // Somebody else was faster.
    console.keys("e");
    let change = FlowChange {
        name: Some("Theirs".to_owned()),
        ..FlowChange::default()
    };
    at.app.change_flow(&operator(), flow.id, change).unwrap();
    edit(&mut console, "\"Another\"", "\"Mine\"");
    assert!(
        console.frame().contains("the flow has changed since"),
        "{}",
        console.frame()
    );
    assert_eq!(now().name, "Theirs");
}

#[test]
fn a_secret_of_a_step_is_hidden_and_stays_where_a_task_is_edited() {
    let at = Installation::with(|options| options.clock = Clock::fixed(NOW_MS));
    let ada = at.principal("ada@example.com");
    let post = json!({ "action": "elasticio/webhook:post" });
    let flow = flow_with(&at.app, &ada, &post);
    let mut graph = flow.graph.clone();
    let given = json!({ "secret": "hush-hush", "uri": "https://shop.test" });
    graph.nodes[1].members.insert("fields".to_owned(), given);
    let change = FlowChange {
        graph: Some(graph),
        ..FlowChange::default()
    };
    at.app.change_flow(&operator(), flow.id, change).unwrap();
    let fields =
        || at.app.flow(&operator(), flow.id).unwrap().graph.nodes[1].members["fields"].clone();
    assert_eq!(fields()["secret"], "hush-hush");
    let mut console = Console::open(&at.app, (100, 60), "tasks");
    console.press(KeyCode::Enter).press(KeyCode::BackTab);
    assert!(console.frame().contains("[JSON]"));
    assert!(
        console.frame().contains("\"secret\": \"(hidden)\""),
        "{}",
        console.frame()
    );
    console.keys("Y");
    let copied = format!("{:?}", console.cmds);
    assert!(
        copied.contains("shop.test") && !copied.contains("hush-hush"),
        "{copied}"
    );
    console.keys("e");
    edit(&mut console, "https://shop.test", "https://other.test");
    assert_eq!(fields()["uri"], "https://other.test", "{}", console.frame());
    assert_eq!(fields()["secret"], "hush-hush");
    assert!(!format!("{:?}", console.model.undo).contains("hush-hush"));
    console.keys("e");
    edit(&mut console, "(hidden)", "said aloud");
    assert_eq!(fields()["secret"], "said aloud");
}

#[test]
fn nothing_is_done_where_the_file_is_only_looked_at() {
    let (at, flow, _) = installed();
    let mut console = Console::with(&at.app, (80, 24), "tasks", |settings| {
        settings.is_read_only = true;
    });
    console.keys("Ay");
    console.press(KeyCode::Enter);
    console.keys("Ry");
    assert_eq!(
        at.app.flow(&operator(), flow.id).unwrap().status,
        FlowStatus::Inactive
    );
    assert!(!console.frame().contains("R run"), "{}", console.frame());
}

#[test]
fn every_size_of_both_screens_is_drawn() {
    let (at, _, _) = installed();
    let mut execution = open(&at, (120, 40));
    let mut task = Console::open(&at.app, (120, 40), "tasks");
    task.press(KeyCode::Enter);
    for (console, tabs) in [(&mut execution, 5), (&mut task, 4)] {
        for _ in 0..tabs {
            console.keys("l");
            for width in (1..=130).step_by(9).chain([69, 70, 109, 110]) {
                for height in (1..=40).step_by(3) {
                    console.hear(Msg::Resized(width, height));
                    let frame = console.frame();
                    assert_eq!(frame.lines().count(), usize::from(height));
                }
            }
        }
    }
}

/// A page that knew everything was asked again and again without a pause, which took a
/// whole core while an ended execution was looked at.
#[test]
fn an_execution_that_is_over_is_not_asked_for_at_once_again() {
    let (at, _, _) = installed();
    let mut console = open(&at, (80, 24));
    console.model.mono_ms = console.model.due_ms + 1;
    console.hear(Msg::Tick);
    assert!(console.cmds.is_empty(), "nothing of it changes any more");
    let wake_ms = console.model.wake_ms().unwrap();
    assert!(wake_ms > console.model.mono_ms, "the next look is later");
}

#[test]
fn steps_that_did_not_run_are_named() {
    let at = Installation::with(|options| options.clock = Clock::fixed(NOW_MS));
    let ada = at.principal("ada@example.com");
    let flow = flow(&at.app, &ada);
    let steps = [record(
        FIRST,
        NOW_MS,
        MessageRef::Own(0),
        &[],
        Some(Failure::new("no luck")),
    )];
    let messages = [made(None, json!({ "from": "outside" }))];
    let new = RunKey::New(begun(&at.app, &flow));
    commit(&at.app, &flow, &[part(new, &steps, &messages)], &[]);
    let console = open(&at, (80, 24));
    let frame = console.frame();
    assert!(frame.contains("1 \u{2717} step_1"), "{frame}");
    assert!(frame.contains("- step_2  not run"), "{frame}");
    assert!(frame.contains("  1 step\n"), "{frame}");
}

#[test]
fn what_an_act_began_is_opened_by_a_dot() {
    let (at, flow, _) = installed();
    at.app.start_flow(&operator(), flow.id).unwrap();
    let mut console = Console::open(&at.app, (80, 24), "tasks");
    console.keys(".");
    assert!(console.status().contains("no act"), "{}", console.frame());
    console.keys("Ry");
    assert!(
        console.status().contains("(. opens it)"),
        "{}",
        console.frame()
    );
    console.keys(".");
    let newest = runs(&at)[0].id.to_string();
    let crumbs = format!("Tasks > {}", &newest[..8]);
    assert!(console.frame().contains(&crumbs), "{}", console.frame());
}

#[test]
fn marked_runs_are_repeated_together_after_one_question() {
    let (at, flow, _) = installed();
    at.app.start_flow(&operator(), flow.id).unwrap();
    let mut console = Console::open(&at.app, (80, 24), "executions");
    console.keys("  a");
    let frame = console.frame();
    assert!(frame.contains("All these 2?"), "{frame}");
    assert_eq!(
        frame.matches("again from its trigger?").count(),
        2,
        "{frame}"
    );
    console.press(KeyCode::Enter);
    assert_eq!(runs(&at).len(), 2, "Enter confirms nothing");
    console.keys("y");
    assert_eq!(runs(&at).len(), 4);
    assert!(console.status().contains("2 done"), "{}", console.frame());
}
