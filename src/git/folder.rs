//! A folder without git, pushed at the machine itself: it becomes a commit on `master`, and
//! everything else is as with any other push.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::Git;
use super::build::Order;
use super::hook::{MASTER, NO_REVISION};
use super::stage::gone_is_fine;
use super::tool::output_of;
use crate::domain::component::{Component, ComponentVersion};
use crate::domain::principal::Principal;
use crate::domain::{Error, Kind, Result};

/// What of a folder never becomes part of a commit: the build makes its own.
const LEFT_OUT: &str = ":(exclude,glob)**/node_modules/**";

impl Git {
    /// Builds a folder as a component's next version. What its `.gitignore` names is left
    /// out. A folder without a change since the newest build is a conflict.
    pub fn push_folder(
        &self,
        who: &Principal,
        component: &Component,
        folder: &Path,
        skips_tests: bool,
        out: &mut dyn Write,
    ) -> Result<ComponentVersion> {
        if !folder.is_dir() {
            let message = format!("{} is no folder", folder.display());
            return Err(Error::new(Kind::NotFound, message));
        }
        let id = component.id;
        let _turn = self.wait_for_turn(id, out)?;
        self.publish_heads(who, id)?;
        let old = self.revision_of(id, MASTER)?;
        let revision = self.commit_folder(component, folder, &old)?;
        let order = Order {
            component,
            revision: &revision,
            objects: &[],
            skips_tests,
        };
        self.build(&order, out)?;
        let mut command = self.git();
        command
            .args(["update-ref", MASTER, &revision, &old])
            .current_dir(self.app.repository_path(id)?);
        output_of(&mut command)?;
        self.publish(who, id, &revision)?
            .ok_or_else(|| Error::internal("a staged build is not there"))
    }

    /// Writes a folder as a commit after `old` and returns its revision.
    fn commit_folder(&self, component: &Component, folder: &Path, old: &str) -> Result<String> {
        let folder = fs::canonicalize(folder).map_err(Error::internal)?;
        let repository = self.app.repository_path(component.id)?;
        let index = self.builds_of(component.id).join("index.new");
        gone_is_fine(fs::remove_file(&index)).map_err(Error::internal)?;
        let run = |words: &[&str]| {
            let mut command = self.git();
            as_nobody(&mut command);
            command
                .args(words)
                .env("GIT_DIR", &repository)
                .env("GIT_WORK_TREE", &folder)
                .env("GIT_INDEX_FILE", &index)
                .current_dir(&folder);
            output_of(&mut command).map(|printed| printed.trim().to_owned())
        };
        run(&["add", "--all", "--", ".", LEFT_OUT])?;
        let tree = run(&["write-tree"])?;
        gone_is_fine(fs::remove_file(&index)).map_err(Error::internal)?;
        let message = format!("Push a folder to {}/{}", component.team, component.slug);
        if old == NO_REVISION {
            return run(&["commit-tree", &tree, "-m", &message]);
        }
        let before = run(&["rev-parse", &format!("{old}^{{tree}}")])?;
        if before == tree {
            let message = "nothing in the folder changed since the last push";
            return Err(Error::new(Kind::Conflict, message));
        }
        run(&["commit-tree", &tree, "-p", old, "-m", &message])
    }
}

/// Lets a commit be this program's: the person at the machine need not have told git a name.
fn as_nobody(command: &mut Command) {
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "elastane")
            .env(format!("GIT_{role}_EMAIL"), "elastane@localhost");
    }
}
