CREATE TABLE organizations (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE organization_members (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            TEXT NOT NULL CHECK (role IN ('admin', 'integrator', 'guest')),
    added_at        INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX organization_members_user ON organization_members (user_id, organization_id);

CREATE TABLE organization_invites (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    email           TEXT NOT NULL,
    email_key       TEXT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('admin', 'integrator', 'guest')),
    token_hash      BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by      TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    UNIQUE (organization_id, email_key)
) STRICT;
CREATE INDEX organization_invites_organization ON organization_invites (organization_id, id);
CREATE INDEX organization_invites_inviter ON organization_invites (invited_by) WHERE invited_by IS NOT NULL;

CREATE TABLE lookups (
    id              TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL,
    title           TEXT NOT NULL,
    data            TEXT NOT NULL CHECK (json_valid(data)),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX lookups_user ON lookups (user_id, title);
CREATE INDEX lookups_organization ON lookups (organization_id, title) WHERE organization_id IS NOT NULL;

CREATE TABLE data_samples (
    id                TEXT NOT NULL PRIMARY KEY,
    user_id           TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id   TEXT REFERENCES organizations (id) ON DELETE SET NULL,
    component_id      TEXT NOT NULL REFERENCES components (id) ON DELETE CASCADE,
    component_version TEXT NOT NULL,
    method            TEXT NOT NULL,
    result            TEXT NOT NULL CHECK (json_valid(result)),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX data_samples_user ON data_samples (user_id, id);
CREATE INDEX data_samples_organization ON data_samples (organization_id, id) WHERE organization_id IS NOT NULL;
CREATE INDEX data_samples_component ON data_samples (component_id);

ALTER TABLE api_keys ADD COLUMN organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE;
CREATE INDEX api_keys_organization ON api_keys (organization_id) WHERE organization_id IS NOT NULL;

ALTER TABLE teams ADD COLUMN organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL;
CREATE INDEX teams_organization ON teams (organization_id, id) WHERE organization_id IS NOT NULL;

ALTER TABLE credentials ADD COLUMN organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL;
CREATE INDEX credentials_organization ON credentials (organization_id, id) WHERE organization_id IS NOT NULL;

ALTER TABLE flows ADD COLUMN organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL;
CREATE INDEX flows_organization ON flows (organization_id, id) WHERE organization_id IS NOT NULL;
CREATE INDEX flows_personal ON flows (user_id, id) WHERE organization_id IS NULL;

ALTER TABLE tombstones ADD COLUMN organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE;
CREATE INDEX tombstones_organization ON tombstones (organization_id) WHERE organization_id IS NOT NULL;
