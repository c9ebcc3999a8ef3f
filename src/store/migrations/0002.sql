-- The engine: schedules, versions, runs, queues, state and logs of flows.

ALTER TABLE flows ADD COLUMN time_zone TEXT; -- IANA zone of the schedule; UTC where missing
ALTER TABLE flows ADD COLUMN missed TEXT NOT NULL DEFAULT 'once' CHECK (missed IN ('skip', 'once', 'all')); -- what becomes of runs missed while the server was down
ALTER TABLE flows ADD COLUMN variables TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(variables)); -- the flow's variables, an object
ALTER TABLE flows ADD COLUMN default_mapper_type TEXT CHECK (default_mapper_type IN ('jsonata', 'handlebars')); -- how mappers are read that name no type
ALTER TABLE flows ADD COLUMN nodes_config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(nodes_config)); -- settings of single steps: prefetch, passthrough and others
ALTER TABLE flows ADD COLUMN due_at INTEGER; -- when the schedule fires next; missing while it does not run
ALTER TABLE flows ADD COLUMN start_failures INTEGER NOT NULL DEFAULT 0; -- times in a row that a component of it could not be started
CREATE INDEX flows_due ON flows (due_at) WHERE due_at IS NOT NULL;

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

-- What was done to runs, part by part: one part a run and transaction. The key is the
-- run's seq times 2^20 plus the number of the part, so both tables only grow at their ends.
CREATE TABLE execution_parts (
    key   INTEGER PRIMARY KEY,                        -- run and part
    count INTEGER NOT NULL,                           -- steps in it
    steps TEXT NOT NULL CHECK (json_valid(steps))     -- the steps, in order of start
) STRICT;

-- The messages of those parts, as long as they are kept.
CREATE TABLE execution_messages (
    key      INTEGER PRIMARY KEY,                     -- run and part
    messages TEXT NOT NULL CHECK (json_valid(messages)) -- the messages that the part made
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

INSERT INTO flow_versions (flow_id, version, graph, created_at)
    SELECT id, version, graph, updated_at FROM flows;
