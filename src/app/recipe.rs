//! Verbs about recipes (`v1.md 2.2`, `settled.md`).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::credential::{NewCredential, check_credential_count};
use super::flow::{check_flow_count, require_operator, usable_descriptor};
use super::user::require_admin;
use super::{Act, App, component, missing};
use crate::domain::audit::{NewAuditEntry, ObjectKind};
use crate::domain::flow::options::FlowOptions;
use crate::domain::flow::{Cron, Flow, FlowType, NewFlow};
use crate::domain::id::{CredentialId, UserId};
use crate::domain::principal::Principal;
use crate::domain::recipe::accounts::{self, GivenAccount, NeededAccount};
use crate::domain::recipe::folder::{self, FolderFiles};
use crate::domain::recipe::{Declared, Recipe, RecipeId, RecipeOrigin, RecipeTitle};
use crate::domain::tombstone::{SeenBy, Tombstone};
use crate::domain::{Error, Kind, Result};
use crate::store::Read;

/// The most recipes of an installation: forty times what was ever published, and a
/// list of v1, which has no pages, that stays an answer.
pub const RECIPES_MAX: u32 = 1_000;

/// A recipe that is embedded in the binary.
struct Bundled {
    folder: &'static str,
    recipe: &'static str,
    title: &'static str,
    description: &'static str,
    accounts: &'static str,
}

/// Embeds a folder of `assets/recipes`.
macro_rules! bundled {
    ($folder:literal) => {
        Bundled {
            folder: $folder,
            recipe: include_str!(concat!("../../assets/recipes/", $folder, "/recipe.json")),
            title: include_str!(concat!("../../assets/recipes/", $folder, "/title.txt")),
            description: include_str!(concat!("../../assets/recipes/", $folder, "/description.md")),
            accounts: include_str!(concat!("../../assets/recipes/", $folder, "/accounts.json")),
        }
    };
}

/// The embedded recipes.
const BUNDLED: [Bundled; 4] = [
    bundled!("53d61965a6b9e9183f000001"),
    bundled!("scheduled_csv_import"),
    bundled!("timer_heartbeat"),
    bundled!("webhook_to_http"),
];

impl App {
    /// Returns the titles of all recipes, by id; for anyone signed in.
    pub fn recipes(&self, who: &Principal) -> Result<Vec<RecipeTitle>> {
        require_known(who)?;
        self.read(|read| read.recipe_titles(None, RECIPES_MAX))
    }

    /// Returns a recipe with its accounts, derived where it names none; for anyone
    /// signed in.
    pub fn recipe(&self, who: &Principal, id: &RecipeId) -> Result<Recipe> {
        require_known(who)?;
        self.read(|read| {
            let mut recipe = find(read, who, id)?;
            let needed = accounts_of(read, who, &recipe)?;
            let entries = needed.into_iter().map(|it| (it.name, it.entry));
            recipe.accounts = Some(entries.collect());
            Ok(recipe)
        })
    }

    /// Activates a recipe for the caller: one credential for each entry of `given`, one
    /// inactive flow for each flow of the recipe, all or nothing. Returns the flows.
    ///
    /// A missing component is no error here: the start of the flow names it. The
    /// credential of an account goes on all steps that need it. A step that is pinned
    /// to a build which its built-in component does not have runs the newest: recipes
    /// pin builds of the platform that they come from.
    pub fn activate_recipe(
        &self,
        who: &Principal,
        id: &RecipeId,
        given: Map<String, Value>,
    ) -> Result<Vec<Flow>> {
        let user = who.require_writer()?.id;
        self.activate(who, user, id, given)
    }

    /// Activates a recipe for a user, for the operator; otherwise as
    /// [`App::activate_recipe`] does.
    pub fn activate_recipe_for(
        &self,
        who: &Principal,
        user: UserId,
        id: &RecipeId,
        given: Map<String, Value>,
    ) -> Result<Vec<Flow>> {
        require_operator(who)?;
        self.activate(who, user, id, given)
    }

