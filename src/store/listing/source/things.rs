//! Lists of what flows are made of, and of what was done.

use super::Order::{Made, Sorted, SortedText};
use super::{Origin, Source, in_order, narrowed};

/// The address of the user of a row.
const USER: &str = "(SELECT u.email FROM users u WHERE u.id = x.user_id)";

/// Recipes.
pub(super) const RECIPES: Source = Source {
    table: "recipes",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(SortedText).searched(),
        Origin::of("title", "x.title").by(SortedText).searched(),
        Origin::of("origin", "x.origin").by(SortedText).searched(),
        Origin::of("tasks", "json_array_length(x.flows)").by(Sorted),
        Origin::of("description", "x.description").searched(),
        Origin::of("created_at", "x.created_at").by(Sorted),
        Origin::of("updated_at", "x.updated_at").by(Sorted),
    ],
    narrowing: &[narrowed("id", "x.id = ?")],
};

/// Components. The flows that use one are counted up to a thousand: a common one stands
/// in every flow of the installation.
pub(super) const COMPONENTS: Source = Source {
    table: "components",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of(
            "component",
            "(SELECT t.slug FROM teams t WHERE t.id = x.team_id) || '/' || x.slug",
        )
        .by(SortedText)
        .searched(),
        Origin::of(
            "team",
            "(SELECT t.slug FROM teams t WHERE t.id = x.team_id)",
        )
        .by(SortedText),
        Origin::of("name", "x.name").by(SortedText).searched(),
        Origin::of(
            "title",
            "(SELECT v.title FROM component_versions v WHERE v.component_id = x.id
              ORDER BY v.number DESC LIMIT 1)",
        )
        .by(SortedText)
        .searched(),
        Origin::of("access", "x.access").by(SortedText).searched(),
        Origin::of(
            "builds",
            "(SELECT count(*) FROM component_versions v WHERE v.component_id = x.id)",
        )
        .by(Sorted),
        Origin::of(
            "revision",
            "(SELECT v.revision FROM component_versions v WHERE v.component_id = x.id
              ORDER BY v.number DESC LIMIT 1)",
        ),
        Origin::of(
            "tasks",
            "(SELECT count(*) FROM
                 (SELECT DISTINCT s.flow_id FROM flow_steps s
                  WHERE s.team = (SELECT t.slug FROM teams t WHERE t.id = x.team_id)
                      AND s.component = x.slug LIMIT 1000))",
        )
        .by(Sorted),
        Origin::of("is_builtin", "x.is_builtin"),
        Origin::of("team_id", "x.team_id"),
        Origin::of("created_at", "x.created_at").by(Sorted),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("team_id", "x.team_id = ?"),
    ],
};

/// Credentials: their names, never what they hold. The flows that use one are counted up
/// to a thousand.
pub(super) const CREDENTIALS: Source = Source {
    table: "credentials",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of("name", "x.name").by(SortedText).searched(),
        Origin::of("user_id", "x.user_id").searched(),
        Origin::of("user", USER).by(SortedText).searched(),
        Origin::of("type", "x.type").by(SortedText).searched(),
        Origin::of("component_id", "x.component_id"),
        Origin::of(
            "tasks",
            "(SELECT count(*) FROM (SELECT DISTINCT s.flow_id FROM flow_steps s
                 WHERE s.credential_id = x.id LIMIT 1000))",
        )
        .by(Sorted),
        Origin::of("organization_id", "x.organization_id"),
        Origin::of("created_at", "x.created_at").by(Sorted),
        Origin::of("updated_at", "x.updated_at").by(Sorted),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("user_id", "x.user_id = ?"),
        narrowed("component_id", "x.component_id = ?"),
        narrowed("organization_id", "x.organization_id = ?"),
    ],
};

/// Lookup tables.
pub(super) const LOOKUPS: Source = Source {
    table: "lookups",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of("title", "x.title").by(SortedText).searched(),
        Origin::of("user", USER).by(SortedText).searched(),
        Origin::of("user_id", "x.user_id").searched(),
        Origin::of("organization_id", "x.organization_id"),
        Origin::of("entries", "(SELECT count(*) FROM json_each(x.data))"),
        Origin::of("updated_at", "x.updated_at").by(Sorted),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("user_id", "x.user_id = ?"),
        narrowed("organization_id", "x.organization_id = ?"),
    ],
};

/// Entries of the audit log.
pub(super) const AUDIT: Source = Source {
    table: "audit_log",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Made),
        Origin::of("at", "x.at").by(Made),
        Origin::of("actor_kind", "x.actor_kind").searched(),
        Origin::of("actor_id", "x.actor_id").searched(),
        Origin::of(
            "actor",
            "(SELECT u.email FROM users u WHERE u.id = x.actor_id)",
        )
        .searched(),
        Origin::of("channel", "x.channel"),
        Origin::of("address", "x.address").searched(),
        Origin::of("request_id", "x.request_id").searched(),
        Origin::of("action", "x.action").searched(),
        Origin::of("object_kind", "x.object_kind").searched(),
        Origin::of("object_id", "x.object_id").searched(),
        Origin::of("detail", "x.detail").searched(),
        Origin::of("object", "x.object_kind || '/' || x.object_id"),
    ],
    narrowing: &[
        in_order("actor_id", "x.actor_id = ?"),
        in_order(
            "object",
            "x.object_kind = substr(?, 1, instr(?, '/') - 1)
                 AND x.object_id = substr(?, instr(?, '/') + 1)",
        ),
    ],
};
