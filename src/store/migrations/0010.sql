-- Pages of flows that did not change: what is shown of them is counted, too.

ALTER TABLE flow_lists ADD COLUMN states INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER flow_lists_states AFTER UPDATE OF graph, cron, created_at, updated_at, last_started_at,
    time_zone, missed, variables, default_mapper_type, nodes_config, due_at ON flows BEGIN
    UPDATE flow_lists SET states = states + 1
        WHERE owner_id = coalesce(NEW.organization_id, NEW.user_id);
END;
