//! Slugs: names as git addresses and step commands write them (`v1.md 2.5`).

use std::fmt;

use super::error::{Error, Result};

/// The longest slug, in characters: a name of full length still fits a path.
pub const SLUG_MAX_CHARS: usize = 100;

/// A lower-case name of letters, digits and single `-`, not at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

impl Slug {
    /// Derives the slug of a name: lower case, runs of all other characters to `-`.
    ///
    /// A name without a single letter or digit has none, which is an error of `field`.
    pub fn of_name(field: &str, name: &str) -> Result<Self> {
        let mut slug = String::new();
        for c in name.to_lowercase().chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug: String = slug.chars().take(SLUG_MAX_CHARS).collect();
        let slug = slug.trim_end_matches('-');
        if slug.is_empty() {
            return Err(Error::invalid(
                field,
                "must have a letter or a digit (a-z, 0-9)",
            ));
        }
        Ok(Self(slug.to_owned()))
    }

    /// Takes a text that must be a slug already; `None` where it is not.
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_name("slug", text)
            .ok()
            .filter(|slug| slug.0 == text)
    }

    /// Wraps a slug that was checked when it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
