//! Long lists, and lists that change while they are shown.

use std::collections::VecDeque;

use elastane::console::msg::{Cmd, Msg};
use elastane::console::run::settle;
use elastane::console::screen::Screen;
use elastane::console::update::update;
use elastane::console::worker;
use elastane::domain::principal::{Channel, Principal};
use ratatui::crossterm::event::KeyCode;

use super::given::{Console, operator};
use crate::support::Installation;

/// More rows than the console holds at once.
const ROWS: i64 = 450;

/// Does something that the audit log tells of.
fn act(here: &Installation) {
    let operator = Principal::operator(Channel::Cli);
    here.app.set_maintenance(&operator, None).unwrap();
}

/// Returns the row under the cursor, by its id.
fn selected(console: &Console<'_>) -> i64 {
    let Screen::Table(table) = &console.model.top().screen else {
        panic!("no list")
    };
    table.selected().unwrap().id.parse().unwrap()
}

#[test]
fn every_row_of_a_long_list_is_reached_in_both_directions() {
    let here = Installation::new();
    for _ in 0..ROWS {
        act(&here);
    }
    let mut console = Console::open(&here.app, (80, 24), "audit");
    let newest = selected(&console);
    for below in 1..ROWS {
        console.keys("j");
        assert_eq!(selected(&console), newest - below);
    }
    for above in 1..ROWS {
        console.keys("k");
        assert_eq!(selected(&console), newest - ROWS + 1 + above);
    }
    console.keys("G");
    let oldest = selected(&console);
    assert!(
        oldest < newest - ROWS + 1,
        "the installation's own entries are last"
    );
    console.keys("k");
    assert_eq!(selected(&console), oldest + 1);
    console.ctrl('u').ctrl('d').keys("g");
    assert_eq!(selected(&console), newest);
}

/// More rows than two searches look at, each of which ends at its bound.
const SEARCHED: i64 = 7_000;

/// Adds runs, the oldest of which alone has this request, past the engine for its time.
#[expect(clippy::disallowed_methods, reason = "rows are added below every room")]
fn add_runs(here: &Installation, request: &str) {
    let conn = rusqlite::Connection::open(here.database()).unwrap();
    conn.execute(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO executions (id, flow_id, flow_version, trigger, status, started_at,
             finished_at, parts, steps_total, errors_total, queued, has_bodies, request_id)
         SELECT printf('%024x', i), printf('%024x', 1), 1, 'manual', 'success', i, i, 1, 1, 0, 0, 0,
             iif(i = 0, ?2, NULL) FROM n",
        rusqlite::params![SEARCHED, request],
    )
    .unwrap();
}

#[test]
fn a_rare_word_is_searched_for_piece_by_piece_to_the_end_of_a_long_list() {
    let here = Installation::new();
    add_runs(&here, "needle");
    let mut console = Console::open(&here.app, (80, 24), "executions");
    let first = {
        update(&mut console.model, Msg::Key(KeyCode::Char('/').into()));
        update(&mut console.model, Msg::Paste("needle".to_owned()))
    };
    let operator = Principal::operator(Channel::Console);
    let answer = worker::perform(&here.app, &operator, &first[0]).unwrap();
    let next = update(&mut console.model, answer);
    assert!(matches!(next.as_slice(), [Cmd::Load { .. }]), "{next:?}");
    let frame = console.frame();
    assert!(frame.contains("0 found, searching on"), "{frame}");
    assert!(frame.contains("Esc ends it"), "{frame}");
    settle(&here.app, &mut console.model, next);
    console.press(KeyCode::Enter);
    let frame = console.frame();
    assert!(frame.contains("1 of 7,001"), "{frame}");
    assert_eq!(selected(&console), 0);
    for _ in 0..2 {
        let later = console.model.due_ms;
        console.model.at(here.app.now_ms(), later);
        console.hear(Msg::Tick);
        assert_eq!(selected(&console), 0, "time alone takes nothing");
        assert_eq!(console.status(), "");
    }
    console.press(KeyCode::Esc);
    assert!(
        console.frame().contains("7,001 rows"),
        "{}",
        console.frame()
    );
}

