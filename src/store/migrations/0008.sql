-- Large bodies of messages as files.

ALTER TABLE objects ADD COLUMN part INTEGER;
CREATE INDEX objects_part ON objects (part) WHERE part IS NOT NULL;
