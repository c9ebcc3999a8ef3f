//! Lists of users, of what they belong to, and of what they sign in with.

use super::Order::{Index, Sorted, SortedText};
use super::{Origin, Source, narrowed};

/// The address of the user of a row.
const USER: &str = "(SELECT u.email FROM users u WHERE u.id = x.user_id)";

/// Users.
pub(super) const USERS: Source = Source {
    table: "users",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of("email", "x.email")
            .by(Index("x.email_key"))
            .searched(),
        Origin::of("first_name", "x.first_name"),
        Origin::of("last_name", "x.last_name").by(SortedText),
        Origin::of("name", "x.first_name || ' ' || x.last_name")
            .by(SortedText)
            .searched(),
        Origin::of("company", "x.company").searched(),
        Origin::of(
            "role",
            "CASE x.is_tenant_admin WHEN 1 THEN 'admin' ELSE 'member' END",
        )
        .by(SortedText)
        .searched(),
        Origin::of("state", "x.state").by(SortedText).searched(),
        Origin::of(
            "teams",
            "(SELECT count(*) FROM team_members m WHERE m.user_id = x.id)",
        )
        .by(Sorted),
        Origin::of(
            "tasks",
            "(SELECT count(*) FROM flows f WHERE f.user_id = x.id)",
        )
        .by(Sorted),
        Origin::of(
            "keys",
            "(SELECT count(*) FROM api_keys k WHERE k.user_id = x.id)",
        )
        .by(Sorted),
        Origin::of(
            "ssh_keys",
            "(SELECT count(*) FROM ssh_keys k WHERE k.user_id = x.id)",
        ),
        Origin::of("created_by", "x.created_by"),
        Origin::of("created_at", "x.created_at").by(Sorted),
        Origin::of("updated_at", "x.updated_at").by(Sorted),
        Origin::of("last_login_at", "x.last_login_at").by(Sorted),
        Origin::of(
            "team_id",
            "(SELECT group_concat(m.team_id, char(10)) FROM team_members m WHERE m.user_id = x.id)",
        )
        .lines(),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("created_by", "x.created_by = ?"),
        narrowed(
            "team_id",
            "x.id IN (SELECT m.user_id FROM team_members m WHERE m.team_id = ?)",
        ),
    ],
};

/// Developer teams; of a large one the first hundred members are named.
pub(super) const TEAMS: Source = Source {
    table: "teams",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of("name", "x.name").by(SortedText).searched(),
        Origin::of("slug", "x.slug").by(SortedText).searched(),
        Origin::of(
            "owner",
            "(SELECT u.email FROM team_members m JOIN users u ON u.id = m.user_id
              WHERE m.team_id = x.id ORDER BY m.added_at, m.user_id LIMIT 1)",
        )
        .by(SortedText)
        .searched(),
        Origin::of(
            "members",
            "(SELECT group_concat(l.email, char(10)) FROM
                 (SELECT u.email FROM team_members m JOIN users u ON u.id = m.user_id
                  WHERE m.team_id = x.id ORDER BY m.added_at, m.user_id LIMIT 100) l)",
        )
        .lines()
        .searched(),
        Origin::of(
            "members_total",
            "(SELECT count(*) FROM team_members m WHERE m.team_id = x.id)",
        )
        .by(Sorted),
        Origin::of(
            "components",
            "(SELECT count(*) FROM components c WHERE c.team_id = x.id)",
        )
        .by(Sorted),
        Origin::of("organization_id", "x.organization_id"),
        Origin::of("created_at", "x.created_at").by(Sorted),
        Origin::of(
            "user_id",
            "(SELECT group_concat(l.user_id, char(10)) FROM
                 (SELECT m.user_id FROM team_members m
                  WHERE m.team_id = x.id ORDER BY m.added_at, m.user_id LIMIT 100) l)",
        )
        .lines(),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("organization_id", "x.organization_id = ?"),
        narrowed(
            "user_id",
            "x.id IN (SELECT m.team_id FROM team_members m WHERE m.user_id = ?)",
        ),
    ],
};

/// Organizations; of a large one the first hundred members and invites are named.
pub(super) const ORGANIZATIONS: Source = Source {
    table: "organizations",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of("name", "x.name").by(SortedText).searched(),
        Origin::of(
            "members",
            "(SELECT group_concat(l.member, char(10)) FROM
                 (SELECT u.email || ' (' || m.role || ')' AS member
                  FROM organization_members m JOIN users u ON u.id = m.user_id
                  WHERE m.organization_id = x.id ORDER BY m.added_at, m.user_id LIMIT 100) l)",
        )
        .lines()
        .searched(),
        Origin::of(
            "members_total",
            "(SELECT count(*) FROM organization_members m WHERE m.organization_id = x.id)",
        )
        .by(Sorted),
        Origin::of(
            "invites",
            "(SELECT group_concat(l.email, char(10)) FROM
                 (SELECT i.email FROM organization_invites i
                  WHERE i.organization_id = x.id ORDER BY i.id LIMIT 100) l)",
        )
        .lines()
        .searched(),
        Origin::of("created_at", "x.created_at").by(Sorted),
    ],
    narrowing: &[narrowed("id", "x.id = ?")],
};

/// SSH public keys.
pub(super) const SSH_KEYS: Source = Source {
    table: "ssh_keys",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of("user_id", "x.user_id").searched(),
        Origin::of("user", USER).by(SortedText).searched(),
        Origin::of("title", "x.title").by(SortedText).searched(),
        Origin::of("algorithm", "x.algorithm")
            .by(SortedText)
            .searched(),
        Origin::of("bits", "x.bits").by(Sorted),
        Origin::of("fingerprint", "x.fingerprint").searched(),
        Origin::of("fingerprint_md5", "x.fingerprint_md5").searched(),
        Origin::of("is_weak", "x.is_weak").by(Sorted),
        Origin::of("key", "x.line"),
        Origin::of("created_at", "x.created_at").by(Sorted),
        Origin::of("last_used_at", "x.last_used_at").by(Sorted),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("user_id", "x.user_id = ?"),
    ],
};

/// API keys; the keys themselves are nowhere.
pub(super) const API_KEYS: Source = Source {
    table: "api_keys",
    scan_rows: 12_000,
    columns: &[
        Origin::of("id", "x.id").by(Sorted).searched(),
        Origin::of("user_id", "x.user_id").searched(),
        Origin::of("user", USER).by(SortedText).searched(),
        Origin::of("name", "x.name").by(SortedText).searched(),
        Origin::of("prefix", "x.prefix").searched(),
        Origin::of("organization_id", "x.organization_id"),
        Origin::of("created_at", "x.created_at").by(Sorted),
        Origin::of("last_used_at", "x.last_used_at").by(Sorted),
        Origin::of("expires_at", "x.expires_at").by(Sorted),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("user_id", "x.user_id = ?"),
        narrowed("organization_id", "x.organization_id = ?"),
    ],
};
