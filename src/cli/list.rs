//! Lists and single objects: a table, JSON or CSV from the same cells.
//!
//! Lists are read and printed page by page, so a million rows need no more memory than
//! five hundred.

use clap::Args;
use serde_json::{Map, Value};

use super::database::DatabaseArgs;
use super::error::CliError;
use super::filter::Filter;
use super::output::{Output, clean};
use crate::app::{App, Opening};
use crate::domain::Result;

/// The widest cell of a table; longer texts are cut there, in JSON and CSV never.
const CELL_MAX_CHARS: usize = 48;

/// What a tab of a long text is shown as: its width is that of most editors.
const TAB: &str = "    ";

/// How a list is printed, and which of its rows.
#[derive(Clone, Debug, Args)]
struct ListArgs {
    /// Print a JSON array of objects
    #[arg(long, group = "format")]
    json: bool,
    /// Print CSV with a head line
    #[arg(long, group = "format")]
    csv: bool,
    /// Print a table (the default)
    #[arg(long, group = "format")]
    table: bool,
    /// Keep rows with this: a word, FIELD:VALUE, or !WORD for rows without it
    #[arg(long, value_name = "TERMS")]
    filter: Vec<String>,
}

/// What every list takes: a database, and how it is printed.
#[derive(Clone, Debug, Args)]
pub(super) struct ListedArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    list: ListArgs,
}

impl ListedArgs {
    /// Opens the database to look at it.
    pub(super) fn open(&self) -> Result<App, CliError> {
        self.database.open(Opening::Look)
    }

    /// Prints a list, see [`print()`].
    pub(super) fn print<T>(
        &self,
        out: &mut Output,
        columns: &[Column],
        page: impl FnMut(Option<&T>) -> Result<Vec<T>>,
        row: impl Fn(&T) -> Vec<Cell>,
    ) -> Result<(), CliError> {
        print(out, &self.list, columns, page, row)
    }
}

/// A column of a list, a member of an object.
pub(super) struct Column {
    /// Its name in JSON, CSV and filters.
    pub(super) key: &'static str,
    /// Its title in a table; none where a table does not show it.
    pub(super) title: Option<&'static str>,
}

/// Makes a column that every form shows.
pub(super) const fn shown(key: &'static str, title: &'static str) -> Column {
    Column {
        key,
        title: Some(title),
    }
}

/// Makes a column that a table leaves out.
pub(super) const fn hidden(key: &'static str) -> Column {
    Column { key, title: None }
}

/// A value of a row.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A moment, in milliseconds since 1970.
    Time(i64),
    /// Several texts.
    Texts(Vec<String>),
    /// Anything, as it is.
    Json(Value),
    /// Nothing.
    Empty,
}

impl Cell {
    /// Makes a cell of a text.
    pub(super) fn text<T: ToString + ?Sized>(text: &T) -> Self {
        Self::Text(text.to_string())
    }

    /// Makes a cell of a text that may be missing.
    pub(super) fn maybe<T: ToString>(text: Option<T>) -> Self {
        text.map_or(Self::Empty, |text| Self::text(&text))
    }

    /// Makes a cell of a moment that may be missing.
    pub(super) fn time(at_ms: Option<i64>) -> Self {
        at_ms.map_or(Self::Empty, Self::Time)
    }

    /// Returns the value for JSON.
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
            Self::Flag(flag) => Value::from(*flag),
            Self::Time(at_ms) => Value::from(time_text(*at_ms)),
            Self::Texts(texts) => Value::from(texts.clone()),
            Self::Json(value) => value.clone(),
            Self::Empty => Value::Null,
        }
    }

    /// Returns the value as one text, for CSV and filters.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Time(at_ms) => time_text(*at_ms),
            Self::Texts(texts) => texts.join(" "),
            Self::Json(value) => value.to_string(),
            Self::Empty => String::new(),
        }
    }

    /// Returns the value for a person.
    fn to_human(&self) -> String {
        match self {
            Self::Time(at_ms) => short_time_text(*at_ms),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Empty => "-".to_owned(),
            other => clean(&other.to_text()),
        }
    }

    /// Returns the value for a person, with the lines of a text as they are; at least one.
    fn to_human_lines(&self) -> Vec<String> {
        match self {
            Self::Text(text) if !text.is_empty() => text
                .lines()
                .map(|line| clean(&line.replace('\t', TAB)))
                .collect(),
            other => vec![other.to_human()],
        }
    }
}

