-- The schema of an Elastane database: the truth. A fresh database is made from
-- this file; older ones reach it by the migrations of src/store/migrations, and
-- a test holds both equal. Rules: every table STRICT, every column with a comment,
-- times are integer milliseconds since 1970 UTC, ids are 24 lower-case hex digits,
-- truth values are 0 or 1, nothing secret stands here in clear.

-- Facts of the installation that no person sets.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,  -- name of the fact, such as key_check or builtin_digest
    value BLOB NOT NULL      -- its value: text or bytes, as the fact's reader knows
) STRICT, WITHOUT ROWID;

-- Settings that the operator changes while the server runs.
CREATE TABLE settings (
    key        TEXT NOT NULL PRIMARY KEY,                        -- name of the setting, such as maintenance
    value      TEXT NOT NULL CHECK (json_valid(value)), -- its value as JSON
    changed_at INTEGER NOT NULL                         -- when it was last set
) STRICT, WITHOUT ROWID;

-- People who sign in.
CREATE TABLE users (
    id              TEXT NOT NULL PRIMARY KEY,                          -- user id
    email           TEXT NOT NULL,                             -- address as it was given
    email_key       TEXT NOT NULL UNIQUE,                      -- the address in lower case: unique ignoring case
    first_name      TEXT NOT NULL,                             -- given name
    last_name       TEXT NOT NULL,                             -- family name
    company         TEXT,                                      -- company, where one was given
    password_hash   TEXT NOT NULL,                             -- argon2id as a PHC string
    is_tenant_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_tenant_admin IN (0, 1)), -- administers the installation
    state           TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')), -- disabled users can't sign in
    created_by      TEXT REFERENCES users (id) ON DELETE SET NULL, -- who registered this user, and may delete it
    created_at      INTEGER NOT NULL,                          -- when it was registered
    updated_at      INTEGER NOT NULL,                          -- when a field last changed
    last_login_at   INTEGER                                    -- when a request was last signed in, to the minute
) STRICT;
CREATE INDEX users_created_by ON users (created_by) WHERE created_by IS NOT NULL;

-- Companies that share flows, credentials, lookups, samples and teams.
CREATE TABLE organizations (
    id         TEXT NOT NULL PRIMARY KEY, -- organization id
    name       TEXT NOT NULL,             -- what it is called
    created_at INTEGER NOT NULL           -- when it was made
) STRICT;

-- Who belongs to which organization, in exactly one role.
CREATE TABLE organization_members (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- the organization
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,         -- its member
    role            TEXT NOT NULL CHECK (role IN ('admin', 'integrator', 'guest')), -- what the member may do
    added_at        INTEGER NOT NULL,                                              -- since when
    PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX organization_members_user ON organization_members (user_id, organization_id);

-- Who is asked to join an organization, and has not answered yet.
CREATE TABLE organization_invites (
    id              TEXT NOT NULL PRIMARY KEY,                                     -- invite id
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- the organization
    email           TEXT NOT NULL,                                                 -- address as it was given
    email_key       TEXT NOT NULL,                                                 -- the address in lower case
    role            TEXT NOT NULL CHECK (role IN ('admin', 'integrator', 'guest')), -- role after accepting
    token_hash      BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),          -- SHA-256 of the accept token
    invited_by      TEXT REFERENCES users (id) ON DELETE SET NULL,                 -- who asked
    created_at      INTEGER NOT NULL,                                              -- when it was made
    expires_at      INTEGER NOT NULL,                                              -- when it ends
    UNIQUE (organization_id, email_key)
) STRICT;
CREATE INDEX organization_invites_organization ON organization_invites (organization_id, id);
CREATE INDEX organization_invites_expiry ON organization_invites (expires_at);
CREATE INDEX organization_invites_inviter ON organization_invites (invited_by) WHERE invited_by IS NOT NULL;