#[test]
fn the_end_of_a_long_list_is_searched_for_from_its_end_on() {
    let here = Installation::new();
    add_runs(&here, "needle");
    let mut console = Console::open(&here.app, (80, 24), "executions");
    // The search for the last of them begins at the other end.
    console.keys("S/needle").press(KeyCode::Enter);
    assert_eq!(selected(&console), 0);
    console.keys("G");
    assert_eq!(selected(&console), 0);
}

#[test]
fn new_rows_are_announced_and_nothing_jumps_under_the_cursor() {
    let here = Installation::new();
    (0..5).for_each(|_| act(&here));
    let mut console = Console::open(&here.app, (80, 24), "audit");
    console.keys("jj");
    let (row, line) = (selected(&console), console.line());
    (0..3).for_each(|_| act(&here));
    let later = console.model.due_ms;
    console.model.at(here.app.now_ms(), later);
    console.hear(Msg::Tick);
    assert_eq!(console.status(), "+3 new, press r");
    assert_eq!((selected(&console), console.line()), (row, line));
    console.keys("r");
    assert_eq!(selected(&console), row);
    assert_eq!(console.status(), "");
    console.keys("g");
    assert_eq!(selected(&console), row + 2 + 3);
}

#[test]
fn new_rows_of_what_belongs_to_an_object_are_announced_as_well() {
    let here = Installation::new();
    let carol = here.principal("carol@example.com");
    let id = carol.user_id().unwrap();
    here.app.create_team(&carol, id, Some("Looms")).unwrap();
    let mut console = Console::open(&here.app, (80, 24), "users");
    console
        .press(KeyCode::Enter)
        .press(KeyCode::Tab)
        .press(KeyCode::Tab);
    assert!(console.frame().contains("Looms"), "{}", console.frame());
    here.app.create_team(&carol, id, Some("Shuttles")).unwrap();
    let later = console.model.due_ms;
    console.model.at(here.app.now_ms(), later);
    console.hear(Msg::Tick);
    assert_eq!(console.status(), "+1 new, press r");
    console.keys("r");
    assert!(console.frame().contains("Shuttles"), "{}", console.frame());
}

#[test]
fn a_paused_console_asks_nothing_by_itself() {
    let here = Installation::new();
    let mut console = Console::open(&here.app, (80, 24), "audit");
    console.keys("p");
    let later = console.model.due_ms + 1;
    console.model.at(here.app.now_ms(), later);
    console.hear(Msg::Tick);
    assert!(console.cmds.is_empty(), "{:?}", console.cmds);
    console.keys("r");
    assert!(matches!(console.cmds.as_slice(), [Cmd::Load { .. }]));
}

#[test]
fn a_failing_database_is_told_once_and_asked_less_and_less_often() {
    let here = Installation::new();
    let mut console = Console::open(&here.app, (80, 24), "audit");
    let usual = console.model.pace_ms();
    for failures in 1..=3 {
        let cmds = update(&mut console.model, Msg::Key(KeyCode::Char('r').into()));
        let [Cmd::Load { page, turn, .. }] = cmds.as_slice() else {
            panic!("{cmds:?}")
        };
        let result = Err(elastane::domain::Error::unavailable("no room", 1));
        update(
            &mut console.model,
            Msg::Loaded {
                page: *page,
                turn: *turn,
                request_id: "5f2a".to_owned(),
                result,
            },
        );
        assert_eq!(console.model.pace_ms(), usual << failures);
    }
    assert_eq!(console.model.messages.all().count(), 1);
    assert!(
        console.frame().contains("STALE since"),
        "{}",
        console.frame()
    );
    console.keys("r");
    assert_eq!(console.model.pace_ms(), usual);
}

