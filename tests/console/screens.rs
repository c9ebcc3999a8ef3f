//! Screens as they are seen.

use elastane::console::look::Look;
use elastane::console::msg::Msg;
use elastane::console::theme::ThemeName;

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
            insta::assert_snapshot!(name, console.frame());
        }
    }
}

#[test]
fn every_size_is_drawn() {
    let demo = Demo::open();
    for view in VIEWS {
        let mut console = Console::open(&demo.app, (120, 40), view);
        console.keys("j");
        for overlay in ["", ":", "?"] {
            console.keys(overlay);
            for width in (1..=120).step_by(7).chain([59, 60, 61]) {
                for height in (1..=40).step_by(3).chain([14, 15, 16]) {
                    console.hear(Msg::Resized(width, height));
                    let frame = console.frame();
                    assert_eq!(frame.lines().count(), usize::from(height));
                }
            }
            console.press(ratatui::crossterm::event::KeyCode::Esc);
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
