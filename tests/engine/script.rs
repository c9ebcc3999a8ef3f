//! The scripts of authors: what they may do, and what they may not.
