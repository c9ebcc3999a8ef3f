//! The query of a call: pages, filters, sorting, fields and includes, parsed once
//! (`v2.md 2.5`, `v2.md 9`, item 6).
//!
//! A route declares what it takes in its [`QueryRules`]. A name that is not declared is
//! an error with `source.parameter`, and so is any name of lower-case letters alone,
//! which JSON:API keeps for itself. All other names are ignored.

use crate::api::shape::{PAGE_SIZE, QueryRules, ResourceType};
use crate::app::PAGE_MAX;
use crate::domain::page::{OrderBy, Slice};
use crate::domain::{Error, FieldError, Result};

/// What marks the field of an error as a parameter of the query.
pub const PARAMETER: char = '?';

/// Parameters that every route takes: the switch of `v1.md 1.6`.
const EVERYWHERE: &[&str] = &["compat"];

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The number, from 1.
    pub number: u64,
    /// The most resources on it.
    pub size: u32,
}

impl Page {
    /// Returns how many resources stand before it.
    pub fn offset(self) -> u64 {
        (self.number - 1).saturating_mul(u64::from(self.size))
    }

    /// Returns the part of a list that it is.
    pub fn slice(self) -> Slice {
        Slice {
            offset: self.offset(),
            limit: self.size,
        }
    }
}

/// One key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The attribute, as the route declares it.
    pub by: &'static str,
    /// Whether the largest comes first.
    pub is_descending: bool,
}

