-- Lists of the console: flows by name and by their last change, and the few runs that
-- failed or were ended, in the order of all runs.

CREATE INDEX flows_name ON flows (name COLLATE NOCASE);
CREATE INDEX flows_updated ON flows (updated_at);
CREATE INDEX executions_errors ON executions (seq) WHERE errors_total > 0;
CREATE INDEX executions_ended ON executions (seq) WHERE status IN ('interrupted', 'cancelled');