-- Keys by which clients act on a user's behalf; v1 calls one api_secret.
CREATE TABLE api_keys (
    id           TEXT NOT NULL PRIMARY KEY,                                   -- id of the key, which is not the key
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- whom it signs in
    name         TEXT NOT NULL,                                      -- what it is for
    prefix       TEXT NOT NULL,                                      -- first eight characters, to tell keys apart
    hash         BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),     -- SHA-256 of the key; the key itself is nowhere
    created_at   INTEGER NOT NULL,                                   -- when it was made
    last_used_at INTEGER,                                            -- when it last signed in, to the minute
    expires_at   INTEGER,                                            -- when it ends; never where missing
    organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE -- scope of its lists and of what it makes
) STRICT;
CREATE INDEX api_keys_user ON api_keys (user_id, id);
CREATE INDEX api_keys_organization ON api_keys (organization_id) WHERE organization_id IS NOT NULL;

-- Developer teams, which own repositories.
CREATE TABLE teams (
    id         TEXT NOT NULL PRIMARY KEY,     -- team id
    name       TEXT NOT NULL,        -- name as it was given
    slug       TEXT NOT NULL UNIQUE, -- name in git addresses and in commands such as elasticio/timer:timer
    created_at INTEGER NOT NULL,     -- when it was made
    organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL -- organization that it belongs to
) STRICT;
CREATE INDEX teams_organization ON teams (organization_id, id) WHERE organization_id IS NOT NULL;

