//! The ten views, in the order of their digits.

use crate::domain::listing::ListOf;

/// The name of a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewName {
    /// Numbers and charts.
    #[default]
    Dashboard,
    /// Users.
    Users,
    /// Developer teams.
    Teams,
    /// Flows, which v1 calls tasks.
    Tasks,
    /// Runs of flows.
    Executions,
    /// Recipes.
    Recipes,
    /// Components and their repositories.
    Components,
    /// SSH keys and API keys.
    Keys,
    /// Credentials, by name alone.
    Credentials,
    /// The audit log.
    Audit,
}

impl ViewName {
    /// All of them, in their order.
    pub const ALL: [Self; 10] = [
        Self::Dashboard,
        Self::Users,
        Self::Teams,
        Self::Tasks,
        Self::Executions,
        Self::Recipes,
        Self::Components,
        Self::Keys,
        Self::Credentials,
        Self::Audit,
    ];

    /// Returns its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Dashboard => "Dashboard",
            Self::Users => "Users",
            Self::Teams => "Teams",
            Self::Tasks => "Tasks",
            Self::Executions => "Executions",
            Self::Recipes => "Recipes",
            Self::Components => "Components",
            Self::Keys => "Repos and keys",
            Self::Credentials => "Credentials",
            Self::Audit => "Audit",
        }
    }

    /// Returns the lists of the view, a tab each; none of the dashboard.
    pub fn lists(self) -> &'static [ListOf] {
        match self {
            Self::Dashboard => &[],
            Self::Users => &[ListOf::Users, ListOf::Organizations],
            Self::Teams => &[ListOf::Teams],
            Self::Tasks => &[ListOf::Flows, ListOf::Lookups],
            Self::Executions => &[ListOf::Executions],
            Self::Recipes => &[ListOf::Recipes],
            Self::Components => &[ListOf::Components],
            Self::Keys => &[ListOf::SshKeys, ListOf::ApiKeys, ListOf::Components],
            Self::Credentials => &[ListOf::Credentials],
            Self::Audit => &[ListOf::Audit],
        }
    }

    /// Returns the title of a list in this view: a component is the repository of its code.
    pub fn title_of(self, list: ListOf) -> &'static str {
        match (self, list) {
            (Self::Keys, ListOf::Components) => "Repositories",
            _ => list_title(list),
        }
    }

    /// Returns the view in which a list is, with the place of its tab; the first one of two.
    pub fn of(list: ListOf) -> (Self, usize) {
        Self::ALL
            .into_iter()
            .find_map(|view| {
                let tab = view.lists().iter().position(|other| *other == list)?;
                Some((view, tab))
            })
            .expect("every list is in a view")
    }

    /// Reads the name of a view, or of a list in one, with the place of its tab.
    pub fn parse(word: &str) -> Option<(Self, usize)> {
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            "dashboard" => Some((Self::Dashboard, 0)),
            "repos" | "repositories" => Some((Self::Keys, 2)),
            _ => ListOf::parse(&word).ok().map(Self::of),
        }
    }
}

/// Returns the title of a list: that of its tab.
pub fn list_title(list: ListOf) -> &'static str {
    match list {
        ListOf::Users => "Users",
        ListOf::Teams => "Teams",
        ListOf::Flows => "Tasks",
        ListOf::Executions => "Executions",
        ListOf::Recipes => "Recipes",
        ListOf::Components => "Components",
        ListOf::SshKeys => "SSH keys",
        ListOf::ApiKeys => "API keys",
        ListOf::Credentials => "Credentials",
        ListOf::Audit => "Audit",
        ListOf::Organizations => "Organizations",
        ListOf::Lookups => "Lookups",
    }
}
