//! What git asks us about a push: before the refs move, and after.
//!
//! Git runs this program as its hooks. The new objects are in quarantine until
//! `pre-receive` says yes; what it prints reaches the pusher as `remote:` lines.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, Write};
use std::net::IpAddr;
use std::path::Path;

use super::Git;
use super::build::Order;
use super::tool::output_of;
use crate::app::repository::{GitRight, PushKey};
use crate::domain::component::Component;
use crate::domain::id::{ComponentId, UserId};
use crate::domain::principal::{Channel, Origin, Principal};
use crate::domain::{Error, Kind, Result};

/// The branches whose pushes build (`runtime.md 6`).
pub(super) const BUILT: [&str; 2] = [MASTER, "refs/heads/main"];

/// The branch that the platform knows.
pub(super) const MASTER: &str = "refs/heads/master";

/// The most refs of one push, and of a repository: each is a file, and each clone asks for
/// all of them.
const REFS_MAX: usize = 1_000;

/// The largest repository, in bytes on the disk: twenty of the largest pushes.
const REPOSITORY_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// What stands for the revision of a ref that is not there.
pub(super) const NO_REVISION: &str = "0000000000000000000000000000000000000000";

/// The longest line that git writes: two revisions and the name of a ref.
const LINE_MAX_BYTES: usize = 8 * 1024;

/// A push, as the door that let it in and git tell of it.
#[derive(Clone, Debug)]
pub struct Push {
    /// Who pushes.
    pub user: UserId,
    /// To which repository.
    pub component: ComponentId,
    /// The key that the user came with; none with a password.
    pub key: Option<PushKey>,
    /// The network address that the user came from.
    pub address: Option<IpAddr>,
    /// The options of the push (`git push -o`).
    pub options: Vec<String>,
    /// The variables with which git finds objects that are in quarantine.
    pub objects: Vec<(String, OsString)>,
}

/// A ref that a push wants to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    /// The revision that the pusher saw; zeros where there was none.
    pub(super) old: String,
    /// The revision that it shall have; zeros delete it.
    pub(super) new: String,
    /// The full name.
    pub(super) name: String,
}

impl Update {
    /// Tells whether the ref is to be deleted.
    pub(super) fn is_deletion(&self) -> bool {
        self.new.bytes().all(|digit| digit == b'0')
    }

    /// Tells whether the pusher saw no such ref.
    fn is_new(&self) -> bool {
        self.old.bytes().all(|digit| digit == b'0')
    }

    /// Tells whether the push of this ref builds.
    pub(super) fn builds(&self) -> bool {
        BUILT.contains(&self.name.as_str()) && !self.is_deletion()
    }
}

impl Git {
    /// Decides a push before anything of it is true; an error refuses all of it.
    pub fn pre_receive(
        &self,
        push: &Push,
        updates: &mut dyn BufRead,
        out: &mut dyn Write,
    ) -> Result<()> {
        let (who, component) = self.let_in(push)?;
        let updates = read_updates(updates)?;
        for option in &push.options {
            if option != SKIP_TESTS {
                say(
                    out,
                    &format!("warning: the push option {option:?} is not known"),
                )?;
            }
        }
        self.refuse_too_large(&component, &updates)?;
        for update in updates.iter().filter(|update| !update.builds()) {
            if let Some(branch) = update.name.strip_prefix("refs/heads/")
                && !update.is_deletion()
            {
                say(
                    out,
                    &format!("{branch} is stored; only master and main are built"),
                )?;
            }
        }
        for update in updates.iter().filter(|update| update.builds()) {
            self.build_pushed(&who, &component, push, update, out)?;
        }
        // A build takes minutes, in which the key may have been revoked, the user have left
        // the team, or the server have died.
        self.let_in(push)?;
        self.require_server()
    }

