//! Keys in, model and commands out.

use elastane::console::msg::{Cmd, Msg};
use elastane::console::overlay::Overlay;
use elastane::console::view_name::ViewName;
use ratatui::crossterm::event::KeyCode;

use super::given::{Console, Demo};

/// The usual size.
const SIZE: (u16, u16) = (80, 24);

#[test]
fn a_digit_opens_its_view_and_a_dash_the_view_before() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "dashboard");
    for (digit, view) in ('1'..='9').chain(['0']).zip(ViewName::ALL) {
        console.press(KeyCode::Char(digit));
        assert_eq!(console.model.root_view(), view, "{digit}");
    }
    console.keys("-");
    assert_eq!(console.model.root_view(), ViewName::Credentials);
}

#[test]
fn enter_goes_deeper_and_esc_back_to_the_same_row() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys("j");
    let row = console.line();
    console.press(KeyCode::Enter);
    assert_eq!(console.model.pages.len(), 2);
    assert!(console.frame().contains("Users > "), "{}", console.frame());
    console.press(KeyCode::Esc);
    assert_eq!(console.model.pages.len(), 1);
    assert_eq!(console.line(), row);
    console.press(KeyCode::Esc);
    assert!(!console.model.is_over, "Esc never ends the console");
    console.keys("q");
    assert!(console.model.is_over);
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_esc_clears_it_first() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    let all = console.frame();
    console.keys("/ada");
    assert!(console.frame().contains("ada@"), "{}", console.frame());
    assert!(!console.frame().contains("bob@"), "{}", console.frame());
    console.press(KeyCode::Esc);
    assert!(matches!(
        console.model.overlays.last(),
        Some(Overlay::Filter(_))
    ));
    assert!(console.frame().contains("bob@"), "{}", console.frame());
    console.press(KeyCode::Esc);
    assert!(console.model.overlays.is_empty());
    assert_eq!(console.frame(), all);
}

#[test]
fn a_filter_that_can_not_be_read_says_why_and_changes_nothing() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console
        .keys("/")
        .hear(Msg::Paste("nosuchfield:1".to_owned()));
    assert!(
        console.status().contains("nosuchfield"),
        "{}",
        console.frame()
    );
    assert!(console.frame().contains("ada@"), "{}", console.frame());
}

#[test]
fn a_filter_is_remembered_by_its_view() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys("/ada").press(KeyCode::Enter).keys("32");
    assert!(
        console.frame().contains("Users [ada]"),
        "{}",
        console.frame()
    );
}

#[test]
fn the_id_is_copied_whole_and_the_row_as_json() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys("y");
    let [Cmd::Copy { text, .. }] = console.cmds.as_slice() else {
        panic!("{:?}", console.cmds)
    };
    assert_eq!(text.len(), 24);
    let id = text.clone();
    console.keys("Y");
    let [Cmd::Copy { text, .. }] = console.cmds.as_slice() else {
        panic!("{:?}", console.cmds)
    };
    let row: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(row["id"], id.as_str());
}

#[test]
fn the_palette_finds_views_acts_and_objects_and_what_was_taken_last_comes_first() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys(":execu").press(KeyCode::Enter);
    assert_eq!(console.model.root_view(), ViewName::Executions);
    console.keys(":");
    let Some(Overlay::Palette(palette)) = console.model.overlays.last() else {
        panic!("no palette")
    };
    assert_eq!(palette.shown[0].label, "Executions");
    console.keys("user ada");
    assert!(console.frame().contains("user ada@"), "{}", console.frame());
    console.press(KeyCode::Enter);
    assert!(console.frame().contains("> ada@"), "{}", console.frame());
}

#[test]
fn enter_alone_never_confirms() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys(":maintenance:503").press(KeyCode::Enter);
    assert!(matches!(
        console.model.overlays.last(),
        Some(Overlay::Confirm(_))
    ));
    console.press(KeyCode::Enter);
    assert!(console.cmds.is_empty());
    console.press(KeyCode::Esc);
    assert_eq!(demo.app.maintenance().unwrap(), None);
    console
        .keys(":maintenance:503")
        .press(KeyCode::Enter)
        .keys("y");
    assert!(demo.app.maintenance().unwrap().is_some());
    assert!(
        console.status().contains("u takes it back"),
        "{}",
        console.frame()
    );
    console.keys("u");
    assert_eq!(demo.app.maintenance().unwrap(), None);
}

#[test]
fn nothing_that_writes_is_there_in_a_file_that_is_only_looked_at() {
    let demo = Demo::open();
    let mut console = Console::with(&demo.app, SIZE, "users", |settings| {
        settings.is_read_only = true;
    });
    assert!(console.frame().contains("  RO  "), "{}", console.frame());
    console.keys(":maintenance:503");
    assert!(
        console.frame().contains("nothing fits"),
        "{}",
        console.frame()
    );
}

#[test]
fn control_c_ends_the_console_whatever_is_open() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys(":x").ctrl('c');
    assert!(console.model.is_over);
}
