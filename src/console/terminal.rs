//! The terminal: taken over, given back as it was, whatever ends the console.

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use zeroize::Zeroizing;

/// The longest text that all terminals take: with its Base64 and its frame 100,000 bytes,
/// where xterm stops.
pub(super) const COPY_SURE_BYTES: usize = 74_994;

/// The longest text that is handed to a terminal at all: a larger one holds up all that is
/// drawn behind it.
pub(super) const COPY_MAX_BYTES: usize = 1024 * 1024;

/// Whether the terminal is ours at the moment, so that it is given back once.
static IS_OURS: AtomicBool = AtomicBool::new(false);

/// The screen that is drawn on.
pub(super) type Screen = Terminal<CrosstermBackend<io::Stdout>>;

/// The terminal while the console has it; given back when dropped.
pub(super) struct Guard {
    has_mouse: bool,
}

impl Guard {
    /// Takes the terminal over: raw, on its other screen, so that nothing of the console
    /// stays in the history of the shell.
    pub(super) fn take(has_mouse: bool) -> io::Result<Self> {
        give_back_on_panic(std::thread::current().id());
        let guard = Self { has_mouse };
        guard.enter()?;
        Ok(guard)
    }

    /// Tells whether there is a terminal to take.
    pub(super) fn is_there() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Takes the terminal, also again after a suspension.
    pub(super) fn enter(&self) -> io::Result<()> {
        IS_OURS.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        if self.has_mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Lets the mouse be used, or gives it back.
    pub(super) fn use_mouse(&mut self, has_mouse: bool) -> io::Result<()> {
        self.has_mouse = has_mouse;
        if has_mouse {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was.
pub(super) fn give_back() {
    if !IS_OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    // Each step is tried, whatever became of the one before: half a terminal is worse
    // than an error that nobody can act on.
    let _ = execute!(io::stdout(), DisableMouseCapture, DisableBracketedPaste);
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = io::stdout().flush();
}

/// Gives the terminal back before a panic of the console's own thread is told. Panics of
/// other threads are caught there; telling them would spoil the screen.
fn give_back_on_panic(own: ThreadId) {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == own {
            give_back();
            told(panic);
        } else if !IS_OURS.load(Ordering::SeqCst) {
            told(panic);
        }
    }));
}

/// Hands a text to the terminal to copy (OSC 52): this works over ssh, and in tmux where
/// `set-clipboard` is on. Returns its bytes, or why it was not done.
pub(super) fn copy(text: &str) -> Result<usize, String> {
    if text.len() > COPY_MAX_BYTES {
        return Err(format!(
            "it has {} bytes, and terminals take {COPY_MAX_BYTES}",
            text.len()
        ));
    }
    let mut out = io::stdout();
    // It may be a secret.
    let coded = Zeroizing::new(STANDARD.encode(text));
    write!(out, "\x1b]52;c;{}\x07", coded.as_str())
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())?;
    Ok(text.len())
}
