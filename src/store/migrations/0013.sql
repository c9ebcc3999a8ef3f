-- Keys of credentials that were changed or deleted, for as long as history shows them.

CREATE TABLE superseded_keys (
    seq           INTEGER PRIMARY KEY, -- order of the rows
    credential_id TEXT NOT NULL,       -- whose they were; it may be gone
    key_version   INTEGER NOT NULL,    -- which key of the key file sealed them
    sealed        BLOB NOT NULL,       -- nonce and ciphertext of the keys as JSON
    superseded_at INTEGER              -- when upkeep first saw them; null: not yet
) STRICT;
CREATE INDEX superseded_keys_credential ON superseded_keys (credential_id, seq);
CREATE INDEX superseded_keys_at ON superseded_keys (superseded_at);
CREATE TRIGGER superseded_keys_change AFTER UPDATE OF sealed ON credentials
WHEN OLD.sealed IS NOT NEW.sealed BEGIN
    INSERT INTO superseded_keys (credential_id, key_version, sealed)
        VALUES (OLD.id, OLD.key_version, OLD.sealed);
END;
CREATE TRIGGER superseded_keys_delete AFTER DELETE ON credentials BEGIN
    INSERT INTO superseded_keys (credential_id, key_version, sealed)
        VALUES (OLD.id, OLD.key_version, OLD.sealed);
END;
