//! The columns of each list.

use super::ColumnKind::{self, Duration, Flag, Id, Json, Number, State, Text, Time};
use super::{ListColumn, ListOf};

/// Makes a column that tables show and lists are sorted by.
const fn shown(key: &'static str, title: &'static str, kind: ColumnKind) -> ListColumn {
    ListColumn {
        key,
        title: Some(title),
        kind,
        sortable: true,
    }
}

/// Makes a column that tables show and no list is sorted by.
const fn unsorted(key: &'static str, title: &'static str, kind: ColumnKind) -> ListColumn {
    ListColumn {
        sortable: false,
        ..shown(key, title, kind)
    }
}

/// Makes a column that tables leave out and no list is sorted by.
const fn hidden(key: &'static str, kind: ColumnKind) -> ListColumn {
    ListColumn {
        key,
        title: None,
        kind,
        sortable: false,
    }
}

/// Makes a column that tables leave out, and that lists are sorted by all the same.
const fn behind(key: &'static str, kind: ColumnKind) -> ListColumn {
    ListColumn {
        sortable: true,
        ..hidden(key, kind)
    }
}

const USERS: &[ListColumn] = &[
    shown("id", "ID", Id),
    shown("email", "EMAIL", Text),
    hidden("first_name", Text),
    behind("last_name", Text),
    shown("name", "NAME", Text),
    hidden("company", Text),
    shown("role", "ROLE", State),
    shown("state", "STATE", State),
    shown("teams", "TEAMS", Number),
    shown("tasks", "TASKS", Number),
    shown("keys", "KEYS", Number),
    hidden("ssh_keys", Number),
    hidden("created_by", Id),
    shown("created_at", "CREATED", Time),
    behind("updated_at", Time),
    shown("last_login_at", "LAST SEEN", Time),
    hidden("team_id", Id),
];

const TEAMS: &[ListColumn] = &[
    shown("id", "ID", Id),
    shown("name", "NAME", Text),
    shown("slug", "SLUG", Text),
    shown("owner", "OWNER", Text),
    unsorted("members", "MEMBERS", Text),
    behind("members_total", Number),
    shown("components", "COMPONENTS", Number),
    hidden("organization_id", Id),
    shown("created_at", "CREATED", Time),
    hidden("user_id", Id),
];

const FLOWS: &[ListColumn] = &[
    shown("id", "ID", Id),
    unsorted("state", "STATE", State),
    shown("name", "NAME", Text),
    hidden("user_id", Id),
    unsorted("user", "OWNER", Text),
    hidden("status", State),
    hidden("type", State),
    unsorted("trigger", "TRIGGER", Text),
    hidden("cron", Text),
    hidden("time_zone", Text),
    hidden("missed", State),
    shown("last_run_at", "LAST", Time),
    unsorted("last_run", "RESULT", State),
    shown("due_at", "NEXT", Time),
    hidden("version", Number),
    hidden("recipe_id", Text),
    hidden("organization_id", Id),
    behind("created_at", Time),
    behind("updated_at", Time),
    hidden("last_started_at", Time),
    hidden("description", Text),
    hidden("component", Text),
    hidden("credential", Id),
];

const EXECUTIONS: &[ListColumn] = &[
    unsorted("id", "ID", Id),
    unsorted("status", "STATE", State),
    unsorted("name", "TASK", Text),
    hidden("flow", Id),
    unsorted("trigger", "TRIGGER", State),
    shown("started_at", "STARTED", Time),
    hidden("finished_at", Time),
    shown("duration", "TOOK", Duration),
    hidden("flow_version", Number),
    shown("steps_total", "STEPS", Number),
    shown("errors_total", "ERRORS", Number),
    shown("queued", "QUEUED", Number),
    hidden("request_id", Text),
    hidden("retry_of", Id),
];

const RECIPES: &[ListColumn] = &[
    shown("id", "ID", Text),
    shown("title", "TITLE", Text),
    shown("origin", "ORIGIN", State),
    shown("tasks", "TASKS", Number),
    hidden("description", Text),
    behind("created_at", Time),
    behind("updated_at", Time),
];

const COMPONENTS: &[ListColumn] = &[
    shown("id", "ID", Id),
    shown("component", "COMPONENT", Text),
    behind("team", Text),
    behind("name", Text),
    shown("title", "TITLE", Text),
    shown("access", "ACCESS", State),
    shown("builds", "BUILDS", Number),
    hidden("revision", Text),
    shown("tasks", "TASKS", Number),
    hidden("is_builtin", Flag),
    hidden("team_id", Id),
    behind("created_at", Time),
];

const SSH_KEYS: &[ListColumn] = &[
    shown("id", "ID", Id),
    hidden("user_id", Id),
    shown("user", "USER", Text),
    shown("title", "TITLE", Text),
    shown("algorithm", "KIND", State),
    shown("bits", "BITS", Number),
    unsorted("fingerprint", "FINGERPRINT", Text),
    hidden("fingerprint_md5", Text),
    shown("is_weak", "WEAK", Flag),
    hidden("key", Text),
    behind("created_at", Time),
    shown("last_used_at", "LAST USED", Time),
];

