-- What went with its user: only tenant administrators are left who could see it.
ALTER TABLE tombstones ADD COLUMN for_admins INTEGER NOT NULL DEFAULT 0;
