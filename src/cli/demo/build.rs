//! The demo database out of its sources, through the same verbs as everything else.
//!
//! Clock and randomness are fixed, so the same sources give the same content.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::database::operator;
use super::super::error::CliError;
use super::folder::PrivateFolder;
use super::source::{self, DemoUser, UserRole};
use super::{KEY_FILE, history, write_private};
use crate::app::maintenance::back_up;
use crate::app::user::Role;
use crate::app::{App, AppOptions, PAGE_MAX, Random, SecretText};
use crate::clock::Clock;
use crate::domain::flow::Flow;
use crate::domain::principal::{Channel, Origin, Principal};
use crate::domain::recipe::RecipeId;
use crate::domain::user::{NewUser, User, UserState};
use crate::domain::{Error, Result};

/// When the demo begins: 2026-03-02 09:00 UTC, in milliseconds since 1970.
const START_MS: i64 = 1_772_442_000_000;

/// The time between two acts: ids and times then tell them apart.
const STEP_MS: i64 = 7 * 60 * 1_000;

/// When the hour begins that there are runs of: after all acts.
const HISTORY_MS: i64 = START_MS + 190 * 60 * 1_000;

/// Where the randomness begins; any number would do.
const SEED: u64 = 1_815;

/// What the key of a demo user is called.
const KEY_NAME: &str = "demo";

/// Builds the database and writes it to `target`, in the place of what is there.
pub(super) fn build(target: &Path) -> std::result::Result<(), CliError> {
    let folder = PrivateFolder::create()?;
    let clock = Clock::fixed(START_MS);
    let options = AppOptions {
        clock: clock.clone(),
        random: Random::seeded(SEED),
        ..AppOptions::new(folder.path().join("elastane.db"))
    };
    write_private(&options.key_path(), KEY_FILE)?;
    let app = App::init(&options)?;
    let built = Builder { app: &app, clock }.fill();
    app.close();
    built?;
    for folder in back_up(&options, target, true)? {
        // Nobody pushed anything, and the repositories are made again where they are
        // missing: the demo is one file.
        fs::remove_dir_all(&folder).map_err(Error::internal)?;
    }
    // It holds nothing secret, and a repository can't keep a narrower mode.
    fs::set_permissions(target, fs::Permissions::from_mode(0o644))?;
    Ok(())
}

/// Fills a new installation.
struct Builder<'a> {
    app: &'a App,
    clock: Clock,
}

impl Builder<'_> {
    /// Does everything that the sources say, in their order.
    fn fill(&self) -> Result<()> {
        let sources = source::users()?;
        let mut users = BTreeMap::new();
        for source in &sources {
            users.insert(source.email.clone(), self.add_user(source)?);
        }
        self.add_teams(&users)?;
        for key in source::ssh_keys()? {
            self.step();
            let user = known(&users, &key.user)?.id;
            self.app
                .add_ssh_key(&operator(), user, Some(&key.title), &key.key)?;
        }
        let flows = self.add_tasks(&users)?;
        for source in sources {
            if source.state == source::UserState::Disabled {
                self.step();
                let user = known(&users, &source.email)?.id;
                self.app
                    .set_user_state(&operator(), user, UserState::Disabled)?;
            }
        }
        history::write(self.app, &self.clock, &flows, HISTORY_MS)
    }

    /// Lets time pass.
    fn step(&self) {
        self.clock.advance(STEP_MS);
    }

    /// Registers a user, with the key of the source in the place of the first one.
    fn add_user(&self, source: &DemoUser) -> Result<User> {
        self.step();
        let new = NewUser::parse(
            Some(&source.email),
            Some(&source.first_name),
            Some(&source.last_name),
            source.company.as_deref(),
        )?;
        let role = match source.role {
            UserRole::Admin => Role::TenantAdmin,
            UserRole::Member => Role::Member,
        };
        let password = SecretText::new(source.password.as_str());
        let user = self
            .app
            .register_user(&operator(), new, &password, role)?
            .user;
        let first = self.app.api_keys_of(&operator(), user.id, None, PAGE_MAX)?;
        let secret = SecretText::new(source.api_key.as_str());
        self.app
            .take_over_api_key(&operator(), user.id, KEY_NAME, &secret)?;
        for key in first {
            self.app.revoke_api_key(&operator(), key.id)?;
        }
        Ok(user)
    }

    /// Makes the teams with their repositories and variables.
    fn add_teams(&self, users: &BTreeMap<String, User>) -> Result<()> {
        for team in source::teams()? {
            self.step();
            let owner = known(users, &team.owner)?;
            let who = signed_in(owner);
            let made = self
                .app
                .create_team(&operator(), owner.id, Some(&team.name))?;
            for repository in team.repositories {
                self.step();
                let name = Some(repository.name.as_str());
                let component = self.app.create_component(&who, Some(made.id), name)?;
                if !repository.env.is_empty() {
                    let variables = repository.env.into_iter();
                    let change = variables.map(|(name, value)| (name, Some(value))).collect();
                    self.app.merge_env_vars(&who, component.id, change)?;
                }
            }
        }
        Ok(())
    }

    /// Activates the recipes and starts the tasks that run; returns all tasks.
    fn add_tasks(&self, users: &BTreeMap<String, User>) -> Result<Vec<Flow>> {
        let mut all = Vec::new();
        for tasks in source::tasks()? {
            self.step();
            let who = signed_in(known(users, &tasks.user)?);
            let recipe =
                RecipeId::parse(&tasks.recipe).ok_or_else(|| Error::not_found("recipe"))?;
            let flows = self.app.activate_recipe(&who, &recipe, tasks.accounts)?;
            for title in &tasks.active {
                self.step();
                let flow = flows
                    .iter()
                    .find(|flow| flow.name == *title)
                    .ok_or_else(|| Error::not_found("task"))?;
                self.app.start_flow(&who, flow.id)?;
            }
            all.extend(flows);
        }
        Ok(all)
    }
}

/// Returns the user with this address.
fn known<'a>(users: &'a BTreeMap<String, User>, email: &str) -> Result<&'a User> {
    users.get(email).ok_or_else(|| Error::not_found("user"))
}

/// Acts as a user would over the API.
fn signed_in(user: &User) -> Principal {
    Principal::user(user.clone(), Origin::local(Channel::Api))
}