    /// Activates a recipe; the caller checked that `who` may do so for `user`.
    fn activate(
        &self,
        who: &Principal,
        user: UserId,
        id: &RecipeId,
        given: Map<String, Value>,
    ) -> Result<Vec<Flow>> {
        self.read(|read| check_flow_count(read, user, folder::FLOWS_MAX))?;
        let (app, id) = (self.clone(), id.clone());
        self.act(who, move |act| {
            let recipe = find(act, act.who, &id)?;
            let needed = accounts_of(act, act.who, &recipe)?;
            let given = accounts::under_their_names(&needed, &given);
            let given = accounts::check(&needed, &given)?;
            check_credential_count(act, user, given.len())?;
            let made = app.insert_accounts(act, user, given)?;
            let mut flows = Vec::with_capacity(recipe.flows.len());
            for mut new in new_flows(&recipe, &needed, &made) {
                component::unpin_built_in(act, &mut new.graph)?;
                flows.push(app.insert_flow(act, user, new)?);
            }
            let ids: Vec<String> = flows.iter().map(|flow| flow.id.to_string()).collect();
            act.audit(
                &NewAuditEntry::of("recipe.activate", ObjectKind::Recipe, id.as_str())
                    .with(json!({ "flow_ids": ids, "credentials": made.len() })),
            )?;
            Ok(flows)
        })
    }

    /// Imports a recipe folder, and replaces the recipe with its id; for tenant
    /// administrators. Flows made from the old one stay as they are.
    pub fn import_recipe(
        &self,
        who: &Principal,
        id: RecipeId,
        files: &FolderFiles<'_>,
    ) -> Result<Recipe> {
        require_admin(who)?;
        let recipe = folder::parse(id, files, RecipeOrigin::Imported)?;
        self.act(who, move |act| {
            if act.recipe(&recipe.id)?.is_none() && act.count_recipes()? >= i64::from(RECIPES_MAX) {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("an installation has at most {RECIPES_MAX} recipes: remove one first"),
                ));
            }
            put(act, &recipe)?;
            Ok(recipe)
        })
    }

    /// Removes a recipe; for tenant administrators. Flows made from it stay.
    pub fn remove_recipe(&self, who: &Principal, id: &RecipeId) -> Result<()> {
        require_admin(who)?;
        let id = id.clone();
        self.act(who, move |act| {
            if !act.delete_recipe(&id)? {
                return Err(Error::not_found("recipe"));
            }
            act.insert_tombstone(&Tombstone {
                kind: ObjectKind::Recipe,
                id: id.to_string(),
                seen_by: SeenBy::Everyone,
                deleted_at_ms: act.now_ms,
            })?;
            act.audit(&NewAuditEntry::of(
                "recipe.remove",
                ObjectKind::Recipe,
                id.as_str(),
            ))
        })
    }

    /// Imports the recipes that are embedded in the binary.
    pub(super) fn import_bundled_recipes(&self) -> Result<()> {
        let recipes = BUNDLED
            .iter()
            .map(read_bundled)
            .collect::<Result<Vec<_>>>()?;
        let system = Principal::system();
        self.act(&system, move |act| {
            recipes.iter().try_for_each(|recipe| put(act, recipe))
        })
    }

    /// Adds one credential for each account; returns them with their connectors.
    fn insert_accounts(
        &self,
        act: &Act<'_>,
        user: UserId,
        given: Vec<GivenAccount>,
    ) -> Result<HashMap<String, CredentialId>> {
        let mut made = HashMap::with_capacity(given.len());
        for account in given {
            let new = NewCredential {
                name: account.name,
                component_name: Some(account.connector),
                component_id: None,
                keys: account.keys,
            };
            let opened = self
                .insert_credential(act, user, new)
                .map_err(|error| below(&account.account, error))?;
            made.insert(account.account, opened.credential.id);
        }
        Ok(made)
    }
}

