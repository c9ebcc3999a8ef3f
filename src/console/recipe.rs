//! One recipe: what it does, its tasks and steps, the accounts that it needs; and the form
//! that activates it, made of the accounts' schemas (`v1.md 3.2`).

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use serde_json::{Map, Value};

use super::access::user_field;
use super::ask::Ask;
use super::deed::Deed;
use super::form::{self, Field, Values};
use super::keys::{Action, Binding, bind, letter};
use super::message::Level;
use super::pane::put;
use super::screen::{Effect, Scene, Screen};
use super::table::related::name_of;
use super::text;
use super::users::not_an_id;
use crate::domain::Result;
use crate::domain::listing::{ListOf, ListRow};
use crate::domain::recipe::{Recipe, RecipeId};

/// The keys of what can be done about a recipe.
pub(super) const DEEDS: &[Binding] = &[bind(&[letter('a')], Action::Add, "activate the recipe")
    .short("activate")
    .writing()];

/// What stands between an account and a field of it in the name of a form's field.
const MARK: char = '/';

/// The words in names of fields whose values are not shown while they are typed.
const SECRET_WORDS: [&str; 4] = ["password", "secret", "token", "key"];

/// The model of a recipe.
#[derive(Clone, Debug)]
pub struct Model {
    id: RecipeId,
    /// What the list called it, until the recipe is there.
    name: String,
    recipe: Option<Recipe>,
    /// Whether the form is to open as soon as the recipe is there.
    is_wanted: bool,
    /// The first line that is drawn.
    first: usize,
    body: Rect,
}

impl Model {
    /// Makes the screen of a recipe that is still to be loaded; with the form over it
    /// where it is to be activated.
    pub fn new(id: RecipeId, name: impl Into<String>, is_wanted: bool) -> Self {
        Self {
            id,
            name: name.into(),
            recipe: None,
            is_wanted,
            first: 0,
            body: Rect::new(0, 0, 80, 20),
        }
    }

    /// Returns the title of the recipe.
    pub fn crumb(&self) -> String {
        let title = self.recipe.as_ref().map(|recipe| recipe.title.clone());
        title.unwrap_or_else(|| self.name.clone())
    }

    /// Returns the recipe, as a question; it does not change while it is looked at.
    pub fn ask(&self) -> Option<Ask> {
        self.recipe.is_none().then(|| Ask::Recipe(self.id.clone()))
    }

    /// Takes the recipe.
    pub fn take(&mut self, recipe: Recipe) {
        self.recipe = Some(recipe);
    }

    /// Returns what is to be done now that the recipe is there.
    pub fn arrived(&mut self) -> Vec<Effect> {
        if std::mem::take(&mut self.is_wanted) {
            vec![self.activation()]
        } else {
            Vec::new()
        }
    }

