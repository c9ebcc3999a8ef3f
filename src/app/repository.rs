//! Repositories as git sees them: who may clone and push, by which name, and where the
//! files are (`runtime.md 6`, `v1.md 2.5`).
//!
//! Every door, HTTP and SSH, asks [`App::repository_for_git`] and nothing else.

pub(in crate::app) mod folder;

pub(super) use folder::Folders;

use std::path::{Path, PathBuf};

use super::component::{edits_for, is_insider};
use super::{App, PAGE_MAX};
use crate::domain::audit::ObjectKind;
use crate::domain::component::Component;
use crate::domain::id::{ApiKeyId, ComponentId, SshKeyId, UserId};
use crate::domain::organization::Scope;
use crate::domain::principal::{Origin, Principal, unauthenticated};
use crate::domain::slug::Slug;
use crate::domain::ssh_key::SshKey;
use crate::domain::user::UserState;
use crate::domain::{Error, Kind, Result};

/// The most teams that a refusal names, where a name is in several.
const TEAMS_NAMED_MAX: u32 = 10;

/// What somebody wants of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitRight {
    /// To read it: clone and fetch. The platform refuses this; we help.
    Clone,
    /// To write to it.
    Push,
}

/// The key that somebody came with who pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushKey {
    /// Over SSH.
    Ssh(SshKeyId),
    /// Over HTTP.
    Api(ApiKeyId),
}

impl App {
    /// Returns the repository that git calls `team/repository`, where `who` has the right.
    ///
    /// Who sees the team's components clones; who edits them pushes, so a guest of its
    /// organization does not. For everybody else it is not there, shared or not: sharing a
    /// component shows no source. A built-in component has no repository.
    pub fn repository_for_git(
        &self,
        who: &Principal,
        team: &str,
        repository: &str,
        right: GitRight,
    ) -> Result<Component> {
        let missing = || Error::not_found("repository");
        let team = Slug::parse(team).ok_or_else(missing)?;
        let slug = Slug::parse(repository).ok_or_else(missing)?;
        let (component, may_push) = self.read(|read| {
            let component = read.component_by_slug(&team, &slug)?.ok_or_else(missing)?;
            if component.is_builtin || !is_insider(read, who, &component)? {
                return Err(missing());
            }
            let may_push = edits_for(read, who, component.team_id)?;
            Ok((component, may_push))
        })?;
        if right == GitRight::Push && !may_push {
            return Err(Error::forbidden(
                "you may clone this repository and not push to it",
            ));
        }
        Ok(component)
    }

    /// Returns the repository called `repository` of the one team of `who` that has it;
    /// where several have it, the refusal names them.
    pub fn repository_called(&self, who: &Principal, repository: &str) -> Result<Component> {
        let user = who.require_user()?.id;
        let missing = || Error::not_found("repository");
        let slug = Slug::parse(repository).ok_or_else(missing)?;
        let mut found = self.read(|read| read.components_called(user, &slug, TEAMS_NAMED_MAX))?;
        match found.len() {
            0 | 1 => found.pop().ok_or_else(missing),
            _ => {
                let names: Vec<String> = found
                    .iter()
                    .map(|one| format!("{}/{}", one.team, one.slug))
                    .collect();
                let message = format!("several teams have it, name one: {}", names.join(", "));
                Err(Error::new(Kind::Conflict, message))
            }
        }
    }

    /// Signs in whoever holds this SSH key, which the SSH server proved.
    pub fn sign_in_by_ssh_key(&self, key: SshKeyId, origin: Origin) -> Result<Principal> {
        let (user, memberships) = self.read(|read| {
            let key = read.ssh_key(key)?.ok_or_else(unauthenticated)?;
            let user = read.user(key.user_id)?.ok_or_else(unauthenticated)?;
            Ok((user, read.memberships_of(key.user_id)?))
        })?;
        if user.state != UserState::Active {
            return Err(unauthenticated());
        }
        let now_ms = self.now_ms();
        self.inner
            .store
            .write(move |write| write.touch_ssh_key(key, now_ms))?;
        Ok(Principal::user(user, origin).in_scope(Scope::decide(None, &memberships)))
    }