/// The query of a call, checked against the rules of its route.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The page, where the list has pages or the client asks for one.
    pub page: Option<Page>,
    /// The order, the first key first; the list's own where empty.
    pub sort: Vec<Sort>,
    filters: Vec<(&'static str, String)>,
    includes: Vec<&'static str>,
    fields: Vec<(&'static str, Vec<String>)>,
    others: Vec<(&'static str, String)>,
}

impl Query {
    /// Parses the pairs of a query by the rules of a route; every fault at once.
    pub fn parse(
        pairs: &[(String, String)],
        rules: &QueryRules,
        types: &[&'static ResourceType],
    ) -> Result<Self> {
        let mut reading = Reading {
            query: Self::default(),
            number: None,
            size: None,
            faults: Vec::new(),
        };
        for (name, value) in pairs {
            reading.pair(name, value, rules, types);
        }
        if !reading.faults.is_empty() {
            return Err(Error::invalid_fields(reading.faults));
        }
        let (number, size) = (reading.number, reading.size);
        let mut query = reading.query;
        if rules.page_size.is_some() || number.is_some() || size.is_some() {
            query.page = Some(Page {
                number: number.unwrap_or(1),
                size: size.or(rules.page_size).unwrap_or(PAGE_SIZE),
            });
        }
        Ok(query)
    }

    /// Returns the order with the keys that the application knows.
    pub fn order<K>(&self, key_of: impl Fn(&str) -> Option<K>) -> Vec<OrderBy<K>> {
        let known = self.sort.iter().filter_map(|sort| {
            Some(OrderBy {
                key: key_of(sort.by)?,
                is_descending: sort.is_descending,
            })
        });
        known.collect()
    }

    /// Returns the page of a list that always has pages.
    pub fn page(&self) -> Page {
        self.page.unwrap_or(Page {
            number: 1,
            size: PAGE_SIZE,
        })
    }

    /// Returns the value of a filter.
    pub fn filter(&self, name: &str) -> Option<&str> {
        value_of(&self.filters, name)
    }

    /// Tells whether a path is to be included.
    pub fn includes(&self, path: &str) -> bool {
        self.includes.contains(&path)
    }

    /// Returns the value of a parameter outside the families of JSON:API.
    pub fn other(&self, name: &str) -> Option<&str> {
        value_of(&self.others, name)
    }

    /// Returns which fields of a type are asked for; all where none are named.
    pub fn fields_of(&self, kind: &str) -> Option<&[String]> {
        let found = self.fields.iter().find(|(name, _)| *name == kind);
        found.map(|(_, fields)| fields.as_slice())
    }

    /// Tells whether only some fields are asked for.
    pub fn is_sparse(&self) -> bool {
        !self.fields.is_empty()
    }
}

/// Makes the error of one parameter of the query.
pub fn bad_parameter(name: &str, message: impl Into<String>) -> Error {
    Error::invalid(format!("{PARAMETER}{name}"), message)
}

/// Returns the value that stands beside a name.
fn value_of<'a>(pairs: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(other, _)| *other == name);
    found.map(|(_, value)| value.as_str())
}

/// A query half read.
struct Reading {
    query: Query,
    number: Option<u64>,
    size: Option<u32>,
    faults: Vec<FieldError>,
}

impl Reading {
    /// Reads one pair.
    fn pair(
        &mut self,
        name: &str,
        value: &str,
        rules: &QueryRules,
        types: &[&'static ResourceType],
    ) {
        let family = name.split('[').next().unwrap_or_default();
        let member = name
            .strip_prefix(family)
            .and_then(|rest| rest.strip_prefix('['))
            .and_then(|rest| rest.strip_suffix(']'));
        match (family, member) {
            ("page", Some("number")) if rules.is_list => {
                self.number = self.positive(name, value).or(self.number);
            }
            ("page", Some("size")) if rules.is_list => {
                let size = self.positive(name, value);
                let clamped =
                    size.map(|size| u32::try_from(size).unwrap_or(PAGE_MAX).min(PAGE_MAX));
                self.size = clamped.or(self.size);
            }
            ("filter", Some(member)) => {
                let names: Vec<&'static str> = rules.filters.iter().map(|one| one.name).collect();
                match known(&names, member) {
                    Some(known) => self.query.filters.push((known, value.to_owned())),
                    None => self.unknown(name, "filters", &names),
                }
            }
            ("fields", Some(member)) => self.fields(name, member, value, types),
            ("include", None) => self.list(name, value, rules.includes, |query, path| {
                query.includes.push(path);
            }),
            ("sort", None) => self.sort(value, rules),
            ("page" | "filter" | "fields" | "include" | "sort", _) => {
                self.fault(name, "is not a parameter here");
            }
            (other, None) => {
                if let Some(known) = known(rules.others, other) {
                    self.query.others.push((known, value.to_owned()));
                } else if is_reserved(other) && !EVERYWHERE.contains(&other) {
                    self.fault(name, "is not a parameter here");
                }
            }
            (_, Some(_)) => self.fault(name, "is not a parameter here"),
        }
    }

    /// Reads a number from 1; more than anybody counts is as good as the most.
    fn positive(&mut self, name: &str, value: &str) -> Option<u64> {
        let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let number = is_number.then(|| value.parse().unwrap_or(u64::from(u32::MAX)));
        let number = number.filter(|number| *number > 0);
        if number.is_none() {
            self.fault(name, "must be a whole number from 1");
        }
        // A page beyond four thousand million is empty, whatever its number.
        number.map(|number| number.min(u64::from(u32::MAX)))
    }

    /// Reads the fields that are asked for of one type.
    fn fields(&mut self, name: &str, member: &str, value: &str, types: &[&'static ResourceType]) {
        let Some(kind) = types.iter().find(|kind| kind.name == member) else {
            self.fault(name, "names a type that is not served here");
            return;
        };
        let fields: Vec<String> = parts(value).map(str::to_owned).collect();
        for field in &fields {
            if !kind.has_field(field) {
                self.fault(name, "names a field that the type does not have");
            }
        }
        self.query.fields.push((kind.name, fields));
    }

    /// Reads an order.
    fn sort(&mut self, value: &str, rules: &QueryRules) {
        for part in parts(value) {
            let (by, is_descending) = match part.strip_prefix('-') {
                Some(by) => (by, true),
                None => (part, false),
            };
            match known(rules.sorts, by) {
                Some(by) => self.query.sort.push(Sort { by, is_descending }),
                None => self.unknown("sort", "keys", rules.sorts),
            }
        }
    }

    /// Reads a list of known names.
    fn list(
        &mut self,
        name: &str,
        value: &str,
        names: &[&'static str],
        mut keep: impl FnMut(&mut Query, &'static str),
    ) {
        for part in parts(value) {
            match known(names, part) {
                Some(known) => keep(&mut self.query, known),
                None => self.unknown(name, "values", names),
            }
        }
    }

    /// Notes a name that is not known, and which ones are.
    fn unknown(&mut self, name: &str, what: &str, known: &[&str]) {
        let message = if known.is_empty() {
            "is not a parameter here".to_owned()
        } else {
            format!("is not known here; the {what} are {}", known.join(", "))
        };
        self.fault(name, message);
    }

    /// Notes a fault of a parameter.
    fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults.push(FieldError {
            field: format!("{PARAMETER}{name}"),
            message: message.into(),
        });
    }
}

/// Returns the parts of a list between commas; an empty text is an empty list.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Finds a name among the known ones.
fn known(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().find(|known| **known == name).copied()
}

/// Tells whether JSON:API keeps a name for itself: lower-case letters alone.
fn is_reserved(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase())
}
