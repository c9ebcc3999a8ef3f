//! Lists and single objects: a table, JSON or CSV from the same cells.
//!
//! Lists are read and printed page by page, so a million rows need no more memory than
//! five hundred.

use clap::Args;
use serde_json::{Map, Value};

use super::database::{DatabaseArgs, operator};
use super::error::CliError;
use super::output::{Output, clean};
use crate::app::{App, Opening, PAGE_MAX};
use crate::domain::listing::{
    ColumnKind, ListAt, ListColumn, ListFilter, ListOf, ListPage, ListQuery, ListSort,
};

pub(super) use crate::domain::listing::ListCell as Cell;

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
    /// Keep rows with all of this: a word, FIELD:VALUE, FIELD:>VALUE, or !WORD for rows without it
    #[arg(long, value_name = "TERMS")]
    filter: Vec<String>,
    /// Sort by this field; FIELD:desc is largest first
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
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

    /// Prints a list with the rows that the flags and the filter `narrow` let through.
    ///
    /// It is read and printed page by page; the search goes on where a page ended.
    pub(super) fn print(
        &self,
        app: &App,
        of: ListOf,
        narrow: impl FnOnce(ListFilter) -> ListFilter,
        out: &mut Output,
    ) -> Result<(), CliError> {
        let columns: Vec<Column> = of.columns().iter().map(Column::of).collect();
        let mut query = self.list.query(of, app.now_ms())?;
        query.filter = narrow(query.filter);
        let mut printer = Printer::new(&self.list, &columns);
        loop {
            let page = app.list(&operator(), of, &query)?;
            printer.page(out, &page)?;
            if let Some(place) = page.after {
                query.at = ListAt::After(place);
                continue;
            }
            if !page.is_complete {
                out.note("only the newest rows were sorted; narrow the list to see more");
            }
            return printer.end(out);
        }
    }
}

impl ListedArgs {
    /// Prints a list whose rows are users' own: those of one, or of everybody.
    pub(super) fn print_of_user(
        &self,
        of: ListOf,
        user: Option<&str>,
        out: &mut Output,
    ) -> Result<(), CliError> {
        let app = self.open()?;
        let one = user.map(|user| super::user::find(&app, user)).transpose()?;
        let narrow = |filter: ListFilter| match &one {
            Some(user) => filter.and_is(of, "user_id", user.id),
            None => filter,
        };
        self.print(&app, of, narrow, out)
    }
}

impl ListArgs {
    /// Reads what is asked of a list.
    fn query(&self, of: ListOf, now_ms: i64) -> Result<ListQuery, CliError> {
        let usage = |error: crate::domain::Error| {
            let hint = format!("`elastane {} list --help` tells more", noun(of));
            CliError::usage(error.message(), hint)
        };
        let filter = ListFilter::parse(&self.filter.join(" "), of, now_ms).map_err(usage)?;
        let sort = self.sort.as_ref();
        let sort = sort.map(|sort| ListSort::parse(sort, of)).transpose();
        Ok(ListQuery {
            filter,
            sort: sort.map_err(usage)?.unwrap_or_else(|| of.default_sort()),
            ..ListQuery::first(of, PAGE_MAX)
        })
    }
}

/// Returns the command that a list belongs to.
pub(super) fn noun(of: ListOf) -> &'static str {
    match of {
        ListOf::Users => "user",
        ListOf::Teams => "team",
        ListOf::Flows => "flow",
        ListOf::Executions => "execution",
        ListOf::Recipes => "recipe",
        ListOf::Components => "component",
        ListOf::SshKeys => "sshkey",
        ListOf::ApiKeys => "key",
        ListOf::Credentials => "credential",
        ListOf::Audit => "audit",
        ListOf::Organizations => "organization",
        ListOf::Lookups => "lookup",
    }
}

/// A column of a list, a member of an object.
pub(super) struct Column {
    /// Its name in JSON, CSV and filters.
    pub(super) key: &'static str,
    /// Its title in a table; none where a table does not show it.
    pub(super) title: Option<&'static str>,
    /// What its numbers are.
    kind: ColumnKind,
}

impl Column {
    /// Makes the column of a list.
    fn of(column: &ListColumn) -> Self {
        Self {
            key: column.key,
            title: column.title,
            kind: column.kind,
        }
    }
}

/// Makes a column that every form shows.
pub(super) const fn shown(key: &'static str, title: &'static str) -> Column {
    Column {
        key,
        title: Some(title),
        kind: ColumnKind::Text,
    }
}

/// Makes a column that a table leaves out.
pub(super) const fn hidden(key: &'static str) -> Column {
    Column {
        title: None,
        ..shown(key, "")
    }
}

/// How a cell is printed.
trait Shown {
    /// Returns the value for JSON.
    fn to_json(&self) -> Value;
    /// Returns the value as one text, for CSV.
    fn to_text(&self) -> String;
    /// Returns the value for a person.
    fn to_human(&self) -> String;
    /// Returns the value for a person, with the lines of a text as they are; at least one.
    fn to_human_lines(&self) -> Vec<String>;
}

impl Shown for Cell {
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

    fn to_text(&self) -> String {
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

    fn to_human(&self) -> String {
        match self {
            Self::Time(at_ms) => short_time_text(*at_ms),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Empty => "-".to_owned(),
            other => clean(&other.to_text()),
        }
    }

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
    fn page(&mut self, out: &mut Output, page: &ListPage) -> Result<(), CliError> {
        let rows: Vec<&[Cell]> = page.rows.iter().map(|row| &row.cells[..]).collect();
        match self.format {
            Format::Json => self.json(out, &rows)?,
            Format::Csv => self.csv(out, &rows)?,
            Format::Table => self.table(out, &rows)?,
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

    fn json(&self, out: &mut Output, rows: &[&[Cell]]) -> Result<(), CliError> {
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

    fn csv(&self, out: &mut Output, rows: &[&[Cell]]) -> Result<(), CliError> {
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

    fn table(&mut self, out: &mut Output, rows: &[&[Cell]]) -> Result<(), CliError> {
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
            .map(|(column, cell)| cut(human(column, cell)))
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

/// Returns the value of a column for a person.
fn human(column: &Column, cell: &Cell) -> String {
    match (column.kind, cell) {
        (ColumnKind::Duration, Cell::Number(ms)) => duration_text(*ms),
        _ => cell.to_human(),
    }
}

/// Returns a length of time in its two largest units.
fn duration_text(ms: i64) -> String {
    let s = ms / 1_000;
    match s {
        0 => format!("{ms}ms"),
        1..60 => format!("{s}.{:02}s", ms % 1_000 / 10),
        60..3_600 => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{}h{:02}m", s / 3_600, s % 3_600 / 60),
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
