//! The one test binary.
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "nothing reaches into a test binary"
)]

mod amqp;
mod api;
mod app;
mod cli;
mod clients;
mod console;
mod crash;
mod crash_body;
mod crash_flow;
mod crash_poison;
mod crowd;
mod domain;
mod engine;
mod git;
mod golden;
mod http;
mod log;
mod mail;
mod sailor;
mod security;
mod ssh_key;
mod store;
mod support;
mod tidy;
