//! `elastane console`: the admin console on this terminal.

use std::io::{self, IsTerminal};

use jiff::tz::TimeZone;

use super::database::{DatabaseArgs, open};
use super::error::{Advice, CliError};
use super::list;
use super::output::Output;
use crate::app::{App, AppOptions, Opening};
use crate::config::{Terminal, terminal};
use crate::console::look::Look;
use crate::console::model::Settings;
use crate::console::run::{First, once, run as run_console};
use crate::console::theme::ThemeName;
use crate::domain::listing::ListOf;
use crate::sandbox::{Sandbox, Strength};

/// The largest frame that `--once` prints: larger than any screen, and no way to fill the memory.
const ONCE_MAX: u16 = 1_000;

/// The bounds of `--refresh`, in seconds: ten frames a second are more than eyes follow,
/// and after a minute nothing is live any more.
const REFRESH_S: std::ops::RangeInclusive<f64> = 0.1..=60.0;

/// What `console` takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Change nothing: the file is opened so that nothing can be written
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    look: LookArgs,
    /// The view to begin with: dashboard, users, teams, tasks, executions, recipes, ...
    #[arg(long, value_name = "VIEW")]
    view: Option<String>,
    /// The filter of that view, such as 'state:error age:<2h'
    #[arg(long, value_name = "TERMS", requires = "view")]
    filter: Option<String>,
    /// Print one frame and end; needs no terminal
    #[arg(long)]
    once: bool,
    /// The columns and lines of that frame
    #[arg(long, value_name = "WxH", default_value = "80x24", requires = "once")]
    size: String,
}

/// How the console looks and behaves.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct LookArgs {
    /// The seconds between two looks at the database [default: 2]
    #[arg(long, value_name = "SECONDS")]
    refresh: Option<f64>,
    /// When to use colours: auto, always, never, 16
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "always", "never", "16"])]
    color: Option<String>,
    /// The theme: terminal, dark, light, high-contrast, mono
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Draw with ASCII alone
    #[arg(long)]
    ascii: bool,
    /// Use the mouse; selecting text then needs the terminal's own modifier
    #[arg(long)]
    mouse: bool,
    /// Draw lines and no boxes, for readers of the screen
    #[arg(long)]
    basic: bool,
}

/// Opens the console, or prints one frame of it.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let size = frame_size(&args.size)?;
    if !args.once && !has_terminal() {
        let list = args.view.as_deref().unwrap_or_default();
        let noun = ListOf::parse(list).map_or("user", list::noun);
        return Err(no_terminal(format!(
            "without one: `elastane {noun} list`, or add --once"
        )));
    }
    let options = args.database.options()?;
    let (app, is_read_only) = open_for(&options, args.read_only || args.once)?;
    let place = options.database.display().to_string();
    let settings = args.look.settings(place, is_read_only)?;
    let first = First {
        view: args.view.clone(),
        filter: args.filter.clone(),
    };
    let ended = if args.once {
        once(&app, settings, &first, size).map(Some)
    } else {
        run_console(&app, settings, &first).map(|()| None)
    };
    app.close();
    let ended = ended.advise(|| "`elastane console --help` lists what there is".to_owned())?;
    ended.map_or(Ok(()), |frame| out.raw(frame.as_bytes()))
}

/// Tells whether there is a terminal to show the console on.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Says that there is none, and what to do instead.
pub(super) fn no_terminal(instead: impl Into<String>) -> CliError {
    CliError::usage("the console needs a terminal", instead)
}

/// Shows the console over an application that is open already, such as a server's.
pub(super) fn run_over(app: &App, place: &str) -> Result<(), CliError> {
    let settings = LookArgs::default().settings(place.to_owned(), false)?;
    Ok(run_console(app, settings, &First::default())?)
}

/// Opens the database to work on it; to look at it where that is wanted, or where the
/// file may not be written. Tells whether it is only looked at.
fn open_for(options: &AppOptions, read_only: bool) -> Result<(App, bool), CliError> {
    let is_writable = std::fs::OpenOptions::new()
        .append(true)
        .open(&options.database)
        .is_ok();
    let read_only = read_only || (options.database.exists() && !is_writable);
    let opening = if read_only {
        Opening::Look
    } else {
        Opening::Use
    };
    Ok((open(options, opening)?, read_only))
}

impl LookArgs {
    /// Returns what the console is started with.
    pub(super) fn settings(&self, place: String, is_read_only: bool) -> Result<Settings, CliError> {
        let asked = terminal();
        let seconds = self.refresh.unwrap_or(2.0);
        if !REFRESH_S.contains(&seconds) {
            return Err(CliError::usage(
                format!("--refresh can't be {seconds}"),
                "name between 0.1 and 60 seconds",
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between the bounds above"
        )]
        let refresh_ms = (seconds * 1_000.0) as u64;
        Ok(Settings {
            place,
            is_read_only,
            look: Look {
                theme: self.theme(asked)?,
                is_ascii: self.ascii || !asked.is_utf8,
                is_basic: self.basic,
                is_still: asked.no_motion,
                zone: TimeZone::system(),
                ..Look::default()
            },
            refresh_ms,
            has_mouse: self.mouse,
            sandbox: sandbox(),
        })
    }

    /// Returns the theme: the one that was named, less its colours where none are wanted.
    fn theme(&self, asked: Terminal) -> Result<ThemeName, CliError> {
        let named = match &self.theme {
            None => ThemeName::default(),
            Some(word) => ThemeName::parse(word).ok_or_else(|| {
                let words: Vec<&str> = ThemeName::words().collect();
                CliError::usage(
                    format!("there is no theme `{word}`"),
                    format!("the themes are {}", words.join(", ")),
                )
            })?,
        };
        Ok(match self.color.as_deref() {
            Some("never") => ThemeName::Mono,
            Some("16") if matches!(named, ThemeName::Dark | ThemeName::Light) => {
                ThemeName::Terminal
            }
            None | Some("auto") if asked.no_color => ThemeName::Mono,
            _ => named,
        })
    }
}

/// Says what there is of a sandbox for components, where the console is.
fn sandbox() -> String {
    let lacks = Sandbox::of_this_program(Strength::Full).lacks();
    lacks.map_or_else(
        || "sandbox: components are shut in by namespaces and Landlock".to_owned(),
        |lack| {
            format!(
                "sandbox: {lack}; components start with component_sandbox = \"landlock\" or \"off\" alone"
            )
        },
    )
}

/// Reads the size of a frame.
fn frame_size(text: &str) -> Result<(u16, u16), CliError> {
    let sides = text.split_once('x').and_then(|(width, height)| {
        Some((width.parse::<u16>().ok()?, height.parse::<u16>().ok()?))
    });
    match sides {
        Some((width, height))
            if (1..=ONCE_MAX).contains(&width) && (1..=ONCE_MAX).contains(&height) =>
        {
            Ok((width, height))
        }
        _ => Err(CliError::usage(
            format!("--size can't be {text}"),
            format!("name columns and lines up to {ONCE_MAX}, such as 120x40"),
        )),
    }
}
