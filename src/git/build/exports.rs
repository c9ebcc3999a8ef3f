//! Whether the modules of a component export what the descriptor promises: only Node knows.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::domain::component::descriptor::{Finding, Function, Level};

/// The program that loads modules: the file for its answer comes first, then the modules.
/// Each is loaded on its own, so one that fails hides no other.
const PROGRAM: &str = "\
const fs = require('fs'), path = require('path');
const [answer, ...files] = process.argv.slice(1);
const found = {};
for (const file of files) {
  try {
    const loaded = require(path.resolve(file));
    const names = [];
    for (const name in Object(loaded)) {
      if (typeof loaded[name] === 'function') names.push(name);
    }
    found[file] = { names };
  } catch (error) {
    found[file] = { fault: String((error && error.message) || error).slice(0, 500) };
  }
}
fs.writeFileSync(answer, JSON.stringify(found));
process.exit(0);
";

/// The longest answer: a few names a module.
const ANSWER_MAX_BYTES: u64 = 1024 * 1024;

/// Gives a command of Node its arguments: the modules of these functions are loaded.
pub(super) fn arguments(command: &mut Command, answer: &Path, functions: &[Function]) {
    command.arg("-e").arg(PROGRAM).arg("--").arg(answer);
    command.args(functions.iter().map(|function| &function.main));
}

/// Returns what is wrong with the functions, as far as Node could tell.
///
/// A module that can't be loaded is a warning: it may want variables that only a running
/// component has. One that is loaded and lacks a function is an error.
pub(super) fn findings(answer: &Path, functions: &[Function]) -> Vec<Finding> {
    let found = read(answer).unwrap_or(Value::Null);
    let mut findings = Vec::new();
    for function in functions {
        let place = &function.place;
        let mut add = |level, what: String| {
            let text = format!("{place} {what}");
            findings.push(Finding { level, text });
        };
        let module = &found[&function.main];
        let Some(names) = module["names"].as_array() else {
            let fault = module["fault"].as_str().unwrap_or("it did not answer");
            add(Level::Warning, format!("could not be loaded: {fault}"));
            continue;
        };
        for wanted in &function.exports {
            if !names.iter().any(|name| name == wanted.as_str()) {
                let main = &function.main;
                add(
                    Level::Error,
                    format!("needs {wanted}, which {main} does not export"),
                );
            }
        }
    }
    findings
}

/// Reads the answer, of which nothing is believed but its form.
fn read(answer: &Path) -> Option<Value> {
    let mut bytes = Vec::new();
    let file = File::open(answer).ok()?;
    file.take(ANSWER_MAX_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