    /// Builds what a branch shall be, where that is no build already.
    fn build_pushed(
        &self,
        who: &Principal,
        component: &Component,
        push: &Push,
        update: &Update,
        out: &mut dyn Write,
    ) -> Result<()> {
        let (id, revision) = (component.id, update.new.as_str());
        let turn = self.wait_for_turn(id, out)?;
        // Another push may have ended while this one waited, or ended without its last step.
        self.publish_heads(who, id)?;
        if self.revision_of(id, &update.name)? != update.old {
            let message = "the branch moved meanwhile: fetch it and push again";
            return Err(Error::new(Kind::Conflict, message));
        }
        if self.app.has_build(id, revision)? || self.is_staged(id, revision) {
            return say(out, "this revision is built already");
        }
        let order = Order {
            component,
            revision,
            objects: &push.objects,
            skips_tests: push.options.iter().any(|option| option == SKIP_TESTS),
        };
        let built = self.build(&order, out);
        drop(turn);
        built
    }

    /// Returns the revision of a ref, zeros where there is none.
    pub(super) fn revision_of(&self, id: ComponentId, name: &str) -> Result<String> {
        let mut command = self.git();
        command
            .args(["for-each-ref", "--format=%(objectname)", name])
            .current_dir(self.app.repository_path(id)?);
        let printed = output_of(&mut command)?;
        Ok(match printed.trim() {
            "" => NO_REVISION.to_owned(),
            found => found.to_owned(),
        })
    }

    /// Hears that refs moved.
    pub fn post_receive(
        &self,
        push: &Push,
        updates: &mut dyn BufRead,
        out: &mut dyn Write,
    ) -> Result<()> {
        let (who, component) = self.let_in(push)?;
        let updates = read_updates(updates)?;
        for update in updates.iter().filter(|update| update.builds()) {
            if let Some(version) = self.publish(&who, component.id, &update.new)? {
                let (team, slug, number) = (&component.team, &component.slug, version.number);
                say(out, &format!("version {number} of {team}/{slug} is there"))?;
            }
        }
        self.point_head(push.component, &updates)
    }

    /// Returns a repository that `who` may push to.
    pub fn repository_to_push(
        &self,
        who: &Principal,
        team: &str,
        repository: &str,
    ) -> Result<Component> {
        self.app
            .repository_for_git(who, team, repository, GitRight::Push)
    }

    /// Returns who pushes and to what, asked anew: the door's answer may be old by now.
    fn let_in(&self, push: &Push) -> Result<(Principal, Component)> {
        if let Some(message) = self.app.maintenance()? {
            return Err(Error::new(Kind::Unavailable, message));
        }
        let origin = Origin {
            channel: match push.key {
                Some(PushKey::Ssh(_)) => Channel::Ssh,
                Some(PushKey::Api(_)) | None => Channel::Api,
            },
            address: push.address,
            request_id: None,
        };
        let who = self.app.pusher(push.user, push.key, origin)?;
        let component = self.app.repository(&who, push.component)?;
        let (team, slug) = (component.team.as_str(), component.slug.as_str());
        let component = self.repository_to_push(&who, team, slug)?;
        Ok((who, component))
    }

    /// Refuses a push after which the repository would be larger than one may be.
    fn refuse_too_large(&self, component: &Component, updates: &[Update]) -> Result<()> {
        if updates.iter().all(Update::is_deletion) {
            return Ok(());
        }
        let path = self.app.repository_path(component.id)?;
        // The quarantine lies inside the repository, so this counts what comes, too.
        if bytes_of(&path) > REPOSITORY_MAX_BYTES {
            let message = format!("a repository has at most {REPOSITORY_MAX_BYTES} bytes");
            return Err(Error::new(Kind::TooLarge, message));
        }
        let mut command = self.git();
        command
            .args(["for-each-ref", "--format=%(refname)"])
            .current_dir(path);
        let there = output_of(&mut command)?;
        let new = updates.iter().filter(|update| update.is_new()).count();
        if new > 0 && there.lines().count() + new > REFS_MAX {
            let message = format!("a repository has at most {REFS_MAX} branches and tags");
            return Err(Error::new(Kind::TooLarge, message));
        }
        Ok(())
    }

