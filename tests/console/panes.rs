//! The panes below lists and beside facts, and the mouse.

use elastane::console::chart::spread;
use elastane::console::look::Look;
use elastane::console::msg::{Cmd, Msg};
use elastane::console::update::update;
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::given::{Console, Demo};

/// The lines of the panes below a list on the usual screen.
fn below(console: &Console<'_>) -> String {
    let frame = console.frame();
    let lines: Vec<&str> = frame.lines().collect();
    lines[lines.len() - 7..lines.len() - 2].join("\n")
}

#[test]
fn below_tasks_stand_the_last_hour_and_more_of_the_task_under_the_cursor() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, (80, 24), "tasks");
    let first = below(&console);
    for word in [
        "Last hour",
        "/h",
        "queue",
        "Scheduled CSV import",
        "id ",
        "steps ",
        "creds",
    ] {
        assert!(first.contains(word), "{word}: {first}");
    }
    console.keys("j");
    let second = below(&console);
    assert!(second.contains("Synchronize Amazon Orders"), "{second}");
    assert!(!second.contains("Scheduled CSV import"), "{second}");
}

#[test]
fn below_executions_stand_their_steps_those_that_failed_first() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, (80, 24), "executions");
    console.keys("/state:error").press(KeyCode::Enter);
    let frame = below(&console);
    assert!(frame.contains(" of ") && frame.contains("✗"), "{frame}");
}

#[test]
fn beside_a_user_and_a_team_stand_their_lists_with_numbers_in_the_tabs() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, (80, 24), "users");
    let frame = below(&console);
    assert!(
        frame.contains("Teams 1") && frame.contains("SSH keys "),
        "{frame}"
    );
    console.hear(Msg::Resized(120, 40)).press(KeyCode::Enter);
    let frame = console.frame();
    for word in [
        "[Summary]",
        " Teams 1 ",
        " Tasks ",
        "┌ SSH keys 2",
        "┌ Teams 1",
    ] {
        assert!(frame.contains(word), "{word}: {frame}");
    }
    let mut console = Console::open(&demo.app, (80, 24), "teams");
    console.press(KeyCode::Enter);
    let frame = console.frame();
    for word in [
        " Members ",
        "┌ Members 1",
        "┌ Components 2",
        "members total",
    ] {
        assert!(frame.contains(word), "{word}: {frame}");
    }
}

#[test]
fn more_of_a_row_is_asked_once_for_each_row_and_again_when_the_list_was_loaded() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, (80, 24), "tasks");
    let mut peeks = |msg: Msg| {
        let cmds = update(&mut console.model, msg);
        cmds.iter()
            .filter(|cmd| matches!(cmd, Cmd::Peek { .. }))
            .count()
    };
    let key = |letter| Msg::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
    assert_eq!(peeks(key('j')), 1);
    assert_eq!(peeks(key('k')), 1);
    assert_eq!(peeks(key('t')), 0, "nothing of the row has changed");
    assert_eq!(
        peeks(Msg::Resized(80, 15)),
        0,
        "without panes nobody sees it"
    );
    assert_eq!(peeks(key('j')), 0);
    let mut console = Console::open(&demo.app, (80, 24), "audit");
    let cmds = console.keys("j").cmds.clone();
    assert!(
        cmds.is_empty(),
        "an entry has nothing that its row has not: {cmds:?}"
    );
    let mut console = Console::open(&demo.app, (80, 24), "tasks");
    console.keys("r");
    let asked = |cmds: &[Cmd]| cmds.iter().any(|cmd| matches!(cmd, Cmd::Peek { .. }));
    assert!(!asked(&console.cmds), "the list comes first");
    let stamp = console.model.peeked.clone().unwrap();
    assert_eq!(stamp.1, console.model.top().turn, "and then its row");
}

/// Clicks at a column and line of the screen.
fn click(console: &mut Console<'_>, column: u16, line: u16) {
    console.hear(Msg::Mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row: line,
        modifiers: KeyModifiers::NONE,
    }));
}

/// Clicks on the first place of a text on the screen.
fn click_on(console: &mut Console<'_>, text: &str) {
    let frame = console.frame();
    let found = frame.lines().enumerate().find_map(|(line, drawn)| {
        let at = drawn.find(text)?;
        Some((drawn[..at].chars().count(), line))
    });
    let (column, line) = found.unwrap_or_else(|| panic!("no {text:?} in {frame}"));
    let at = |n: usize| u16::try_from(n).unwrap();
    click(console, at(column), at(line));
}

#[test]
fn the_mouse_opens_rows_and_goes_to_the_tab_that_is_clicked() {
    let demo = Demo::open();
    let mut console = Console::with(&demo.app, (120, 40), "users", |settings| {
        settings.has_mouse = true;
    });
    click_on(&mut console, "Organizations");
    assert!(
        console.frame().contains("[Organizations]"),
        "{}",
        console.frame()
    );
    click_on(&mut console, "Users  ");
    assert!(console.frame().contains("[Users]"), "{}", console.frame());
    click_on(&mut console, "bob@");
    assert!(console.line().contains("bob@"));
    click_on(&mut console, "bob@");
    assert_eq!(console.model.pages.len(), 2, "a second click opens");
    click_on(&mut console, "SSH keys");
    assert!(console.frame().contains("[SSH keys"), "{}", console.frame());
    click_on(&mut console, "JSON");
    assert!(console.frame().contains("[JSON]"), "{}", console.frame());
    console.keys("4j").press(KeyCode::Enter);
    click_on(&mut console, "Executions");
    assert!(
        console.frame().contains("[Executions]"),
        "{}",
        console.frame()
    );
    click_on(&mut console, "Logs");
    assert!(console.frame().contains("[Logs]"), "{}", console.frame());
    console.keys("5").press(KeyCode::Enter);
    click_on(&mut console, "Error");
    assert!(console.frame().contains("[Error]"), "{}", console.frame());
    console.keys("1");
    click_on(&mut console, "Recipes ");
    click_on(&mut console, "> Recipes");
    assert!(console.frame().contains("Recipes  "), "{}", console.frame());
    assert_eq!(console.model.root_view().title(), "Recipes");
}

#[test]
fn a_bar_shows_half_of_a_steps_runs_and_nineteen_of_twenty() {
    let look = Look::default();
    assert_eq!(spread(25, 100, 100, 8, &look), "██▒▒▒▒▒▒");
    assert_eq!(spread(1, 50, 100, 8, &look), "█▒▒▒░░░░");
    assert_eq!(spread(0, 0, 0, 4, &look), "░░░░");
    let ascii = Look {
        is_ascii: true,
        ..Look::default()
    };
    assert_eq!(spread(50, 75, 100, 4, &ascii), "##=.");
}
