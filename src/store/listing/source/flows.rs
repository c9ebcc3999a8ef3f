//! Lists of flows and of their runs: the large ones.

use super::Order::{Index, Made, PartIndex, Sorted, SortedBy};
use super::{Origin, Source, in_order, narrowed};

/// Flows. How one fares is told by its newest run.
pub(super) const FLOWS: Source = Source {
    table: "flows",
    scan_rows: 4_000,
    columns: &[
        Origin::of("id", "x.id").by(Made).searched(),
        Origin::of(
            "state",
            "CASE x.status WHEN 'inactive' THEN 'stop' WHEN 'suspended' THEN 'wait' ELSE coalesce(
                 (SELECT CASE e.status WHEN 'error' THEN 'fail' WHEN 'interrupted' THEN 'fail'
                                       WHEN 'waiting' THEN 'wait' ELSE 'run' END
                  FROM executions e WHERE e.flow_id = x.id ORDER BY e.seq DESC LIMIT 1),
                 'run') END",
        ),
        Origin::of("name", "x.name")
            .by(Index("x.name COLLATE NOCASE"))
            .searched(),
        Origin::of("user_id", "x.user_id").searched(),
        Origin::of(
            "user",
            "(SELECT u.email FROM users u WHERE u.id = x.user_id)",
        )
        .searched(),
        Origin::of("status", "x.status").searched(),
        Origin::of("type", "x.type"),
        Origin::of(
            "trigger",
            "coalesce(x.cron, (SELECT s.component FROM flow_steps s
                 WHERE s.flow_id = x.id AND s.position = 0))",
        ),
        Origin::of("cron", "x.cron"),
        Origin::of("time_zone", "x.time_zone"),
        Origin::of("missed", "x.missed"),
        Origin::of(
            "last_run_at",
            "(SELECT e.started_at FROM executions e WHERE e.flow_id = x.id
              ORDER BY e.seq DESC LIMIT 1)",
        )
        .by(SortedBy(
            "(SELECT max(e.seq) FROM executions e WHERE e.flow_id = x.id)",
        )),
        Origin::of(
            "last_run",
            "(SELECT e.status FROM executions e WHERE e.flow_id = x.id
              ORDER BY e.seq DESC LIMIT 1)",
        ),
        Origin::of("due_at", "x.due_at").by(PartIndex("x.due_at")),
        Origin::of("version", "x.version"),
        Origin::of("recipe_id", "x.recipe_id"),
        Origin::of("organization_id", "x.organization_id"),
        Origin::of("created_at", "x.created_at").by(Made),
        Origin::of("updated_at", "x.updated_at").by(Index("x.updated_at")),
        Origin::of("last_started_at", "x.last_started_at"),
        Origin::of("description", "x.description").searched(),
        Origin::of(
            "component",
            "(SELECT group_concat(l.name, char(10)) FROM
                 (SELECT DISTINCT s.team || '/' || s.component AS name FROM flow_steps s
                  WHERE s.flow_id = x.id) l)",
        )
        .lines(),
        Origin::of(
            "credential",
            "(SELECT group_concat(l.id, char(10)) FROM
                 (SELECT DISTINCT s.credential_id AS id FROM flow_steps s
                  WHERE s.flow_id = x.id AND s.credential_id IS NOT NULL) l)",
        )
        .lines(),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        narrowed("user_id", "x.user_id = ?"),
        narrowed("organization_id", "x.organization_id = ?"),
        narrowed(
            "component",
            "x.id IN (SELECT s.flow_id FROM flow_steps s
                 WHERE s.team = substr(?, 1, instr(?, '/') - 1)
                     AND s.component = substr(?, instr(?, '/') + 1))",
        ),
        narrowed(
            "credential",
            "x.id IN (SELECT s.flow_id FROM flow_steps s WHERE s.credential_id = ?)",
        ),
    ],
};

/// Runs. They begin in the order in which they are numbered, but for moments.
pub(super) const EXECUTIONS: Source = Source {
    table: "executions",
    scan_rows: 3_000,
    columns: &[
        Origin::of("id", "x.id").searched(),
        Origin::of("status", "x.status").searched(),
        Origin::of(
            "name",
            "(SELECT f.name FROM flows f WHERE f.id = x.flow_id)",
        )
        .searched(),
        Origin::of("flow", "x.flow_id").searched(),
        Origin::of("trigger", "x.trigger").searched(),
        Origin::of("started_at", "x.started_at").by(Made),
        Origin::of("finished_at", "x.finished_at"),
        Origin::of("duration", "max(x.finished_at - x.started_at, 0)").by(Sorted),
        Origin::of("flow_version", "x.flow_version"),
        Origin::of("steps_total", "x.steps_total").by(Sorted),
        Origin::of("errors_total", "x.errors_total").by(Sorted),
        Origin::of("queued", "x.queued").by(Sorted),
        Origin::of("request_id", "x.request_id").searched(),
        Origin::of("retry_of", "x.retry_of"),
    ],
    narrowing: &[
        narrowed("id", "x.id = ?"),
        in_order("flow", "x.flow_id = ?"),
    ],
};
