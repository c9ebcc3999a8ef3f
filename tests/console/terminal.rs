//! The real binary on a real terminal: tmux, by a server of its own for each test.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::Installation;
use crate::support::installation::options_in;
use elastane::app::maintenance::back_up;
use elastane::app::user::Role;

/// How often the screen is looked at, and how many times at most.
pub(super) const LOOK_MS: u64 = 50;
pub(super) const LOOKS_MAX: usize = 600;

/// A terminal with a shell in it.
pub(super) struct Shell {
    dir: TempDir,
    /// How often the terminal was noted: each has a mark of its own on the screen.
    noted: Cell<u32>,
}

impl Shell {
    /// Opens a terminal of this size.
    pub(super) fn open(width: u16, height: u16) -> Self {
        let shell = Self {
            dir: tempfile::tempdir().unwrap(),
            noted: Cell::new(0),
        };
        let (width, height) = (width.to_string(), height.to_string());
        let args = ["new-session", "-d", "-x", &width, "-y", &height];
        shell.tmux(
            &[
                &args[..],
                &["env", "PS1=ready> ", "bash", "--norc", "--noprofile"],
            ]
            .concat(),
        );
        shell.wait_for("ready>");
        shell
    }

    /// Runs a command of tmux.
    fn tmux(&self, args: &[&str]) -> String {
        let ran = Command::new("tmux")
            .env_remove("TMUX")
            .env_remove("NO_COLOR")
            .env("LC_ALL", "C.UTF-8")
            .arg("-S")
            .arg(self.path("tmux"))
            .args(["-f", "/dev/null"])
            .args(args)
            .output()
            .expect("tmux is on the path");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// Returns a path in the folder of the test.
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Presses keys by their names in tmux.
    pub(super) fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types a line for the shell.
    fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.press(&["Enter"]);
    }

    /// Returns what is seen.
    pub(super) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Returns what is seen with all that was scrolled away.
    pub(super) fn history(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-S", "-"])
    }

    /// Waits until a text is seen.
    pub(super) fn wait_for(&self, text: &str) {
        for _ in 0..LOOKS_MAX {
            if self.screen().contains(text) {
                return;
            }
            sleep(Duration::from_millis(LOOK_MS));
        }
        panic!("{text} was not seen:\n{}", self.screen());
    }

    /// Notes how the terminal is set.
    fn note_terminal(&self, name: &str) {
        let path = self.path(name);
        self.noted.set(self.noted.get() + 1);
        let turn = self.noted.get();
        self.line(&format!(
            "stty -a > {}; echo noted-$?-{turn}",
            path.display()
        ));
        self.wait_for(&format!("noted-0-{turn}"));
    }

