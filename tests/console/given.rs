//! A console over an installation with people, teams and tasks in it, without a terminal.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use elastane::app::{App, AppOptions, Opening};
use elastane::clock::Clock;
use elastane::console::model::{Model, Settings};
use elastane::console::msg::{Cmd, Msg};
use elastane::console::run::{frame, settle};
use elastane::console::update::{go_to, start, update};
use elastane::console::view::view;
use elastane::domain::principal::{Channel, Principal};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tempfile::TempDir;

/// The moment of the tests: a while after the demo was built.
pub const NOW_MS: i64 = 1_772_456_760_000;

/// Who works at the console.
pub fn operator() -> Principal {
    Principal::operator(Channel::Console)
}

/// A copy of the demo's database, opened at a fixed moment.
pub struct Demo {
    pub app: App,
    _dir: TempDir,
}

impl Demo {
    pub fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("elastane.db");
        let assets = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        std::fs::copy(format!("{assets}/demo.db"), &database).unwrap();
        let key = dir.path().join("elastane.key");
        std::fs::copy(format!("{assets}/demo/elastane.key"), &key).unwrap();
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let options = AppOptions {
            clock: Clock::fixed(NOW_MS),
            ..AppOptions::new(database)
        };
        let app = App::open(&options, Opening::Use).unwrap();
        Self { app, _dir: dir }
    }
}

/// A console without a terminal: what its commands ask is answered at once.
pub struct Console<'a> {
    pub app: &'a App,
    pub model: Model,
    /// What the last key wanted done.
    pub cmds: Vec<Cmd>,
}

impl<'a> Console<'a> {
    /// Opens a view at a size.
    pub fn open(app: &'a App, size: (u16, u16), view: &str) -> Self {
        Self::with(app, size, view, |_| {})
    }

    /// Opens a view with settings that a test changes first.
    pub fn with(
        app: &'a App,
        size: (u16, u16),
        view: &str,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings {
            place: "/var/lib/elastane/elastane.db".to_owned(),
            ..Settings::default()
        };
        change(&mut settings);
        let mut model = Model::new(settings, size, app.now_ms(), 0);
        go_to(&mut model, Some(view), None).unwrap();
        let cmds = start(&mut model);
        settle(app, &mut model, cmds);
        Self {
            app,
            model,
            cmds: Vec::new(),
        }
    }

    /// Lets something happen, and answers what comes of it.
    pub fn hear(&mut self, msg: Msg) -> &mut Self {
        self.cmds = update(&mut self.model, msg);
        settle(self.app, &mut self.model, self.cmds.clone());
        self
    }

    /// Presses a key that is no letter.
    pub fn press(&mut self, code: KeyCode) -> &mut Self {
        self.hear(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    /// Presses a letter with the control key.
    pub fn ctrl(&mut self, letter: char) -> &mut Self {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        self.hear(Msg::Key(key))
    }

    /// Types letters.
    pub fn keys(&mut self, letters: &str) -> &mut Self {
        for letter in letters.chars() {
            self.press(KeyCode::Char(letter));
        }
        self
    }

    /// Types letters; a line's end is Enter.
    pub fn typed(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            match letter {
                '\n' => self.press(KeyCode::Enter),
                letter => self.press(KeyCode::Char(letter)),
            };
        }
        self
    }

    /// Returns what is seen.
    pub fn frame(&self) -> String {
        frame(&self.model)
    }

    /// Returns each change of style on the screen, by its line and column.
    pub fn styles(&self) -> String {
        let (width, height) = self.model.size;
        let mut screen = Terminal::new(TestBackend::new(width, height)).unwrap();
        screen.draw(|frame| view(&self.model, frame)).unwrap();
        let text = format!("{:?}", screen.backend().buffer());
        let styles = text.split_once("styles: [").unwrap().1;
        styles.to_owned()
    }

    /// Returns the last line but one: messages.
    pub fn status(&self) -> String {
        let frame = self.frame();
        let lines: Vec<&str> = frame.lines().collect();
        lines[lines.len() - 2].trim().to_owned()
    }

    /// Returns the line of the cursor in a list.
    pub fn line(&self) -> String {
        let frame = self.frame();
        let line = frame
            .lines()
            .find(|line| line.contains("> ") && line.starts_with('│'));
        line.unwrap_or_default().to_owned()
    }
}