    /// Learns how much room there is.
    pub fn resize(&mut self, body: Rect) {
        self.body = body;
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action) -> Option<Vec<Effect>> {
        let height = usize::from(self.body.height.saturating_sub(2)).max(1);
        let last = self.lines().len().saturating_sub(height);
        match action {
            Action::Down => self.first = (self.first + 1).min(last),
            Action::Up => self.first = self.first.saturating_sub(1),
            Action::PageDown => self.first = (self.first + height / 2).min(last),
            Action::PageUp => self.first = self.first.saturating_sub(height / 2),
            Action::Top => self.first = 0,
            Action::Bottom => self.first = last,
            Action::Add => return Some(vec![self.activation()]),
            Action::Copy => {
                let text = self.id.to_string();
                let what = "the recipe's id".to_owned();
                return Some(vec![Effect::Copy { what, text }]);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Returns the form that activates the recipe.
    fn activation(&self) -> Effect {
        let Some(recipe) = &self.recipe else {
            let told = "the recipe is still being loaded".to_owned();
            return Effect::Say(Level::Note, told);
        };
        let mut fields = vec![user_field("")];
        for (account, entry) in recipe.accounts.iter().flatten() {
            fields.extend(fields_of(account, entry));
        }
        let title = format!("Activate {}", recipe.title);
        let form = form::Model::new(title, self.id.to_string(), fields, activate);
        Effect::fill_in(form)
    }

    /// Returns the lines of the recipe.
    fn lines(&self) -> Vec<(bool, String)> {
        let Some(recipe) = &self.recipe else {
            return vec![(false, "loading".to_owned())];
        };
        let room = usize::from(self.body.width.saturating_sub(4)).max(1);
        let mut lines = Vec::new();
        for text in recipe.description.lines() {
            let wrapped = text::wrap(text, room);
            lines.extend(wrapped.into_iter().map(|line| (false, line)));
        }
        for flow in &recipe.flows {
            let cron = flow.cron.as_deref().unwrap_or("no schedule of its own");
            lines.push((false, String::new()));
            lines.push((true, format!("Task {}  ({cron})", flow.title)));
            let steps = flow.graph.nodes.iter();
            lines.extend(steps.map(|node| (false, format!("  {}  {}", node.id, node.command))));
        }
        for (account, entry) in recipe.accounts.iter().flatten() {
            lines.push((false, String::new()));
            lines.push((true, format!("Account {account}")));
            let fields = fields_of(account, entry);
            lines.extend(fields.iter().map(|field| {
                let need = if field.is_required { "" } else { " (optional)" };
                (false, format!("  {}{need}", field.label))
            }));
        }
        lines.push((false, String::new()));
        lines.push((
            false,
            "a activates it for a user; its tasks begin inactive.".to_owned(),
        ));
        lines
    }

    /// Draws the recipe.
    pub fn view(&self, scene: &Scene, frame: &mut Frame<'_>, body: Rect) {
        let look = &scene.look;
        let styles = look.styles();
        let room = usize::from(body.width.saturating_sub(6));
        let block = look.boxed(&look.cut(&look.clean(&self.crumb()), room), true);
        let inner = block.inner(body);
        let buffer = frame.buffer_mut();
        block.render(body, buffer);
        let lines = self.lines().into_iter().skip(self.first);
        for (line, (is_head, text)) in (0..inner.height).zip(lines) {
            let style = if is_head { styles.title } else { styles.text };
            put(
                buffer,
                inner,
                line,
                &format!(" {}", look.clean(&text)),
                style,
            );
        }
    }
}

/// Opens a recipe of the list with the form that activates it.
pub(super) fn act_on_row(rows: &[ListRow], action: Action) -> Option<Vec<Effect>> {
    let row = rows.first().filter(|_| action == Action::Add)?;
    let id = RecipeId::parse(&row.id)?;
    let model = Model::new(id, name_of(ListOf::Recipes, row), true);
    Some(vec![Effect::Open(Box::new(Screen::Recipe(Box::new(
        model,
    ))))])
}

/// Returns the fields of an account, in the order of its schema.
fn fields_of(account: &str, entry: &Value) -> Vec<Field> {
    let schema = &entry["credentials"];
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let Some(properties) = schema["properties"].as_object() else {
        return Vec::new();
    };
    properties
        .iter()
        .map(|(name, property)| {
            let key = format!("{account}{MARK}{name}");
            let about = property["description"].as_str().unwrap_or(name);
            let label = format!("{account}: {about}");
            let lower = name.to_lowercase();
            let options: Vec<String> = property["options"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|option| option.as_str().map(str::to_owned))
                .collect();
            let field = if !options.is_empty() {
                Field::choice(key, label, options)
            } else if SECRET_WORDS.iter().any(|word| lower.contains(word)) {
                Field::secret(key, label)
            } else {
                Field::text(key, label, "")
            };
            if required.contains(&name.as_str()) {
                field.required()
            } else {
                field
            }
        })
        .collect()
}

/// Makes the deed of a filled-in form; what was left empty is left out.
fn activate(about: &str, values: &Values<'_>) -> Result<Deed> {
    let mut accounts: Map<String, Value> = Map::new();
    for (key, typed) in values.all() {
        let Some((account, name)) = key.split_once(MARK).filter(|_| !typed.is_empty()) else {
            continue;
        };
        let account = accounts
            .entry(account)
            .or_insert_with(|| serde_json::json!({ "credentials": {} }));
        account["credentials"][name] = Value::from(typed);
    }
    Ok(Deed::Activate {
        recipe: RecipeId::parse(about).ok_or_else(not_an_id)?,
        user: values.text("user").to_owned(),
        accounts,
    })
}
