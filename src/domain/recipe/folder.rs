//! Recipe folders as texts.
