//! The documented examples as goldens, the decided contradictions, and the checklist.
//!
//! A golden is the answer as the documents print it. What differs from one installation
//! to the next is checked first and hidden then, and the status, which the first
//! documents never print, stands beside each golden.

mod accounts;
mod checklist;
mod compare;
mod components;
mod contradictions;
mod curl;
mod documented;
mod recipes;
mod repos;
mod ssh_keys;
mod tasks;
mod teams;
mod transcript;
mod users;
mod v2;
