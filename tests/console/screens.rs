//! Screens as they are seen.

use elastane::console::look::Look;
use elastane::console::msg::Msg;
use elastane::console::theme::ThemeName;

use ratatui::crossterm::event::KeyCode;

use super::given::{Console, Demo};

/// Every view by a word for it.
const VIEWS: [&str; 12] = [
    "dashboard",
    "users",
    "organizations",
    "teams",
    "tasks",
    "executions",
    "recipes",
    "components",
    "sshkeys",
    "keys",
    "credentials",
    "audit",
];

#[test]
fn every_view_is_what_it_was_at_80x24_and_120x40() {
    let demo = Demo::open();
    for view in VIEWS {
        for size in [(80, 24), (120, 40)] {
            let console = Console::open(&demo.app, size, view);
            let name = format!("{view}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, without_sizes(&console.frame()));
        }
    }
}

/// The views whose objects have no screen of their own, and recipes.
const OPENED: [&str; 10] = [
    "users",
    "organizations",
    "teams",
    "recipes",
    "components",
    "sshkeys",
    "keys",
    "credentials",
    "audit",
    "lookups",
];

#[test]
fn what_is_open_is_what_it_was_at_80x24_and_120x40() {
    let demo = Demo::open();
    for view in OPENED {
        for size in [(80, 24), (120, 40)] {
            let mut console = Console::open(&demo.app, size, view);
            console.press(KeyCode::Enter);
            let name = format!("open_{view}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, console.frame());
        }
    }
    let mut console = Console::open(&demo.app, (80, 24), "teams");
    console
        .press(KeyCode::Enter)
        .press(KeyCode::Tab)
        .press(KeyCode::Tab);
    insta::assert_snapshot!("members_80x24", console.frame());
}

/// Returns a frame without the size of the database: it differs with every build of it.
fn without_sizes(frame: &str) -> String {
    let lines = frame.lines().map(|line| match line.find("database ") {
        Some(at) if line.contains("free") => format!("{}database (so large)", &line[..at]),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_readme_shows_what_is_seen() {
    const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let demo = Demo::open();
    let readme = std::fs::read_to_string(README).unwrap();
    for view in ["tasks", "executions"] {
        let frame = Console::open(&demo.app, (80, 20), view).frame();
        assert!(readme.contains(&frame), "README.md needs:\n{frame}");
    }
}

/// What may lie over a screen, by the keys that open it.
const OVERLAYS: [&str; 7] = ["", ":", "?", "!", "/", "s", ":maintenance:503\n"];

#[test]
fn every_size_is_drawn() {
    let demo = Demo::open();
    let sizes: Vec<(u16, u16)> = (1..=120)
        .flat_map(|width| (1..=40).map(move |height| (width, height)))
        .collect();
    for (at, view) in VIEWS.into_iter().enumerate() {
        let mut console = Console::open(&demo.app, (120, 40), view);
        for (over, keys) in OVERLAYS.into_iter().enumerate() {
            console.keys("j").typed(keys);
            // Each size is drawn under some view and some overlay; with seven of the one
            // and twelve of the other none is always left to the same.
            let turn = VIEWS.len() * OVERLAYS.len();
            let first = at * OVERLAYS.len() + over;
            for (width, height) in sizes.iter().skip(first).step_by(turn) {
                console.hear(Msg::Resized(*width, *height));
                assert_eq!(console.frame().lines().count(), usize::from(*height));
            }
            for size in [(1, 1), (59, 15), (60, 14), (60, 15), (61, 16)] {
                console.hear(Msg::Resized(size.0, size.1));
                assert_eq!(console.frame().lines().count(), usize::from(size.1));
            }
            console.press(KeyCode::Esc);
        }
    }
}

#[test]
fn ascii_is_ascii() {
    let demo = Demo::open();
    for view in VIEWS {
        let console = Console::with(&demo.app, (80, 24), view, |settings| {
            settings.look.is_ascii = true;
        });
        assert!(console.frame().is_ascii(), "{}", console.frame());
    }
}

#[test]
fn basic_has_no_boxes() {
    let demo = Demo::open();
    let console = Console::with(&demo.app, (80, 24), "users", |settings| {
        settings.look.is_basic = true;
    });
    let frame = console.frame();
    assert!(!frame.contains(['│', '─', '┌', '|']), "{frame}");
    assert!(frame.contains("> ada@"), "{frame}");
}

#[test]
fn the_selection_and_states_have_the_styles_that_they_had() {
    let demo = Demo::open();
    for (name, theme) in [
        ("terminal", ThemeName::Terminal),
        ("high_contrast", ThemeName::HighContrast),
        ("mono", ThemeName::Mono),
    ] {
        let console = Console::with(&demo.app, (80, 15), "tasks", |settings| {
            settings.look.theme = theme;
        });
        let styles = console.styles();
        if theme == ThemeName::Mono {
            // Where NO_COLOR is, a colour would be written as a reset.
            let plain = styles.replace("fg: Reset", "").replace("bg: Reset", "");
            assert!(
                !plain.contains("fg: ") && !plain.contains("bg: "),
                "{styles}"
            );
        }
        insta::assert_snapshot!(format!("styles_{name}"), styles);
    }
}

#[test]
fn overlays_are_what_they_were() {
    let demo = Demo::open();
    for (name, keys) in [
        ("help", "?"),
        ("palette", ":us"),
        ("sort", "s"),
        ("related", "o"),
        ("confirm", ":maintenance:503\n"),
        ("detail", "\n"),
        ("messages", "tM!"),
    ] {
        let mut console = Console::open(&demo.app, (80, 24), "tasks");
        console.typed(keys);
        insta::assert_snapshot!(format!("over_{name}"), console.frame());
    }
}

#[test]
fn no_theme_says_anything_by_colour_alone() {
    let demo = Demo::open();
    let plain = Console::open(&demo.app, (80, 24), "tasks").frame();
    for theme in [
        ThemeName::Dark,
        ThemeName::Light,
        ThemeName::HighContrast,
        ThemeName::Mono,
    ] {
        let console = Console::with(&demo.app, (80, 24), "tasks", |settings| {
            settings.look = Look {
                theme,
                ..Look::default()
            };
        });
        assert_eq!(console.frame(), plain, "{theme:?}");
    }
}