-- Who belongs to which team.
CREATE TABLE team_members (
    team_id  TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE, -- the team
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- its member
    added_at INTEGER NOT NULL,                                      -- since when
    PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_members_user ON team_members (user_id, team_id);

-- SSH public keys, each unique over the installation: git access maps a key to one user.
CREATE TABLE ssh_keys (
    id              TEXT NOT NULL PRIMARY KEY,                                       -- key id
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,  -- whose key
    title           TEXT NOT NULL,                                          -- what the user calls it
    algorithm       TEXT NOT NULL,                                          -- OpenSSH name, such as ssh-ed25519
    bits            INTEGER NOT NULL,                                       -- size of the key
    line            TEXT NOT NULL,                                          -- one canonical OpenSSH line
    blob_sha256     BLOB NOT NULL UNIQUE CHECK (length(blob_sha256) = 32),  -- SHA-256 of the key blob
    fingerprint     TEXT NOT NULL,                                          -- SHA256: form, as ssh-keygen -lf prints it
    fingerprint_md5 TEXT NOT NULL,                                          -- 16 hex pairs, for older clients
    is_weak         INTEGER NOT NULL CHECK (is_weak IN (0, 1)),             -- accepted, but to be replaced (DSA)
    created_at      INTEGER NOT NULL,                                       -- when it was added
    last_used_at    INTEGER                                                 -- when git last accepted it
) STRICT;
CREATE INDEX ssh_keys_user ON ssh_keys (user_id, id);

-- Repositories, and the components built from them: one id for both.
CREATE TABLE components (
    id         TEXT NOT NULL PRIMARY KEY,                                 -- component id, v1 repo_id
    team_id    TEXT NOT NULL REFERENCES teams (id),              -- the team that owns it
    name       TEXT NOT NULL,                                    -- repository name as it was given
    slug       TEXT NOT NULL,                                    -- its name in git addresses and commands
    access     TEXT NOT NULL DEFAULT 'team' CHECK (access IN ('team', 'tenant', 'global')), -- who may use it
    is_builtin INTEGER NOT NULL DEFAULT 0 CHECK (is_builtin IN (0, 1)), -- embedded in the binary
    created_at INTEGER NOT NULL,                                 -- when it was made
    icon TEXT, -- logo as base64 that it was made with, shown until a build brings one
    network TEXT CHECK (network IN ('none', 'https', 'any')), -- what its processes may reach; null for what the installation has
    UNIQUE (team_id, slug)
) STRICT;
CREATE INDEX components_shared ON components (access, id) WHERE access <> 'team';

-- Successful builds of components.
CREATE TABLE component_versions (
    component_id TEXT NOT NULL REFERENCES components (id) ON DELETE CASCADE, -- the component
    revision     TEXT NOT NULL,                                    -- git revision; for built-ins a hash of the descriptor
    number       INTEGER NOT NULL CHECK (number > 0),              -- 1, 2, 3 in the order of builds
    title        TEXT NOT NULL,                                    -- title of the descriptor, for lists
    descriptor   TEXT NOT NULL CHECK (json_valid(descriptor)),     -- component.json plus what the build adds
    icon         TEXT,                                             -- logo as base64
    created_at   INTEGER NOT NULL,                                 -- when it was built
    PRIMARY KEY (component_id, revision)
) STRICT;
CREATE UNIQUE INDEX component_versions_latest ON component_versions (component_id, number);

-- Environment variables of components.
CREATE TABLE env_vars (
    component_id TEXT NOT NULL REFERENCES components (id) ON DELETE CASCADE, -- the component
    name         TEXT NOT NULL,    -- name of the variable
    key_version  INTEGER NOT NULL, -- which key of the key file sealed it
    sealed       BLOB NOT NULL,    -- nonce and ciphertext of the value
    PRIMARY KEY (component_id, name)
) STRICT, WITHOUT ROWID;

-- Credentials for third parties; v1 calls one an account.
CREATE TABLE credentials (
    id           TEXT NOT NULL PRIMARY KEY,                                      -- credential id
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- whose
    name         TEXT NOT NULL,                                         -- what the user calls it
    type         TEXT NOT NULL,                                         -- component or connector that it is for, v1 type
    component_id TEXT REFERENCES components (id) ON DELETE SET NULL,    -- that component, where the type names one
    key_version  INTEGER NOT NULL,                                      -- which key of the key file sealed it
    sealed       BLOB NOT NULL,                                         -- nonce and ciphertext of the keys as JSON
    created_at   INTEGER NOT NULL,                                      -- when it was made
    updated_at   INTEGER NOT NULL,                                      -- when it last changed
    organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL -- organization that may use it
) STRICT;
CREATE INDEX credentials_user ON credentials (user_id, id);
CREATE INDEX credentials_organization ON credentials (organization_id, id) WHERE organization_id IS NOT NULL;
CREATE INDEX credentials_component ON credentials (component_id) WHERE component_id IS NOT NULL;

-- Keys that a credential had, kept as long as history that may show them: they are masked there.
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

-- Recipes: flows with blanks, ready to be activated.
CREATE TABLE recipes (
    id          TEXT NOT NULL PRIMARY KEY,                                  -- 24 hex digits or a slug
    title       TEXT NOT NULL,                                     -- what it is called
    description TEXT NOT NULL,                                     -- what it does, Markdown
    accounts    TEXT NOT NULL CHECK (json_valid(accounts)),        -- connector to the schema of its credentials
    flows       TEXT NOT NULL CHECK (json_valid(flows)),           -- the flows to make: a list of title, cron, graph; with what they leave open where it is declared
    origin      TEXT NOT NULL CHECK (origin IN ('bundled', 'imported')), -- where it comes from
    created_at  INTEGER NOT NULL,                                  -- when it was first imported
    updated_at  INTEGER NOT NULL                                   -- when it was last imported
) STRICT;

-- Flows; v1 calls one a task.
CREATE TABLE flows (
    id              TEXT NOT NULL PRIMARY KEY,                                      -- flow id
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- whose
    name            TEXT NOT NULL,                                         -- what it is called
    description     TEXT,                                                  -- what it is for
    type            TEXT NOT NULL DEFAULT 'ordinary' CHECK (type IN ('ordinary', 'long_running')), -- by schedule or always up
    status          TEXT NOT NULL DEFAULT 'inactive' CHECK (status IN ('active', 'inactive', 'suspended')), -- runs or not
    graph           TEXT NOT NULL CHECK (json_valid(graph)),               -- nodes and edges as API v2 shows them
    cron            TEXT,                                                  -- schedule, five fields
    recipe_id       TEXT,                                                  -- recipe that it was made from
    version         INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),        -- counts the changes of the graph
    created_at      INTEGER NOT NULL,                                      -- when it was made
    updated_at      INTEGER NOT NULL,                                      -- when it last changed
    last_started_at INTEGER,                                               -- when it was last started
    time_zone TEXT, -- IANA zone of the schedule; UTC where missing
    missed TEXT NOT NULL DEFAULT 'once' CHECK (missed IN ('skip', 'once', 'all')), -- what becomes of runs missed while the server was down
    variables TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(variables)), -- the flow's variables, an object
    default_mapper_type TEXT CHECK (default_mapper_type IN ('jsonata', 'handlebars')), -- how mappers are read that name no type
    nodes_config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(nodes_config)), -- settings of single steps: prefetch, passthrough and others
    due_at INTEGER, -- when the schedule fires next; missing while it does not run
    start_failures INTEGER NOT NULL DEFAULT 0, -- times in a row that a component of it could not be started
    organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL -- organization that owns it
) STRICT;
CREATE INDEX flows_due ON flows (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX flows_user ON flows (user_id, id);
CREATE INDEX flows_organization ON flows (organization_id, id) WHERE organization_id IS NOT NULL;
CREATE INDEX flows_personal ON flows (user_id, id) WHERE organization_id IS NULL;
CREATE INDEX flows_status ON flows (status, id) WHERE status <> 'inactive';
CREATE INDEX flows_name ON flows (name COLLATE NOCASE);
CREATE INDEX flows_updated ON flows (updated_at);

-- The lengths of lists of flows, kept by triggers, so that no request counts rows.
CREATE TABLE flow_lists (
    owner_id TEXT NOT NULL PRIMARY KEY, -- the organization whose list it is, else the user
    flows    INTEGER NOT NULL,          -- how many flows it has
    changes  INTEGER NOT NULL,          -- grows with every change that decides which flows a part of it has
    states   INTEGER NOT NULL DEFAULT 0 -- grows with every change of what is shown of a flow
) STRICT, WITHOUT ROWID;
CREATE TRIGGER flow_lists_insert AFTER INSERT ON flows BEGIN
    INSERT INTO flow_lists (owner_id, flows, changes)
        VALUES (coalesce(NEW.organization_id, NEW.user_id), 1, 1)
        ON CONFLICT (owner_id) DO UPDATE SET flows = flows + 1, changes = changes + 1;
END;
CREATE TRIGGER flow_lists_delete AFTER DELETE ON flows BEGIN
    UPDATE flow_lists SET flows = flows - 1, changes = changes + 1
        WHERE owner_id = coalesce(OLD.organization_id, OLD.user_id);
END;
CREATE TRIGGER flow_lists_owner AFTER UPDATE OF user_id, organization_id ON flows BEGIN
    UPDATE flow_lists SET flows = flows - 1, changes = changes + 1
        WHERE owner_id = coalesce(OLD.organization_id, OLD.user_id);
    INSERT INTO flow_lists (owner_id, flows, changes)
        VALUES (coalesce(NEW.organization_id, NEW.user_id), 1, 1)
        ON CONFLICT (owner_id) DO UPDATE SET flows = flows + 1, changes = changes + 1;
END;
CREATE TRIGGER flow_lists_shown AFTER UPDATE OF name, description, type, status ON flows BEGIN
    UPDATE flow_lists SET changes = changes + 1
        WHERE owner_id = coalesce(NEW.organization_id, NEW.user_id);
END;
CREATE TRIGGER flow_lists_states AFTER UPDATE OF graph, cron, created_at, updated_at, last_started_at,
    time_zone, missed, variables, default_mapper_type, nodes_config, due_at ON flows BEGIN
    UPDATE flow_lists SET states = states + 1
        WHERE owner_id = coalesce(NEW.organization_id, NEW.user_id);
END;

-- The steps of a flow's graph, to ask which flows use a component or a credential.
CREATE TABLE flow_steps (
    flow_id       TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE, -- the flow
    position      INTEGER NOT NULL,  -- place of the node in the graph, from 0
    step_id       TEXT NOT NULL,     -- id of the node, such as step_1
    team          TEXT NOT NULL,     -- slug of the team in its command
    component     TEXT NOT NULL,     -- slug of the repository in its command
    credential_id TEXT REFERENCES credentials (id) ON DELETE SET NULL, -- credential on the node
    PRIMARY KEY (flow_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX flow_steps_component ON flow_steps (team, component);
CREATE INDEX flow_steps_credential ON flow_steps (credential_id) WHERE credential_id IS NOT NULL;

-- Tables of values that mappers read.
CREATE TABLE lookups (
    id              TEXT NOT NULL PRIMARY KEY,                                -- lookup id
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,    -- who made it, or took it over
    organization_id TEXT REFERENCES organizations (id) ON DELETE SET NULL,    -- organization that owns it
    title           TEXT NOT NULL,                                            -- what it is called
    data            TEXT NOT NULL CHECK (json_valid(data)),                   -- the table: a JSON object
    created_at      INTEGER NOT NULL,                                         -- when it was made
    updated_at      INTEGER NOT NULL                                          -- when it last changed
) STRICT;
CREATE INDEX lookups_user ON lookups (user_id, title);
CREATE INDEX lookups_organization ON lookups (organization_id, title) WHERE organization_id IS NOT NULL;

-- Examples of what a trigger or an action answers.
CREATE TABLE data_samples (
    id                TEXT NOT NULL PRIMARY KEY,                                      -- sample id
    user_id           TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,          -- who made it, or took it over
    organization_id   TEXT REFERENCES organizations (id) ON DELETE SET NULL,          -- organization that may read it
    component_id      TEXT NOT NULL REFERENCES components (id) ON DELETE CASCADE,     -- component that it is of
    component_version TEXT NOT NULL,                                                  -- revision, or the word latest
    method            TEXT NOT NULL,                                                  -- name of the trigger or action
    result            TEXT NOT NULL CHECK (json_valid(result)),                       -- what it answered, as JSON
    created_at        INTEGER NOT NULL,                                               -- when it was made
    updated_at        INTEGER NOT NULL                                                -- when it last changed
) STRICT;
CREATE INDEX data_samples_user ON data_samples (user_id, id);
CREATE INDEX data_samples_organization ON data_samples (organization_id, id) WHERE organization_id IS NOT NULL;
CREATE INDEX data_samples_component ON data_samples (component_id);

-- What was deleted, and who could see it: those are answered 410, all others 404.
-- Without a user, a team and an organization, everyone could, or only administrators.
CREATE TABLE tombstones (
    kind       TEXT NOT NULL, -- kind of the object, such as flow or ssh_key
    id         TEXT NOT NULL, -- its id
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE, -- the user who could see it
    team_id    TEXT REFERENCES teams (id) ON DELETE CASCADE, -- the team whose members could see it
    deleted_at INTEGER NOT NULL, -- when it was deleted
    organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE, -- the organization whose members could see it
    for_admins INTEGER NOT NULL DEFAULT 0, -- 1: only tenant administrators are left who could see it
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_user ON tombstones (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX tombstones_team ON tombstones (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX tombstones_organization ON tombstones (organization_id) WHERE organization_id IS NOT NULL;

-- Who did what, from where, to which object, when. Rows are added and pruned, never changed.
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
CREATE INDEX audit_log_object ON audit_log (object_kind, object_id, id);
CREATE INDEX audit_log_actor ON audit_log (actor_id, id);

-- The graphs that a flow had: a run names the version that it ran.
CREATE TABLE flow_versions (
    flow_id    TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE, -- the flow
    version    INTEGER NOT NULL CHECK (version > 0),                  -- its number, from 1
    graph      TEXT NOT NULL CHECK (json_valid(graph)),               -- nodes and edges of that version
    created_at INTEGER NOT NULL,                                      -- when it was saved
    PRIMARY KEY (flow_id, version)
) STRICT, WITHOUT ROWID;

-- What happened to flows, for the engine of whatever process serves: it reads what is new.
CREATE TABLE flow_events (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the events
    flow_id TEXT NOT NULL,                     -- the flow, which may be gone
    kind    TEXT NOT NULL CHECK (kind IN ('changed', 'queued', 'cancelled')), -- what happened
    at      INTEGER NOT NULL,                  -- when
    object  INTEGER                            -- seq of the queued message, or of the cancelled run
) STRICT;

-- Runs: one thread of messages each, from a trigger to its last step.
CREATE TABLE executions (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the runs
    id           TEXT NOT NULL UNIQUE,     -- execution id
    flow_id      TEXT NOT NULL,            -- the flow, which may be gone
    flow_version INTEGER NOT NULL,         -- the version of its graph that runs
    trigger      TEXT NOT NULL CHECK (trigger IN ('schedule', 'webhook', 'manual', 'retry')), -- what set it off
    status       TEXT NOT NULL CHECK (status IN ('running', 'waiting', 'success', 'error', 'interrupted', 'cancelled')), -- how it stands
    started_at   INTEGER NOT NULL,         -- when it began
    finished_at  INTEGER,                  -- when it ended
    parts        INTEGER NOT NULL,         -- parts of its history: the next one's number
    steps_total  INTEGER NOT NULL,         -- steps that were recorded
    errors_total INTEGER NOT NULL,         -- those of them that failed
    queued       INTEGER NOT NULL,         -- messages that wait in queues
    has_bodies   INTEGER NOT NULL CHECK (has_bodies IN (0, 1)), -- whether its messages are kept
    request_id   TEXT,                     -- id of the request that began it
    retry_of     TEXT,                     -- the run that it repeats
    owner_id     TEXT                      -- the organization that owns the flow, else its user: whose lists show the run
) STRICT;
CREATE INDEX executions_flow ON executions (flow_id, seq);
CREATE INDEX executions_owner ON executions (owner_id, seq) WHERE owner_id IS NOT NULL;
CREATE INDEX executions_open ON executions (flow_id, seq) WHERE finished_at IS NULL;
CREATE INDEX executions_bodies ON executions (flow_id, seq) WHERE has_bodies = 1 AND errors_total = 0;
CREATE INDEX executions_failed ON executions (flow_id, seq) WHERE errors_total > 0;
CREATE INDEX executions_failed_bodies ON executions (seq) WHERE has_bodies = 1 AND errors_total > 0;
CREATE INDEX executions_errors ON executions (seq) WHERE errors_total > 0;
CREATE INDEX executions_ended ON executions (seq) WHERE status IN ('interrupted', 'cancelled');

-- What was done to runs, part by part: one part a run and transaction. The key is the
-- run's seq times 2^20 plus the number of the part, so both tables only grow at their ends.
-- The server writes their JSON itself, a part after the other: reading it all once more to
-- check it took a twentieth of the time of a burst.
CREATE TABLE execution_parts (
    key   INTEGER PRIMARY KEY,                        -- run and part
    count INTEGER NOT NULL,                           -- steps in it
    steps TEXT NOT NULL                               -- the steps, in order of start, as JSON
) STRICT;

-- The messages of those parts, as long as they are kept.
CREATE TABLE execution_messages (
    key      INTEGER PRIMARY KEY,                     -- run and part
    messages TEXT NOT NULL                            -- the messages that the part made, as JSON
) STRICT;

-- Messages that wait for a step.
CREATE TABLE queue (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT, -- order within a step
    flow_id   TEXT NOT NULL,                -- the flow
    step_id   TEXT NOT NULL,                -- the step that it waits for
    execution INTEGER NOT NULL,             -- seq of the run
    part      INTEGER NOT NULL,             -- the part that made the message
    message   INTEGER NOT NULL,             -- its place in that part
    bytes     INTEGER NOT NULL,             -- its size as JSON
    attempt   INTEGER NOT NULL,             -- the attempt that comes next, from 1
    due_at    INTEGER NOT NULL,             -- not before this time
    leases    INTEGER NOT NULL DEFAULT 0,   -- times that a server took it and did not end it
    fault     TEXT,                         -- why it was put back
    queued_at INTEGER NOT NULL              -- since when it waits
) STRICT;
CREATE INDEX queue_step ON queue (flow_id, step_id, seq);
CREATE INDEX queue_execution ON queue (execution);

-- The state of steps that remember something between their messages.
CREATE TABLE snapshots (
    flow_id    TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE, -- the flow
    step_id    TEXT NOT NULL,                             -- the step
    value      TEXT NOT NULL CHECK (json_valid(value)),   -- any JSON
    updated_at INTEGER NOT NULL,                          -- when it last changed
    PRIMARY KEY (flow_id, step_id)
) STRICT, WITHOUT ROWID;

-- What built-in steps keep besides: groups that are not complete, for example.
CREATE TABLE step_data (
    flow_id    TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE, -- the flow
    step_id    TEXT NOT NULL,                             -- the step
    key        TEXT NOT NULL,                             -- which piece of data
    value      TEXT NOT NULL CHECK (json_valid(value)),   -- any JSON
    updated_at INTEGER NOT NULL,                          -- when it last changed
    PRIMARY KEY (flow_id, step_id, key)
) STRICT;

-- What flows wrote to their logs.
CREATE TABLE log_entries (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT, -- order of the entries
    flow_id   TEXT NOT NULL,    -- the flow, which may be gone
    execution INTEGER,          -- seq of the run, where it was one
    step_id   TEXT,             -- the step, where it was one
    at        INTEGER NOT NULL, -- when
    level     TEXT NOT NULL CHECK (level IN ('trace', 'debug', 'info', 'warn', 'error', 'fatal')), -- how important
    message   TEXT NOT NULL     -- what was said
) STRICT;
CREATE INDEX log_entries_flow ON log_entries (flow_id, seq);
CREATE INDEX log_entries_execution ON log_entries (execution, seq) WHERE execution IS NOT NULL;

-- Files in the folder beside the database, until they expire.
CREATE TABLE objects (
    id           TEXT PRIMARY KEY,  -- 24 hex digits, and the name of the file
    user_id      TEXT,              -- who asked for the URLs, and may be gone; null: the engine
    content_type TEXT,              -- the media type that the uploader named
    bytes        INTEGER,           -- its size; null while nothing was uploaded
    put_sha256   BLOB,              -- SHA-256 of the token that uploads; null: made by the server
    get_sha256   BLOB NOT NULL,     -- SHA-256 of the token that downloads; empty: nobody does
    created_at   INTEGER NOT NULL,  -- when it was made
    expires_at   INTEGER NOT NULL,  -- when it goes
    part         INTEGER            -- key of the part of a run whose message has it as its body; null: it stands for itself
) STRICT;
CREATE INDEX objects_expiry ON objects (expires_at);
CREATE INDEX objects_part ON objects (part) WHERE part IS NOT NULL;
CREATE INDEX objects_user ON objects (user_id) WHERE user_id IS NOT NULL;

-- What components are asked outside of flows: credentials, metadata, options.
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
