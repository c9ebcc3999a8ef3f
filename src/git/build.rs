//! A build: from a revision to a tree that runs (`runtime.md 1.5, 6`, `settled.md`).
//!
//! What is pushed is hostile until it is a component: it is read through git, its sizes are
//! bounded, and what npm runs of it runs with a clean environment, in a folder of its own,
//! within bounds. Every refusal leaves nothing behind.

mod bounded;
mod exports;
mod source;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Git;
use super::hook::SKIP_TESTS;
use super::sandbox::{Reach, Room};
use super::stage::{gone_is_fine, make_folder};
use crate::app::component::NewBuild;
use crate::clock::monotonic_ms;
use crate::domain::component::Component;
use crate::domain::component::descriptor::{self, Finding, Level};
use crate::domain::component::release;
use crate::domain::{Error, Kind, Result};
use bounded::{BUILD_MAX_MS, Bounds, Log};
use source::Source;

/// The longest component.json and package.json.
const JSON_MAX_BYTES: u64 = 1024 * 1024;

/// The largest logo: it travels in every descriptor.
const LOGO_MAX_BYTES: u64 = 256 * 1024;

/// How npm says that the lock file does not fit package.json.
const LOCK_MISFIT: &str = "EUSAGE";

/// What is built, and how.
pub(super) struct Order<'a> {
    /// The component.
    pub(super) component: &'a Component,
    /// The revision.
    pub(super) revision: &'a str,
    /// The variables with which git finds objects that are in quarantine.
    pub(super) objects: &'a [(String, OsString)],
    /// Whether `npm test` is left out.
    pub(super) skips_tests: bool,
}

/// What was read of a revision and found sound.
struct Sound {
    descriptor: Value,
    package: Value,
    icon: Option<String>,
    has_lock: bool,
    is_typescript: bool,
}

impl Git {
    /// Builds a revision whose turn it is, and stages the result. An error is the refusal.
    pub(super) fn build(&self, order: &Order<'_>, out: &mut dyn Write) -> Result<()> {
        let id = order.component.id;
        let folder = self.new_of(id);
        let clear = || gone_is_fine(fs::remove_dir_all(&folder)).map_err(Error::internal);
        clear()?;
        make_folder(&folder).map_err(Error::internal)?;
        let built = self.build_in(&folder, order, out);
        let cleared = clear();
        built.and(cleared)
    }

    fn build_in(&self, folder: &Path, order: &Order<'_>, out: &mut dyn Write) -> Result<()> {
        let id = order.component.id;
        let log_path = folder.join("log");
        let mut log = Log::new(out, File::create(&log_path).map_err(Error::internal)?);
        let repository = self.app.repository_path(id)?;
        let source = Source::open(self, repository, order.objects, order.revision)?;
        let previous = self.app.latest_build(id)?;
        let before = previous.as_ref().map(|version| &version.descriptor);
        let sound = read_sound(&source, before, &mut log)?;
        self.app.refuse_too_many_builds(id)?;
        self.require_sandbox()?;
        let tree = folder.join("tree");
        source.check_out(&tree, &folder.join("index"))?;
        let steps = Steps {
            git: self,
            room: Room {
                new: folder.to_owned(),
                cache: self.builds_of(id).join("npm"),
                home: folder.join("home"),
            },
            bounds: Bounds {
                server: self.options.server,
                deadline_ms: monotonic_ms() + BUILD_MAX_MS,
                folder: folder.to_owned(),
            },
            tree,
        };
        for needed in [&steps.room.home, &steps.room.cache] {
            make_folder(needed).map_err(Error::internal)?;
        }
        steps.install(&sound, &mut log)?;
        steps.test(&sound, order.skips_tests, &mut log)?;
        steps.prune(&mut log)?;
        let sailor_version = steps.sailor_version()?;
        steps.check_modules(&sound, &mut log)?;
        let mut descriptor = sound.descriptor;
        descriptor["language"] = json!("nodejs");
        descriptor["sailor_version"] = json!(sailor_version);
        log.line("Build completed successfully")?;
        log.sync()?;
        let build = NewBuild {
            revision: order.revision.to_owned(),
            descriptor,
            icon: sound.icon,
        };
        self.stage(id, &build, &steps.tree, &log_path)
    }
}