const API_KEYS: &[ListColumn] = &[
    shown("id", "ID", Id),
    hidden("user_id", Id),
    shown("user", "USER", Text),
    shown("name", "NAME", Text),
    unsorted("prefix", "BEGINS", Text),
    hidden("organization_id", Id),
    shown("created_at", "CREATED", Time),
    shown("last_used_at", "LAST USED", Time),
    shown("expires_at", "ENDS", Time),
];

const CREDENTIALS: &[ListColumn] = &[
    shown("id", "ID", Id),
    shown("name", "NAME", Text),
    hidden("user_id", Id),
    shown("user", "OWNER", Text),
    shown("type", "TYPE", Text),
    hidden("component_id", Id),
    shown("tasks", "TASKS", Number),
    hidden("organization_id", Id),
    behind("created_at", Time),
    shown("updated_at", "CHANGED", Time),
];

const AUDIT: &[ListColumn] = &[
    shown("id", "ID", Number),
    shown("at", "AT", Time),
    unsorted("actor_kind", "ACTOR", State),
    hidden("actor_id", Id),
    unsorted("actor", "WHO", Text),
    unsorted("channel", "DOOR", State),
    hidden("address", Text),
    hidden("request_id", Text),
    unsorted("action", "ACTION", Text),
    hidden("object_kind", State),
    unsorted("object_id", "OBJECT", Id),
    unsorted("detail", "DETAIL", Json),
    hidden("object", Text),
];

const ORGANIZATIONS: &[ListColumn] = &[
    shown("id", "ID", Id),
    shown("name", "NAME", Text),
    unsorted("members", "MEMBERS", Text),
    behind("members_total", Number),
    hidden("invites", Text),
    shown("created_at", "CREATED", Time),
];

const LOOKUPS: &[ListColumn] = &[
    shown("id", "ID", Id),
    shown("title", "TITLE", Text),
    shown("user", "USER", Text),
    hidden("user_id", Id),
    hidden("organization_id", Id),
    unsorted("entries", "ENTRIES", Number),
    shown("updated_at", "UPDATED", Time),
];

/// Other words for columns. The first one that a list has is meant.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("age", "started_at"),
    ("age", "at"),
    ("age", "created_at"),
    ("age", "updated_at"),
    ("started", "started_at"),
    ("created", "created_at"),
    ("updated", "updated_at"),
    ("state", "status"),
    ("status", "state"),
    ("owner", "user"),
    ("user", "owner"),
    ("user", "email"),
    ("user", "actor"),
    ("who", "actor"),
    ("flows", "tasks"),
    ("flow_id", "flow"),
    ("task", "name"),
    ("title", "name"),
    ("name", "title"),
    ("seen", "last_login_at"),
    ("seen", "last_used_at"),
    ("last", "last_run_at"),
    ("last", "last_login_at"),
    ("result", "last_run"),
    ("next", "due_at"),
    ("due", "due_at"),
    ("ends", "expires_at"),
    ("took", "duration"),
    ("errors", "errors_total"),
    ("steps", "steps_total"),
    ("door", "channel"),
];

/// Columns whose times lie ahead: `<2h` says within the next two hours.
pub(super) const AHEAD: &[&str] = &["due_at", "expires_at"];

/// Returns the columns of a list.
pub(super) fn of(list: ListOf) -> &'static [ListColumn] {
    match list {
        ListOf::Users => USERS,
        ListOf::Teams => TEAMS,
        ListOf::Flows => FLOWS,
        ListOf::Executions => EXECUTIONS,
        ListOf::Recipes => RECIPES,
        ListOf::Components => COMPONENTS,
        ListOf::SshKeys => SSH_KEYS,
        ListOf::ApiKeys => API_KEYS,
        ListOf::Credentials => CREDENTIALS,
        ListOf::Audit => AUDIT,
        ListOf::Organizations => ORGANIZATIONS,
        ListOf::Lookups => LOOKUPS,
    }
}

/// Returns the key of the column by which a list usually comes, and whether the largest
/// is first: names from A on, what happened from the newest on.
pub(super) fn default_sort(list: ListOf) -> (&'static str, bool) {
    match list {
        ListOf::Users => ("email", false),
        ListOf::Teams | ListOf::Flows | ListOf::Organizations | ListOf::Credentials => {
            ("name", false)
        }
        ListOf::Executions => ("started_at", true),
        ListOf::Recipes | ListOf::Lookups => ("title", false),
        ListOf::Components => ("component", false),
        ListOf::SshKeys | ListOf::ApiKeys => ("user", false),
        ListOf::Audit => ("at", true),
    }
}