    /// Returns up to `limit` keys that sign in, after `after`, by id; for the server alone.
    pub fn keys_that_sign_in(&self, after: Option<SshKeyId>, limit: u32) -> Result<Vec<SshKey>> {
        self.read(|read| read.keys_that_sign_in(after, limit.min(PAGE_MAX)))
    }

    /// Returns the key with this fingerprint where it signs in.
    pub fn key_that_signs_in(&self, fingerprint: &str) -> Result<Option<SshKey>> {
        self.read(|read| {
            let Some(key) = read.ssh_key_of_fingerprint(fingerprint)? else {
                return Ok(None);
            };
            let user = read.user(key.user_id)?;
            Ok(user
                .filter(|user| user.state == UserState::Active)
                .map(|_| key))
        })
    }

    /// Returns a user that may sign in, as the one who pushes: for the hook that git runs,
    /// whose door signed the user in. `key` is what the user came with, which must still be
    /// the user's.
    pub fn pusher(&self, user: UserId, key: Option<PushKey>, origin: Origin) -> Result<Principal> {
        let now_ms = self.now_ms();
        let (user, memberships) = self.read(|read| {
            let removed = match key {
                Some(PushKey::Ssh(key)) => {
                    let found = read.ssh_key(key)?.filter(|key| key.user_id == user);
                    found.is_none().then_some("your SSH key was removed")
                }
                Some(PushKey::Api(key)) => {
                    let found = read.api_key(key)?.filter(|key| {
                        let is_valid = key.expires_at_ms.is_none_or(|at| at > now_ms);
                        key.user_id == user && is_valid
                    });
                    found.is_none().then_some("your API key was revoked")
                }
                None => None,
            };
            if let Some(message) = removed {
                return Err(Error::new(Kind::Unauthenticated, message));
            }
            let found = read.user(user)?.ok_or_else(unauthenticated)?;
            Ok((found, read.memberships_of(user)?))
        })?;
        if user.state != UserState::Active {
            return Err(unauthenticated());
        }
        Ok(Principal::user(user, origin).in_scope(Scope::decide(None, &memberships)))
    }

    /// Returns the folder of a repository, which is made where there is none yet.
    pub fn repository_path(&self, id: ComponentId) -> Result<PathBuf> {
        self.inner
            .folders
            .make_repository(id)
            .map_err(Error::internal)
    }

    /// Returns the folder of all repositories; it may be missing.
    pub fn repositories_path(&self) -> &Path {
        self.inner.folders.repositories()
    }

    /// Returns the folder of all builds; it may be missing.
    pub fn builds_path(&self) -> &Path {
        self.inner.folders.builds()
    }

    /// Returns the folder with the tree of a build: `component.json`, the sources and
    /// `node_modules`, never changed after the build. A revision is hex digits, which the
    /// caller has from a row.
    pub fn build_path(&self, id: ComponentId, revision: &str) -> PathBuf {
        self.inner.folders.builds_of(id).join(revision)
    }

    /// Removes the files of a build that never became a version.
    pub fn remove_build_files(&self, id: ComponentId, revision: &str) -> Result<()> {
        let removed = self.inner.folders.remove_build(id, revision);
        removed.map_err(Error::internal)
    }

    /// Removes the files of deleted components that their deletion could not remove.
    ///
    /// A component that is only unknown keeps them: after an older backup was put back,
    /// they are the one copy of somebody's work.
    pub fn sweep_repositories(&self) -> Result<()> {
        for id in self.inner.folders.ids().map_err(Error::internal)? {
            let is_deleted = self.read(|read| {
                Ok(read.component(id)?.is_none()
                    && read.was_deleted(ObjectKind::Component, &id.to_string())?)
            })?;
            if is_deleted {
                self.inner.folders.remove(id).map_err(Error::internal)?;
            }
        }
        Ok(())
    }
}