/// Reads what a revision says of itself, and refuses it where it can't be a component.
fn read_sound(source: &Source<'_>, previous: Option<&Value>, log: &mut Log<'_>) -> Result<Sound> {
    let descriptor = json_file(source, "component.json")?;
    let package = json_file(source, "package.json")?;
    let is_typescript = source.has("tsconfig.json");
    let findings = descriptor::findings(&descriptor, &|path| source.has(path), is_typescript);
    tell(&findings, log)?;
    let refusal = release::version_refusal(&descriptor, previous);
    if let Some(message) = refusal.or_else(|| release::package_refusal(&package)) {
        return Err(Error::new(Kind::Invalid, message));
    }
    let logo = source.file("logo.png", LOGO_MAX_BYTES)?;
    Ok(Sound {
        has_lock: source.has("package-lock.json") || source.has("npm-shrinkwrap.json"),
        icon: logo.map(|bytes| STANDARD.encode(bytes)),
        is_typescript,
        descriptor,
        package,
    })
}

/// Reads a file of JSON that must be there.
fn json_file(source: &Source<'_>, name: &str) -> Result<Value> {
    let Some(bytes) = source.file(name, JSON_MAX_BYTES)? else {
        return Err(Error::new(Kind::Invalid, format!("{name} is missing")));
    };
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Error::new(Kind::Invalid, format!("{name} is not JSON: {error}")))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Error::new(
            Kind::Invalid,
            format!("{name} must be an object"),
        ))
    }
}

/// Tells what was found; errors refuse.
fn tell(findings: &[Finding], log: &mut Log<'_>) -> Result<()> {
    let mut errors = 0;
    for finding in findings {
        let word = match finding.level {
            Level::Warning => "warning",
            Level::Error => {
                errors += 1;
                "error"
            }
        };
        log.line(&format!("{word}: {}", finding.text))?;
    }
    match errors {
        0 => Ok(()),
        1 => Err(Error::new(Kind::Invalid, "the component has an error")),
        count => Err(Error::new(
            Kind::Invalid,
            format!("the component has {count} errors"),
        )),
    }
}

/// The steps that run programs.
struct Steps<'a> {
    git: &'a Git,
    tree: PathBuf,
    room: Room,
    bounds: Bounds,
}

