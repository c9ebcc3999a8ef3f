CREATE TABLE objects (
    id           TEXT PRIMARY KEY,  -- 24 hex digits, and the name of the file
    user_id      TEXT,              -- who asked for the URLs, and may be gone; null: the engine
    content_type TEXT,              -- the media type that the uploader named
    bytes        INTEGER,           -- its size; null while nothing was uploaded
    put_sha256   BLOB,              -- SHA-256 of the token that uploads; null: made by the server
    get_sha256   BLOB NOT NULL,     -- SHA-256 of the token that downloads
    created_at   INTEGER NOT NULL,  -- when it was made
    expires_at   INTEGER NOT NULL   -- when it goes
) STRICT;
CREATE INDEX objects_expiry ON objects (expires_at);
CREATE INDEX objects_user ON objects (user_id) WHERE user_id IS NOT NULL;