    /// Lets `HEAD` name the branch that is there, so that a clone checks something out.
    fn point_head(&self, component: ComponentId, updates: &[Update]) -> Result<()> {
        let path = self.app.repository_path(component)?;
        let head = fs::read_to_string(path.join("HEAD")).map_err(Error::internal)?;
        let exists = |name: &str| -> Result<bool> {
            let mut command = self.git();
            command
                .args(["rev-parse", "--quiet", "--verify", name])
                .current_dir(&path);
            Ok(command.output().map_err(Error::internal)?.status.success())
        };
        let named = head
            .trim()
            .strip_prefix("ref: ")
            .unwrap_or_default()
            .to_owned();
        if exists(&named)? {
            return Ok(());
        }
        if let Some(update) = updates.iter().find(|update| update.builds()) {
            let mut command = self.git();
            command
                .args(["symbolic-ref", "HEAD", &update.name])
                .current_dir(&path);
            output_of(&mut command)?;
        }
        Ok(())
    }
}

/// The option of a push that leaves tests out (`settled.md`).
pub(super) const SKIP_TESTS: &str = "skip-tests";

/// Prints a line to the pusher.
pub(super) fn say(out: &mut dyn Write, text: &str) -> Result<()> {
    writeln!(out, "{text}").map_err(|error| {
        // Nobody listens any more, so nobody wants the push.
        Error::new(Kind::Unavailable, "the pusher is gone").caused_by(error)
    })
}

/// Reads the lines that git gives to its hooks: old revision, new revision, ref.
fn read_updates(lines: &mut dyn BufRead) -> Result<Vec<Update>> {
    let mut found = Vec::new();
    for line in lines.lines() {
        let line = line.map_err(Error::internal)?;
        if line.len() > LINE_MAX_BYTES || found.len() >= REFS_MAX {
            let message = format!("a push has at most {REFS_MAX} branches and tags");
            return Err(Error::new(Kind::TooLarge, message));
        }
        let mut words = line.splitn(3, ' ');
        let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) else {
            return Err(Error::internal("git gave its hook a line of another form"));
        };
        found.push(Update {
            old: revision(old)?,
            new: revision(new)?,
            name: name.to_owned(),
        });
    }
    Ok(found)
}

/// Takes a revision: 40 hex digits, or 64 of the newer hash.
fn revision(text: &str) -> Result<String> {
    let is_one = matches!(text.len(), 40 | 64)
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_one {
        Ok(text.to_owned())
    } else {
        Err(Error::internal(
            "git gave its hook something that is no revision",
        ))
    }
}

/// Returns the bytes of the files in a folder, as far as it can be read.
pub(super) fn bytes_of(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_of(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0000000000000000000000000000000000000000";
    const NEW: &str = "8f2a11d3a0a84cea84d2d26052c8b7887a00b1ec";

    fn read(text: &str) -> Result<Vec<Update>> {
        read_updates(&mut text.as_bytes())
    }

    #[test]
    fn lines_of_git_are_read_and_others_refused() {
        let found = read(&format!(
            "{OLD} {NEW} refs/heads/main\n{NEW} {OLD} refs/heads/a b\n"
        ));
        let found = found.unwrap();
        assert!(found[0].builds() && !found[0].is_deletion());
        assert!(found[1].is_deletion() && !found[1].builds());
        assert_eq!(found[1].name, "refs/heads/a b");
        for text in [
            "x",
            &format!("{OLD} ../etc refs/heads/main"),
            &format!("{OLD} {NEW}"),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_two_branches_build() {
        for (name, builds) in [
            ("refs/heads/master", true),
            ("refs/heads/main", true),
            ("refs/heads/mains", false),
            ("refs/tags/main", false),
        ] {
            let update = Update {
                old: OLD.to_owned(),
                new: NEW.to_owned(),
                name: name.to_owned(),
            };
            assert_eq!(update.builds(), builds, "{name}");
        }
    }
}