    /// Asserts that the terminal is set as it was, and that the shell has its screen.
    fn is_as_before(&self) {
        self.note_terminal("after");
        // The first line is the size, which tests change.
        let read = |name| {
            let text = fs::read_to_string(self.path(name)).unwrap();
            text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(read("after"), read("before"));
    }

    /// Starts the console over a database; its process writes its number first.
    pub(super) fn console(&self, database: &std::path::Path, before: &str) {
        self.console_with(database, before, "");
    }

    /// The same with more arguments.
    fn console_with(&self, database: &std::path::Path, before: &str, args: &str) {
        self.line(&format!(
            "{before} bash -c 'echo $$ > {}; exec {} console {args} --db {}'",
            self.path("pid").display(),
            env!("CARGO_BIN_EXE_elastane"),
            database.display(),
        ));
        self.wait_for("Last hour");
    }

    /// Waits until the process of the console is gone, so that what is typed is the shell's.
    pub(super) fn wait_for_end(&self) {
        let pid = fs::read_to_string(self.path("pid")).unwrap();
        let process = PathBuf::from(format!("/proc/{}", pid.trim()));
        for _ in 0..LOOKS_MAX {
            if !process.exists() {
                return;
            }
            sleep(Duration::from_millis(LOOK_MS));
        }
        panic!("the console did not end:\n{}", self.screen());
    }

    /// Sends a signal to the console.
    fn signal(&self, name: &str) {
        let pid = fs::read_to_string(self.path("pid")).unwrap();
        let sent = Command::new("kill").args([name, pid.trim()]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// An installation with two people in it.
fn installed() -> Installation {
    let here = Installation::new();
    here.register("ada@example.com", Role::TenantAdmin);
    here.register("bob@example.com", Role::Member);
    here
}

#[test]
fn a_person_filters_goes_deeper_resizes_suspends_and_leaves_the_terminal_as_it_was() {
    let here = installed();
    walk(&here.database(), "");
}

#[test]
fn the_same_is_done_in_a_file_that_is_only_looked_at() {
    let here = installed();
    let copy = here.dir.path().join("copy.db");
    let options = options_in(here.database());
    back_up(&options, &copy, false).unwrap();
    let before = fs::read(&copy).unwrap();
    walk(&copy, "--read-only");
    assert_eq!(fs::read(&copy).unwrap(), before);
}

/// Filters, goes deeper and back, resizes, suspends and leaves.
fn walk(database: &std::path::Path, args: &str) {
    let shell = Shell::open(100, 30);
    shell.note_terminal("before");
    shell.console_with(database, "", args);
    shell.press(&["2"]);
    shell.wait_for("bob@example.com");
    shell.press(&["/", "b", "o", "b"]);
    shell.wait_for("1 of 2");
    shell.press(&["Enter"]);
    shell.wait_for("filter  s sort");
    shell.press(&["Enter"]);
    shell.wait_for("Users: bob@example.com");
    shell.tmux(&["resize-window", "-x", "40", "-y", "10"]);
    shell.wait_for("needs 60x15, have 40x10");
    shell.tmux(&["resize-window", "-x", "80", "-y", "24"]);
    shell.wait_for("Users: bob@example.com");
    shell.press(&["C-z"]);
    shell.wait_for("Stopped");
    shell.line("fg");
    shell.wait_for("Users: bob@example.com");
    shell.press(&["q"]);
    shell.wait_for("Users [bob]");
    shell.press(&["q"]);
    shell.wait_for_end();
    shell.tmux(&["resize-window", "-x", "100", "-y", "30"]);
    shell.is_as_before();
}

#[test]
fn signals_that_end_it_give_the_terminal_back() {
    let here = installed();
    let shell = Shell::open(100, 30);
    shell.note_terminal("before");
    for signal in ["-TERM", "-HUP", "-INT"] {
        shell.console(&here.database(), "");
        shell.signal(signal);
        shell.wait_for_end();
        shell.is_as_before();
    }
}

#[test]
fn what_another_process_does_is_seen_without_a_key() {
    let here = installed();
    let shell = Shell::open(100, 30);
    shell.console(&here.database(), "");
    shell.press(&["3"]);
    shell.wait_for("elasticio");
    let carol = here.principal("carol@example.com");
    let id = carol.user_id().unwrap();
    here.app.create_team(&carol, id, Some("Looms")).unwrap();
    shell.wait_for("+1 new, press r");
    assert!(!shell.screen().contains("Looms"), "nothing jumps");
    shell.press(&["r"]);
    shell.wait_for("Looms");
    shell.press(&["q"]);
}

#[test]
fn no_color_sets_no_colour_and_the_selection_is_still_seen() {
    let here = installed();
    let shell = Shell::open(100, 30);
    let colours = |shell: &Shell| {
        let styled = shell.tmux(&["capture-pane", "-p", "-e"]);
        assert!(styled.contains("\x1b[7m"), "{styled}");
        // 30 to 37 are colours, 38 begins one, 39 is none.
        let colour = |digit: char| styled.matches(&format!("\x1b[3{digit}")).count();
        ('0'..='8').map(colour).sum::<usize>()
    };
    shell.console(&here.database(), "");
    assert!(colours(&shell) > 0);
    shell.press(&["q"]);
    shell.wait_for_end();
    shell.console(&here.database(), "NO_COLOR=1");
    assert_eq!(colours(&shell), 0);
    shell.press(&["q"]);
}

#[test]
fn nothing_is_written_where_that_was_asked_for() {
    let here = installed();
    let shell = Shell::open(100, 30);
    shell.line(&format!(
        "{} console --read-only --view users --db {}",
        env!("CARGO_BIN_EXE_elastane"),
        here.database().display()
    ));
    shell.wait_for("  RO  ");
    shell.press(&[":", "m", "a", "i", "n", "t"]);
    shell.wait_for("nothing fits");
    shell.press(&["C-c"]);
    shell.wait_for("ready>");
}
