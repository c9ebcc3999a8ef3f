//! What the console costs where it is drawn: a frame of each view, and the real binary in
//! a terminal.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use elastane::app::App;
use elastane::console::model::{Model, Settings};
use elastane::console::msg::Msg;
use elastane::console::run::settle;
use elastane::console::update::{go_to, start, update};
use elastane::console::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyCode;

use crate::core_ms;
use crate::cpu::cpu_s;
use crate::resident::resident_mb;

/// The views, by a word for each.
const VIEWS: [&str; 13] = [
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
    "lookups",
    "audit",
];

/// The keys that open more of them: what is deeper, and what lies over a screen.
const OPENED: [&str; 8] = ["", "\n", "\nl", "\nll", "\nlll", "?", ":a", "s"];

/// The sizes that are drawn.
const SIZES: [(u16, u16); 2] = [(120, 40), (200, 60)];

/// Frames of each: the cursor moves between them.
const FRAMES: usize = 50;

/// The goal for a frame, in milliseconds.
const FRAME_GOAL_MS: f64 = 16.0;

/// The goals for the binary: megabytes, and parts of a core.
const MEMORY_GOAL_MB: f64 = 40.0;
const IDLE_GOAL: f64 = 0.01;

/// How long the binary is watched while nobody touches it, in seconds.
const WATCHED_S: u64 = 20;

/// Draws every view with what can be opened in it; tells the slowest frames.
pub(crate) fn frames(app: &App) {
    let mut all = Vec::new();
    for view in VIEWS {
        for size in SIZES {
            for keys in OPENED {
                let worst = worst_frame(app, view, size, keys);
                all.push((worst, format!("{view} {keys:?} at {}x{}", size.0, size.1)));
            }
        }
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (took_ms, what) in all.iter().take(5) {
        println!("frame of {what}: at most {took_ms:.2} ms");
    }
    println!("goal for a frame: at most {FRAME_GOAL_MS} ms");
}

/// Returns the longest that a frame took, with the change of the model before it.
fn worst_frame(app: &App, first: &str, size: (u16, u16), keys: &str) -> f64 {
    let mut model = Model::new(Settings::default(), size, app.now_ms(), 0);
    go_to(&mut model, Some(first), None).expect("a view");
    let cmds = start(&mut model);
    settle(app, &mut model, cmds);
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            key => KeyCode::Char(key),
        };
        let cmds = update(&mut model, Msg::Key(code.into()));
        settle(app, &mut model, cmds);
    }
    let mut screen = Terminal::new(TestBackend::new(size.0, size.1)).expect("a screen");
    let mut worst = 0.0_f64;
    for _ in 0..FRAMES {
        let began_ms = core_ms();
        // What it asks for is the worker's to get, not the frame's.
        drop(update(&mut model, Msg::Key(KeyCode::Down.into())));
        screen.draw(|frame| view(&model, frame)).expect("a frame");
        worst = worst.max(core_ms() - began_ms);
    }
    worst
}

/// Shows the real binary in a terminal, and tells its memory and what it takes of a core
/// while nobody touches it.
pub(crate) fn resting(database: &Path) {
    for view in ["dashboard", "executions", "tasks", "users"] {
        let terminal = Watched::open(database, view);
        let pid = terminal.pid();
        sleep(Duration::from_secs(2));
        let began_s = cpu_s(pid);
        sleep(Duration::from_secs(WATCHED_S));
        #[expect(clippy::cast_precision_loss, reason = "some seconds")]
        let share = (cpu_s(pid) - began_s) / WATCHED_S as f64;
        println!(
            "console at rest on {view}: {:.1} MB (goal at most {MEMORY_GOAL_MB}), {:.1} % of a core (goal at most {:.0})",
            resident_mb(pid),
            share * 100.0,
            IDLE_GOAL * 100.0,
        );
        for keys in [
            "G", "/", "7", "7", "Enter", "g", "Enter", "Escape", ":", "s", "t", "o",
        ] {
            terminal.tmux(&["send-keys", keys]);
            sleep(Duration::from_millis(300));
        }
        println!("after some keys: {:.1} MB", resident_mb(pid));
    }
}

/// The console on a terminal of tmux.
struct Watched {
    folder: tempfile::TempDir,
}

impl Watched {
    /// Opens a view over a database.
    fn open(database: &Path, view: &str) -> Self {
        let terminal = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let database = database.to_string_lossy();
        terminal.tmux(&[
            "new-session",
            "-d",
            "-x",
            "120",
            "-y",
            "40",
            env!("CARGO_BIN_EXE_elastane"),
            "console",
            "--db",
            &database,
            "--view",
            view,
        ]);
        terminal
    }

    /// Runs a command of tmux; returns what it prints.
    fn tmux(&self, args: &[&str]) -> String {
        let ran = Command::new("tmux")
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .arg("-S")
            .arg(self.folder.path().join("tmux"))
            .args(["-f", "/dev/null"])
            .args(args)
            .output()
            .expect("tmux is on the path");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// Returns the number of the console's process.
    fn pid(&self) -> u32 {
        let told = self.tmux(&["list-panes", "-F", "#{pane_pid}"]);
        told.trim().parse().expect("the console runs")
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
