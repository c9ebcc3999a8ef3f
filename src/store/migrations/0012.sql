-- The audit log says of git over SSH that it came by that door.

ALTER TABLE audit_log RENAME TO audit_log_before;
DROP INDEX audit_log_object;
DROP INDEX audit_log_actor;
CREATE TABLE audit_log (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the entries
    at          INTEGER NOT NULL,                  -- when
    actor_kind  TEXT NOT NULL CHECK (actor_kind IN ('user', 'operator', 'system', 'anonymous')), -- what kind of actor
    actor_id    TEXT,                              -- user id of the actor, where it is a user
    channel     TEXT NOT NULL CHECK (channel IN ('api', 'cli', 'console', 'server', 'ssh')), -- through which door
    address     TEXT,                              -- network address, where there is one
    request_id  TEXT,                              -- id of the request, where there is one
    action      TEXT NOT NULL,                     -- what was done, such as flow.start
    object_kind TEXT,                              -- kind of the object
    object_id   TEXT,                              -- id of the object
    detail      TEXT CHECK (detail IS NULL OR json_valid(detail)) -- more facts as JSON, never a secret
) STRICT;
-- A number is never given twice, also where the newest entries were pruned.
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'audit_log', seq FROM sqlite_sequence WHERE name = 'audit_log_before';
INSERT INTO audit_log SELECT * FROM audit_log_before;
DROP TABLE audit_log_before;
CREATE INDEX audit_log_object ON audit_log (object_kind, object_id, id);
CREATE INDEX audit_log_actor ON audit_log (actor_id, id);
