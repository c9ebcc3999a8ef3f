//! The one error of the whole house: a closed set of kinds.
//!
//! A kind is decided where the fact is known. The API maps it to a status once;
//! v1 and v2 only shape the body. The message is safe to show; the source is for
//! the log alone.

use std::error::Error as StdError;
use std::fmt;

/// What went wrong, as far as a caller may act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input breaks a rule; the fields say which.
    Invalid,
    /// Nobody, or nobody known, is asking.
    Unauthenticated,
    /// The object is visible to the caller, the action is not allowed.
    Forbidden,
    /// There is no such object, or the caller may not see it.
    NotFound,
    /// The object was removed, and the caller could see it before.
    Gone,
    /// The present state does not allow it: taken, in use, the last one.
    Conflict,
    /// The object changed since the caller read it, who asked that it had not.
    Outdated,
    /// The body or a value is over its limit.
    TooLarge,
    /// The caller asks too often; [`Error::retry_after_s`] says when to come back.
    TooMany,
    /// The installation can't serve now: maintenance, a full queue, a full disk.
    Unavailable,
    /// A fault of ours; logged with its source, shown without it.
    Internal,
}

/// One field of the input that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name as the domain says it, dots between levels.
    pub field: String,
    /// What is wrong with it, as half a sentence: `must not be empty`.
    pub message: String,
}

/// An error with its kind, a message that may be shown, and a source for the log.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    fields: Vec<FieldError>,
    retry_after_s: Option<u32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of every fallible function of the house.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of `kind` with a message that the caller may read.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            fields: Vec::new(),
            retry_after_s: None,
            source: None,
        }
    }

    /// Makes an [`Kind::Invalid`] error of one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldError {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// Makes an [`Kind::Invalid`] error of several fields; the message names the first.
    pub fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let message = fields.first().map_or_else(
            || "the input is not valid".to_owned(),
            |first| format!("{} {}", first.field, first.message),
        );
        Self {
            fields,
            ..Self::new(Kind::Invalid, message)
        }
    }

    /// Makes a [`Kind::NotFound`] error for a thing called `what`.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no such {what}"))
    }

    /// Makes a [`Kind::Gone`] error for a thing called `what`.
    pub fn gone(what: &str) -> Self {
        Self::new(Kind::Gone, format!("this {what} has been deleted"))
    }

    /// Makes a [`Kind::Forbidden`] error; `message` says who may.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// Makes a [`Kind::Conflict`] error about `field`.
    pub fn conflict(field: impl Into<String>, message: impl Into<String>) -> Self {
        let fields = vec![FieldError {
            field: field.into(),
            message: message.into(),
        }];
        Self {
            kind: Kind::Conflict,
            ..Self::invalid_fields(fields)
        }
    }

    /// Makes a [`Kind::Conflict`] error about several fields, with a message of its own.
    pub fn conflict_fields(message: impl Into<String>, fields: Vec<FieldError>) -> Self {
        Self {
            fields,
            ..Self::new(Kind::Conflict, message)
        }
    }

    /// Makes a [`Kind::Internal`] error from its cause, which only the log sees.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Kind::Internal, "internal error")
        }
    }

    /// Makes a [`Kind::Unavailable`] error with the seconds to wait.
    pub fn unavailable(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(Kind::Unavailable, message)
        }
    }

    /// Makes a [`Kind::TooMany`] error with the seconds to wait.
    pub fn too_many(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(Kind::TooMany, message)
        }
    }

    /// Adds a field at fault.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    /// Gives the fields at fault the names that the caller knows them by.
    #[must_use]
    pub fn with_fields(mut self, name_of: impl Fn(&str) -> String) -> Self {
        for fault in &mut self.fields {
            fault.field = name_of(&fault.field);
        }
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what kind of error this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the message that may be shown to the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the fields at fault; empty where the whole request is.
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    /// Returns the seconds after which the same request may succeed.
    pub fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    /// Returns the chain of causes as one line, for the log only.
    pub fn causes(&self) -> String {
        let mut text = String::new();
        let mut next: Option<&(dyn StdError + 'static)> = StdError::source(self);
        while let Some(cause) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