/// Says of an error about a credential in which account of the request it is.
fn below(account: &str, error: Error) -> Error {
    if error.fields().is_empty() {
        return error;
    }
    let mut fields = error.fields().to_vec();
    for fault in &mut fields {
        let member = match fault.field.as_str() {
            "keys" => "credentials",
            other => other,
        };
        fault.field = format!("accounts.{account}.{member}");
    }
    Error::invalid_fields(fields)
}

/// Returns the flows to be made, with the credentials on the steps that they are for.
fn new_flows(
    recipe: &Recipe,
    needed: &[NeededAccount],
    made: &HashMap<String, CredentialId>,
) -> Vec<NewFlow> {
    let mut ids: HashMap<(usize, &str), CredentialId> = HashMap::new();
    for account in needed {
        let steps = account.steps.iter().map(|(at, step)| (*at, step.as_str()));
        ids.extend(steps.filter_map(|place| Some((place, *made.get(&account.name)?))));
    }
    let variables = recipe.declared.as_ref().map(Declared::variables);
    let variables = variables.unwrap_or_default();
    let mut flows = Vec::with_capacity(recipe.flows.len());
    for (at, template) in recipe.flows.iter().enumerate() {
        let mut graph = template.graph.clone();
        for node in &mut graph.nodes {
            if let Some(id) = ids.get(&(at, node.id.as_str())) {
                node.credential_id = Some(*id);
                node.members
                    .insert("credentials_id".to_owned(), json!(id.to_string()));
            }
        }
        flows.push(NewFlow {
            name: template.title.clone(),
            description: template.description.clone(),
            flow_type: FlowType::Ordinary,
            graph,
            cron: template.cron.clone().map(Cron::stored),
            recipe_id: Some(recipe.id.to_string()),
            options: FlowOptions {
                variables: variables.clone(),
                ..FlowOptions::default()
            },
        });
    }
    flows
}

/// Returns the recipe with this id, or that there is none.
fn find(read: &Read<'_>, who: &Principal, id: &RecipeId) -> Result<Recipe> {
    match read.recipe(id)? {
        Some(recipe) => Ok(recipe),
        None => Err(missing(
            read,
            who,
            ObjectKind::Recipe,
            id.as_str(),
            "recipe",
        )?),
    }
}

/// Returns the accounts that a recipe needs, as far as `who` may see the components.
fn accounts_of(read: &Read<'_>, who: &Principal, recipe: &Recipe) -> Result<Vec<NeededAccount>> {
    accounts::needed(recipe, |command| {
        let command = component::with_present_build(read, command)?;
        match who.user_id() {
            Some(user) => usable_descriptor(read, user, &command),
            None => Ok(component::resolve(read, &command)?.map(|(_, it)| it.descriptor)),
        }
    })
}

/// Stores a recipe and notes it.
fn put(act: &Act<'_>, recipe: &Recipe) -> Result<()> {
    act.put_recipe(recipe, act.now_ms)?;
    act.delete_tombstone(ObjectKind::Recipe, recipe.id.as_str())?;
    act.audit(
        &NewAuditEntry::of("recipe.import", ObjectKind::Recipe, recipe.id.as_str())
            .with(json!({ "origin": recipe.origin.as_str(), "flows": recipe.flows.len() })),
    )
}

/// Reads an embedded recipe; one that is at fault is a fault of ours.
fn read_bundled(bundled: &Bundled) -> Result<Recipe> {
    let files = FolderFiles {
        recipe: Some(bundled.recipe.as_bytes()),
        title: Some(bundled.title.as_bytes()),
        description: Some(bundled.description.as_bytes()),
        accounts: Some(bundled.accounts.as_bytes()),
    };
    RecipeId::of_folder(bundled.folder)
        .and_then(|id| folder::parse(id, &files, RecipeOrigin::Bundled))
        .map_err(Error::internal)
}

/// Refuses whoever is not signed in; the operator needs not be.
fn require_known(who: &Principal) -> Result<()> {
    if !who.is_operator() {
        who.require_user()?;
    }
    Ok(())
}
