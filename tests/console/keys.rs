//! Keys in, model and commands out.

use elastane::console::deed::Deed;
use elastane::console::menu;
use elastane::console::msg::{Cmd, Msg};
use elastane::console::overlay::Overlay;
use elastane::console::screen::Effect;
use elastane::console::view_name::ViewName;
use elastane::console::worker;
use ratatui::crossterm::event::KeyCode;

use super::given::{Console, Demo, operator};

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
fn repositories_stand_beside_the_keys_that_open_them() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "repos");
    let there = |console: &Console<'_>| {
        assert_eq!(console.model.root_view(), ViewName::Keys);
        let frame = console.frame();
        assert!(frame.contains("API keys  [Repositories]"), "{frame}");
    };
    there(&console);
    console.keys("8").press(KeyCode::BackTab);
    there(&console);
    console.keys("7:repositories").press(KeyCode::Enter);
    there(&console);
    console.press(KeyCode::Tab);
    assert!(
        console.frame().contains("[SSH keys]"),
        "{}",
        console.frame()
    );
    console.keys("7");
    assert_eq!(console.model.root_view(), ViewName::Components);
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
fn a_filter_may_be_a_regular_expression() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys("/").keys("email:/^(ADA|b.b)@/");
    assert!(console.frame().contains("2 of 3"), "{}", console.frame());
    console.press(KeyCode::Esc).keys("!/^(ada|bob)/");
    assert!(console.frame().contains("1 of 3"), "{}", console.frame());
    assert!(console.line().contains("grace@"), "{}", console.frame());
    console.press(KeyCode::Esc).keys("/st(");
    assert!(
        console.status().contains("is no regular expression"),
        "{}",
        console.frame()
    );
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
fn a_word_for_a_list_and_the_key_of_an_act_are_meant_by_just_this() {
    let demo = Demo::open();
    for (typed, view) in [
        ("flows", ViewName::Tasks),
        ("exec", ViewName::Executions),
        ("repos", ViewName::Components),
        ("accounts", ViewName::Credentials),
    ] {
        let mut console = Console::open(&demo.app, SIZE, "users");
        console.keys(":").keys(typed).press(KeyCode::Enter);
        assert_eq!(console.model.root_view(), view, "{typed}");
    }
    let mut console = Console::open(&demo.app, SIZE, "users");
    console.keys(":q").press(KeyCode::Enter);
    assert!(console.model.is_over);
}

#[test]
fn what_uses_a_component_or_a_credential_is_found() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "components");
    console.keys("/timer").press(KeyCode::Enter).keys("o");
    assert!(
        console.frame().contains("Tasks with the component"),
        "{}",
        console.frame()
    );
    let Some(Overlay::Menu(menu)) = console.model.overlays.last() else {
        panic!("no menu")
    };
    let label = "Tasks with the component";
    let at = menu.items.iter().position(|it| it.label == label).unwrap();
    console.keys(&(at + 1).to_string());
    assert!(console.frame().contains("2 of 5"), "{}", console.frame());
    assert!(
        console.frame().contains("Timer heartbeat"),
        "{}",
        console.frame()
    );
    console.keys("9");
    console.press(KeyCode::Enter).press(KeyCode::Tab);
    assert!(console.frame().contains("2 of 5"), "{}", console.frame());
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

#[test]
fn an_execution_is_found_by_how_its_id_begins() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "executions");
    console.keys("/state:error").press(KeyCode::Enter).keys("y");
    let [Cmd::Copy { text, .. }] = console.cmds.as_slice() else {
        panic!("{:?}", console.cmds)
    };
    let id = text.clone();
    console.keys("1:exec ").keys(&id[..10]);
    let Some(Overlay::Palette(palette)) = console.model.overlays.last() else {
        panic!("no palette")
    };
    let found: Vec<&str> = palette.shown.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    console.press(KeyCode::Enter);
    let frame = console.frame();
    assert!(
        frame.contains(&format!("Dashboard > {}", &id[..8])),
        "{frame}"
    );
    assert!(frame.contains("error"), "{frame}");
    // Digits that nearly all begin with are looked for as well.
    console.press(KeyCode::Esc).keys(":exec 69");
    let Some(Overlay::Palette(palette)) = console.model.overlays.last() else {
        panic!("no palette")
    };
    assert_eq!(palette.shown.len(), 5);
}

#[test]
fn tasks_are_sorted_by_their_last_run() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "tasks");
    let names = |console: &Console<'_>| -> Vec<String> {
        let frame = console.frame();
        let rows = frame.lines().skip(4).take(5);
        rows.map(|row| row.chars().skip(12).take(12).collect())
            .collect()
    };
    console.keys("s");
    let Some(Overlay::Menu(menu)) = console.model.overlays.last() else {
        panic!("no menu")
    };
    let at = menu
        .items
        .iter()
        .position(|it| it.label == "last run at")
        .unwrap();
    console.keys(&(at + 1).to_string());
    let newest = names(&console);
    assert!(newest[0].starts_with("Timer"), "{newest:?}");
    assert!(
        newest[4].starts_with("Synchronize "),
        "what never ran is last: {newest:?}"
    );
    console.keys("S");
    let oldest = names(&console);
    assert!(oldest[0].starts_with("Scheduled"), "{oldest:?}");
    assert_eq!(oldest[4], newest[4]);
}

#[test]
fn a_large_text_is_copied_only_after_a_question_and_a_larger_one_goes_to_a_file() {
    let demo = Demo::open();
    for (bytes, labels) in [
        (74_994, &[][..]),
        (74_995, &["save it to a file", "copy it all the same"][..]),
        (1024 * 1024 + 1, &["save it to a file"][..]),
    ] {
        let mut console = Console::open(&demo.app, SIZE, "users");
        let menu = menu::Model::new(
            "Copy",
            vec![menu::MenuItem {
                label: "it".to_owned(),
                effect: Effect::copy("the value", "x".repeat(bytes)),
            }],
        );
        console.model.overlays.push(Overlay::Menu(menu));
        console.press(KeyCode::Enter);
        let is_copied = matches!(console.cmds.as_slice(), [Cmd::Copy { .. }]);
        assert_eq!(is_copied, labels.is_empty(), "{bytes}");
        for label in labels {
            assert!(console.frame().contains(label), "{}", console.frame());
        }
        if labels.len() == 2 {
            console.keys("2");
            assert!(
                matches!(console.cmds.as_slice(), [Cmd::Copy { text, .. }] if text.len() == bytes)
            );
        }
    }
}

#[test]
fn the_history_has_the_whole_error_as_json() {
    let demo = Demo::open();
    let mut console = Console::open(&demo.app, SIZE, "users");
    let deed = Deed::Cancel("5f0000000000000000000abc".parse().unwrap());
    let answer = worker::perform(&demo.app, &operator(), &Cmd::Do(deed)).unwrap();
    console.hear(answer);
    assert_eq!(console.status(), "! there is no such flow execution");
    console.keys("!");
    let frame = console.frame();
    assert!(frame.contains("{\"kind\":\"not_found\""), "{frame}");
}

#[test]
fn what_the_kernel_has_of_a_sandbox_is_said_where_components_are() {
    let demo = Demo::open();
    let mut console = Console::with(&demo.app, SIZE, "components", |settings| {
        settings.sandbox = "sandbox: there is one".to_owned();
    });
    assert_eq!(console.status(), "sandbox: there is one");
    console.press(KeyCode::Enter);
    assert_eq!(console.status(), "sandbox: there is one");
    console.keys("2");
    assert_eq!(console.status(), "");
}