/// Returns a moment as RFC 3339 text, UTC.
fn time_text(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

/// Returns a moment to the minute, UTC.
fn short_time_text(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(
        |_| at_ms.to_string(),
        |at| at.strftime("%Y-%m-%d %H:%MZ").to_string(),
    )
}

/// Prints a list: `page` returns the rows after the last one that it gave, none at the end.
fn print<T>(
    out: &mut Output,
    args: &ListArgs,
    columns: &[Column],
    mut page: impl FnMut(Option<&T>) -> Result<Vec<T>>,
    row: impl Fn(&T) -> Vec<Cell>,
) -> Result<(), CliError> {
    let filter = Filter::parse(&args.filter, columns)?;
    let mut printer = Printer::new(args, columns);
    let mut last: Option<T> = None;
    loop {
        let found = page(last.as_ref())?;
        if found.is_empty() {
            return printer.end(out);
        }
        let rows: Vec<Vec<Cell>> = found
            .iter()
            .map(&row)
            .filter(|cells| filter.keeps(columns, cells))
            .collect();
        printer.page(out, &rows)?;
        last = found.into_iter().next_back();
    }
}

/// Prints one object: lines of names and values, or JSON.
pub(super) fn print_one(
    out: &mut Output,
    json: bool,
    columns: &[Column],
    cells: &[Cell],
) -> Result<(), CliError> {
    if json {
        return out.json(&object_of(columns, cells));
    }
    let width = columns.iter().map(|column| column.key.len()).max();
    for (column, cell) in columns.iter().zip(cells) {
        let name = column.key.replace('_', " ");
        let width = width.unwrap_or(0);
        let mut name = name.as_str();
        for text in cell.to_human_lines() {
            out.line(format!("{name:width$}  {text}").trim_end())?;
            // Later lines stand under the first, where none can pass for a name.
            name = "";
        }
    }
    Ok(())
}

/// Returns a row as a JSON object.
fn object_of(columns: &[Column], cells: &[Cell]) -> Value {
    let members: Map<String, Value> = columns
        .iter()
        .zip(cells)
        .map(|(column, cell)| (column.key.to_owned(), cell.to_json()))
        .collect();
    Value::Object(members)
}

/// The form in which a list is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Json,
    Csv,
}

/// Prints pages of one list.
struct Printer<'a> {
    format: Format,
    columns: &'a [Column],
    widths: Vec<usize>,
    printed: usize,
}

impl<'a> Printer<'a> {
    fn new(args: &ListArgs, columns: &'a [Column]) -> Self {
        let format = if args.json {
            Format::Json
        } else if args.csv {
            Format::Csv
        } else {
            Format::Table
        };
        Self {
            format,
            columns,
            widths: Vec::new(),
            printed: 0,
        }
    }

    /// Prints the rows of one page.
    fn page(&mut self, out: &mut Output, rows: &[Vec<Cell>]) -> Result<(), CliError> {
        match self.format {
            Format::Json => self.json(out, rows)?,
            Format::Csv => self.csv(out, rows)?,
            Format::Table => self.table(out, rows)?,
        }
        self.printed += rows.len();
        Ok(())
    }

    /// Prints what stands after the last row.
    fn end(self, out: &mut Output) -> Result<(), CliError> {
        match (self.format, self.printed) {
            (Format::Json, 0) => out.line("[]"),
            (Format::Json, _) => out.line("\n]"),
            (Format::Csv, 0) => csv_head(out, self.columns),
            (Format::Table, 0) => {
                out.note("nothing found");
                Ok(())
            }
            (Format::Csv | Format::Table, _) => Ok(()),
        }
    }

    fn json(&self, out: &mut Output, rows: &[Vec<Cell>]) -> Result<(), CliError> {
        for (at, cells) in rows.iter().enumerate() {
            let before = if self.printed + at == 0 {
                "[\n  "
            } else {
                ",\n  "
            };
            out.raw(before.as_bytes())?;
            out.raw(object_of(self.columns, cells).to_string().as_bytes())?;
        }
        Ok(())
    }

    fn csv(&self, out: &mut Output, rows: &[Vec<Cell>]) -> Result<(), CliError> {
        if self.printed == 0 && !rows.is_empty() {
            csv_head(out, self.columns)?;
        }
        for cells in rows {
            let fields: Vec<String> = cells
                .iter()
                .map(|cell| csv_field(&cell.to_text()))
                .collect();
            out.line(&fields.join(","))?;
        }
        Ok(())
    }

    fn table(&mut self, out: &mut Output, rows: &[Vec<Cell>]) -> Result<(), CliError> {
        if rows.is_empty() {
            return Ok(());
        }
        let titles: Vec<String> = self
            .columns
            .iter()
            .filter_map(|column| column.title.map(str::to_owned))
            .collect();
        let lines: Vec<Vec<String>> = rows.iter().map(|cells| self.visible(cells)).collect();
        // A later page may be wider; it then moves to the right rather than being cut.
        self.widths.resize(titles.len(), 0);
        for line in lines.iter().chain([&titles]) {
            for (width, text) in self.widths.iter_mut().zip(line) {
                *width = (*width).max(text.chars().count());
            }
        }
        if self.printed == 0 {
            out.line(&self.padded(&titles))?;
        }
        for line in &lines {
            out.line(&self.padded(line))?;
        }
        Ok(())
    }

    /// Returns the cells that a table shows, cut to a bearable width.
    fn visible(&self, cells: &[Cell]) -> Vec<String> {
        self.columns
            .iter()
            .zip(cells)
            .filter(|(column, _)| column.title.is_some())
            .map(|(_, cell)| cut(cell.to_human()))
            .collect()
    }

    /// Joins cells to a line, without blanks at its end.
    fn padded(&self, line: &[String]) -> String {
        let cells: Vec<String> = line
            .iter()
            .zip(&self.widths)
            .map(|(text, width)| format!("{text:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    }
}

/// Cuts a text to the widest cell.
fn cut(text: String) -> String {
    if text.chars().count() <= CELL_MAX_CHARS {
        return text;
    }
    let mut short: String = text.chars().take(CELL_MAX_CHARS - 1).collect();
    short.push('…');
    short
}

/// Prints the head line of CSV.
fn csv_head(out: &mut Output, columns: &[Column]) -> Result<(), CliError> {
    let names: Vec<&str> = columns.iter().map(|column| column.key).collect();
    out.line(&names.join(","))
}

/// Returns a field of CSV, in quotes where it must be (RFC 4180).
fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