#[test]
fn a_look_that_took_long_is_the_longer_away_unless_somebody_wants_more() {
    let here = Installation::new();
    for (refresh_ms, took_ms, rest_ms) in [
        (2_000, 3, 2_000),
        (2_000, 50, 7_500),
        (2_000, 900, 15_000),
        (500, 50, 500),
        (30_000, 50, 30_000),
    ] {
        let mut console = Console::with(&here.app, (80, 24), "audit", |settings| {
            settings.refresh_ms = refresh_ms;
        });
        let cmds = update(&mut console.model, Msg::Key(KeyCode::Char('r').into()));
        let operator = Principal::operator(Channel::Console);
        let answer = worker::perform(&here.app, &operator, &cmds[0]).unwrap();
        console.model.at(here.app.now_ms(), took_ms);
        update(&mut console.model, answer);
        assert_eq!(console.model.due_ms - took_ms, rest_ms, "{took_ms}");
    }
}

#[test]
fn a_list_and_more_of_its_row_are_rested_from_together() {
    let here = Installation::new();
    here.principal("ada@example.com");
    let mut console = Console::open(&here.app, (80, 24), "users");
    let now_ms = here.app.now_ms();
    let load = update(&mut console.model, Msg::Key(KeyCode::Char('r').into()));
    let [Cmd::Load { .. }] = load.as_slice() else {
        panic!("{load:?}")
    };
    // The list takes 30 ms, and its row 40 ms more.
    console.model.at(now_ms, 30);
    let answer = worker::perform(&here.app, &operator(), &load[0]).unwrap();
    let peek = update(&mut console.model, answer);
    console.model.at(now_ms, 70);
    let [peek @ Cmd::Peek { .. }] = peek.as_slice() else {
        panic!("{peek:?}")
    };
    let answer = worker::perform(&here.app, &operator(), peek).unwrap();
    update(&mut console.model, answer);
    assert_eq!(console.model.due_ms, 70 + 150 * (30 + 40));
}

#[test]
fn what_is_awaited_for_long_is_said() {
    let here = Installation::new();
    let mut console = Console::open(&here.app, (80, 24), "audit");
    update(&mut console.model, Msg::Key(KeyCode::Char('r').into()));
    console.model.at(here.app.now_ms(), 3_000);
    assert_eq!(console.status(), "waiting for the database, 3 s");
    console.model.at(here.app.now_ms(), 10_000);
    assert!(
        console.status().contains("r tries again"),
        "{}",
        console.status()
    );
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let here = Installation::new();
    let mut console = Console::open(&here.app, (80, 24), "audit");
    let old = update(&mut console.model, Msg::Key(KeyCode::Char('r').into()));
    console.keys("/nothing-like-this");
    let operator = Principal::operator(Channel::Console);
    let late = worker::perform(&here.app, &operator, &old[0]).unwrap();
    update(&mut console.model, late);
    assert!(
        console.frame().contains("Nothing fits"),
        "{}",
        console.frame()
    );
}

#[test]
fn of_loads_that_wait_for_one_page_the_last_is_done_and_no_deed_is_dropped() {
    let here = Installation::new();
    let mut console = Console::open(&here.app, (80, 24), "audit");
    let mut waiting = VecDeque::new();
    let load = |console: &mut Console<'_>| {
        let cmds = update(&mut console.model, Msg::Key(KeyCode::Char('r').into()));
        cmds.into_iter().next().unwrap()
    };
    let deed = || Cmd::Do(elastane::console::deed::Deed::Maintenance(true));
    worker::queue(&mut waiting, load(&mut console));
    worker::queue(&mut waiting, deed());
    worker::queue(&mut waiting, load(&mut console));
    worker::queue(&mut waiting, deed());
    let last = console.model.top().turn;
    let kinds: Vec<Option<u64>> = waiting
        .iter()
        .map(|cmd| match cmd {
            Cmd::Load { turn, .. } => Some(*turn),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [None, Some(last), None]);
}
