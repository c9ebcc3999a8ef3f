//! Steps that run as processes: unmodified sailors (`runtime.md 2, 3`).
//!
//! A step has up to `replicas` processes. The first message starts one; it ends when it
//! was idle for a while. Messages go to it and come from it over the AMQP endpoint
//! ([`desk`]), encrypted as the protocol has it ([`cipher`]). What a process emits is on
//! disk before its publish is confirmed; what it is given stays in the queue until it is
//! acknowledged.

mod cipher;
mod desk;
mod doors;
mod environment;
mod fleet;
mod hook;
mod jail;
mod log;
mod member;
mod outcome;
mod process;
mod service;
mod single;
mod together;

use std::fs;
use std::path::{Path, PathBuf};

pub(super) use fleet::{Fleet, Handed};
pub(super) use service::call;
pub(super) use single::run as run_single;
pub use single::{Emission, SingleRun};

use super::plan::Program;
use crate::app::step_run::ComponentNetwork;
use crate::sandbox::Strength;

/// The file by which a sailor starts, in the folder of a build.
const RUN: &str = "node_modules/elasticio-sailor-nodejs/run.js";

/// The largest source file that is searched for the event of replies, and the most files:
/// a component's own sources are far smaller.
const SOURCE_MAX_BYTES: u64 = 1024 * 1024;
/// The most files that are searched.
const SOURCES_MAX: usize = 500;
/// How deep folders are searched.
const SOURCES_DEPTH: usize = 6;

/// What the operator set for processes of components.
#[derive(Clone, Debug)]
pub struct SailorOptions {
    /// How long a process may be idle before it is ended, in milliseconds.
    pub idle_ms: u64,
    /// How long a process may take to begin to consume, in milliseconds.
    pub start_limit_ms: u64,
    /// How long a step waits before its second process where the first ended badly, in
    /// milliseconds; it doubles.
    pub retry_ms: u64,
    /// This program, by which processes are shut in.
    pub program: PathBuf,
    /// How much they are shut in.
    pub sandbox: Strength,
    /// What of the network they may reach.
    pub network: ComponentNetwork,
    /// The memory of JavaScript in a process, in MiB.
    pub memory_mib: u32,
}

impl Default for SailorOptions {
    fn default() -> Self {
        Self {
            // A flow that gets a message a minute keeps its process.
            idle_ms: 90_000,
            // Ten times what the largest public components take on a busy machine.
            start_limit_ms: 60_000,
            retry_ms: 1_000,
            program: std::env::current_exe().unwrap_or_default(),
            sandbox: Strength::Full,
            network: ComponentNetwork::Https,
            // The platform's default for Node (`runtime.md 4.9`).
            memory_mib: 256,
        }
    }
}

/// Says why a program can't be run, as half a sentence.
pub(super) fn check(program: &Program) -> Result<(), String> {
    let has = |kind: &str| {
        let functions = program.build.descriptor.get(kind);
        functions.and_then(|it| it.get(&program.function)).is_some()
    };
    if !has("triggers") && !has("actions") {
        return Err("its descriptor does not have it".to_owned());
    }
    if !program.build.folder.join("component.json").is_file() {
        return Err("the files of its build are missing: push it again".to_owned());
    }
    if !program.build.folder.join(RUN).is_file() {
        return Err("its build holds no elasticio-sailor-nodejs".to_owned());
    }
    Ok(())
}

/// What a component's own sources mention: nothing in a descriptor says so.
#[derive(Clone, Copy, Default)]
pub(super) struct Mentions {
    /// The event that answers a waiting webhook call.
    pub(super) reply: bool,
    /// The hook that runs when a flow starts.
    pub(super) startup: bool,
}

/// Reads the sources of a component for what they mention.
pub(super) fn mentions(folder: &Path) -> Mentions {
    fn search(folder: &Path, depth: usize, left: &mut usize, found: &mut Mentions) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let (Ok(kind), name) = (entry.file_type(), entry.file_name()) else {
                continue;
            };
            let name = name.to_string_lossy();
            if kind.is_dir() {
                let is_own = name != "node_modules" && !name.starts_with('.');
                if is_own && depth > 0 {
                    search(&entry.path(), depth - 1, left, found);
                }
                continue;
            }
            let is_small = entry
                .metadata()
                .is_ok_and(|it| it.len() <= SOURCE_MAX_BYTES);
            if !kind.is_file() || !name.ends_with("js") || !is_small || *left == 0 {
                continue;
            }
            *left -= 1;
            let text = fs::read(entry.path()).unwrap_or_default();
            let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
            found.reply |= has(b"httpReply");
            found.startup |= has(b"startup");
        }
    }
    let (mut left, mut found) = (SOURCES_MAX, Mentions::default());
    search(folder, SOURCES_DEPTH, &mut left, &mut found);
    found
}
