-- The history of runs without a second look at the JSON that the server itself wrote.
CREATE TABLE new_parts (
    key   INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    steps TEXT NOT NULL
) STRICT;
INSERT INTO new_parts SELECT key, count, steps FROM execution_parts;
DROP TABLE execution_parts;
ALTER TABLE new_parts RENAME TO execution_parts;

CREATE TABLE new_messages (
    key      INTEGER PRIMARY KEY,
    messages TEXT NOT NULL
) STRICT;
INSERT INTO new_messages SELECT key, messages FROM execution_messages;
DROP TABLE execution_messages;
ALTER TABLE new_messages RENAME TO execution_messages;