impl Steps<'_> {
    /// Installs what the component needs, what its tests need included.
    fn install(&self, sound: &Sound, log: &mut Log<'_>) -> Result<()> {
        let options = ["--include=dev", "--no-audit", "--no-fund"];
        if sound.has_lock {
            let mut is_misfit = false;
            let mut command = self.npm("ci");
            command.args(options);
            let mut heard = |line: &str| is_misfit |= line.contains(LOCK_MISFIT);
            if self.run("npm ci", &mut command, log, &mut heard)? {
                return Ok(());
            }
            if !is_misfit {
                return Err(failed("npm ci"));
            }
            log.line("the lock file does not fit package.json: trying npm install")?;
        }
        let mut command = self.npm("install");
        command.args(options);
        self.must("npm install", &mut command, log)
    }

    /// Runs the tests, and compiles where nothing else does: TypeScript components compile
    /// in `posttest` alone (`runtime.md 6`).
    fn test(&self, sound: &Sound, skips_tests: bool, log: &mut Log<'_>) -> Result<()> {
        let has_tests = release::has_tests(&sound.package);
        if has_tests && !skips_tests {
            self.npm_test(log)?;
        } else if has_tests {
            log.line("npm test is left out")?;
        }
        if sound.is_typescript && !self.has_all_modules(sound) {
            let compiler = "node_modules/typescript/bin/tsc";
            if self.tree.join(compiler).is_file() {
                let mut command = self.tool("node");
                command.arg(compiler);
                self.must("tsc", &mut command, log)?;
            }
        }
        for function in descriptor::functions(&sound.descriptor) {
            if self.module_of(&function.main).is_none() {
                let message = format!("{} has a main that no file is", function.place);
                return Err(Error::new(Kind::Invalid, message));
            }
        }
        Ok(())
    }

    /// Removes what only tests need.
    fn prune(&self, log: &mut Log<'_>) -> Result<()> {
        let mut command = self.npm("prune");
        command.args(["--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"]);
        self.must("npm prune", &mut command, log)
    }

    /// Loads the modules and looks at what they export.
    fn check_modules(&self, sound: &Sound, log: &mut Log<'_>) -> Result<()> {
        let mut functions = descriptor::functions(&sound.descriptor);
        for function in &mut functions {
            function.main = self.module_of(&function.main).unwrap_or_default();
        }
        let answer = self.room.home.join("exports.json");
        let mut command = self.tool("node");
        exports::arguments(&mut command, &answer, &functions);
        // Whatever it prints or how it ends: what counts is the answer.
        self.run("node", &mut command, log, &mut |_| {})?;
        tell(&exports::findings(&answer, &functions), log)
    }

    /// Returns the version of the sailor that was installed.
    fn sailor_version(&self) -> Result<String> {
        let path = format!("node_modules/{}/package.json", release::SAILOR);
        let mut text = String::new();
        let read = File::open(self.tree.join(path))
            .and_then(|file| file.take(JSON_MAX_BYTES).read_to_string(&mut text));
        let package: Option<Value> = read.ok().and_then(|_| serde_json::from_str(&text).ok());
        let version = package
            .as_ref()
            .and_then(|package| package["version"].as_str());
        version.map(str::to_owned).ok_or_else(|| {
            let message = format!("{} was not installed", release::SAILOR);
            Error::new(Kind::Invalid, message)
        })
    }

    /// Tells whether every function has its module by now.
    fn has_all_modules(&self, sound: &Sound) -> bool {
        let functions = descriptor::functions(&sound.descriptor);
        functions
            .iter()
            .all(|function| self.module_of(&function.main).is_some())
    }

    /// Returns the file of a module in the tree.
    fn module_of(&self, main: &str) -> Option<String> {
        descriptor::module_file(main, &|path| self.tree.join(path).is_file())
    }

    /// Makes a command of npm.
    fn npm(&self, verb: &str) -> Command {
        let mut command = self.tool("npm");
        command.arg(verb);
        command
    }

    /// Makes a command in the tree, with a home of its own: what npm keeps there is not for
    /// others, but the operator's settings of npm hold.
    fn tool(&self, program: &str) -> Command {
        let mut command = self.git.tool(program);
        if let Some(settings) = self.git.npm_settings() {
            command.env("npm_config_userconfig", settings);
        }
        command
            .env("HOME", &self.room.home)
            .env("TMPDIR", &self.room.home)
            .env("npm_config_cache", &self.room.cache)
            .env("npm_config_update_notifier", "false")
            .env("npm_config_progress", "false")
            .env("NO_COLOR", "1")
            .env("CI", "true")
            .current_dir(&self.tree);
        command
    }

    /// Runs the tests of the component. Some want more network than a build has, so the
    /// refusal says how such are left out.
    fn npm_test(&self, log: &mut Log<'_>) -> Result<()> {
        let mut command = self.npm("test");
        if self.run_within("npm test", &mut command, Reach::Itself, log, &mut |_| {})? {
            return Ok(());
        }
        let message = format!(
            "npm test failed; tests reach what they serve themselves and no other network, \
             so where they want more: git push -o {SKIP_TESTS}"
        );
        Err(Error::new(Kind::Invalid, message))
    }

    /// Runs a command that must go well.
    fn must(&self, name: &str, command: &mut Command, log: &mut Log<'_>) -> Result<()> {
        if self.run(name, command, log, &mut |_| {})? {
            Ok(())
        } else {
            Err(failed(name))
        }
    }

    /// Runs a command within the bounds of the build.
    fn run(
        &self,
        name: &str,
        command: &mut Command,
        log: &mut Log<'_>,
        heard: &mut dyn FnMut(&str),
    ) -> Result<bool> {
        self.run_within(name, command, Reach::Registry, log, heard)
    }

    /// Runs a command within the bounds of the build and this network.
    fn run_within(
        &self,
        name: &str,
        command: &mut Command,
        reach: Reach,
        log: &mut Log<'_>,
        heard: &mut dyn FnMut(&str),
    ) -> Result<bool> {
        log.line(&format!("-- {name}"))?;
        let mut command = self.git.shut_in(command, &self.room, reach)?;
        self.bounds.run(name, &mut command, log, heard)
    }
}

/// Returns the refusal for a command that did not go well.
fn failed(name: &str) -> Error {
    Error::new(Kind::Invalid, format!("{name} failed"))
}
