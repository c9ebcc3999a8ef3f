CREATE TABLE scheduled_executions (
    id               TEXT PRIMARY KEY,  -- 24 hex digits
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- who asked
    state            TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')), -- how far it is
    result           TEXT CHECK (json_valid(result)), -- what came of it; null: nothing yet, or expired
    token_sha256     BLOB,              -- SHA-256 of the one-time token that reads it; null: none
    token_expires_at INTEGER,           -- when that token ends
    created_at       INTEGER NOT NULL,  -- when it was scheduled
    expires_at       INTEGER NOT NULL   -- when its result goes
) STRICT;
CREATE INDEX scheduled_executions_expiry ON scheduled_executions (expires_at);
CREATE INDEX scheduled_executions_user ON scheduled_executions (user_id);
