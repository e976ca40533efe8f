-- Which process owns this folder. Every write transaction touches its own run, or writes nothing.
CREATE TABLE owner (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    run BLOB NOT NULL,
    beat INTEGER NOT NULL
) STRICT;

-- Secrets are kept as SHA-256 only.
CREATE TABLE device_sessions (
    secret_hash BLOB PRIMARY KEY,
    device_id TEXT NOT NULL,
    principal_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE link_codes (
    code_hash BLOB PRIMARY KEY,
    principal_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE preferences (
    principal_id BLOB PRIMARY KEY,
    model_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
    conversation_id BLOB PRIMARY KEY,
    principal_id BLOB NOT NULL,
    title TEXT NOT NULL,
    model TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- The leaf of the branch that is shown.
    selected_message_id BLOB NOT NULL,
    message_count INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_of ON conversations (principal_id, updated_at DESC, conversation_id DESC);

CREATE TABLE messages (
    message_id BLOB PRIMARY KEY,
    conversation_id BLOB NOT NULL,
    parent_id BLOB,
    role TEXT NOT NULL,
    -- Of an answer: written when its log is sealed or interrupted.
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_of ON messages (conversation_id, parent_id, message_id);

CREATE TABLE generations (
    generation_id BLOB PRIMARY KEY,
    message_id BLOB NOT NULL UNIQUE,
    conversation_id BLOB NOT NULL,
    state TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    -- Written at seal, interruption and takeover; in between the journal knows.
    head_seq INTEGER NOT NULL,
    -- What the person asked for, and what it was resolved to.
    model TEXT NOT NULL,
    model_name TEXT NOT NULL,
    routing TEXT,
    options TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    finish_reason TEXT,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    citations TEXT,
    reasoning TEXT NOT NULL DEFAULT '',
    error_code TEXT,
    error TEXT
) STRICT;
CREATE INDEX generations_of ON generations (conversation_id, generation_id);
-- Few at any moment: what is live, and what a dead process left.
CREATE INDEX generations_open ON generations (state, conversation_id, generation_id)
    WHERE state IN ('queued', 'running', 'interrupted');

-- A client's key of a turn, for ever.
CREATE TABLE client_messages (
    principal_id BLOB NOT NULL,
    client_message_id BLOB NOT NULL,
    body_hash BLOB NOT NULL,
    generation_id BLOB NOT NULL,
    PRIMARY KEY (principal_id, client_message_id)
) STRICT, WITHOUT ROWID;

-- Which devices were sent the end of an answer (PROTOCOL A3, rule 3).
CREATE TABLE deliveries (
    generation_id BLOB NOT NULL,
    device_id TEXT NOT NULL,
    PRIMARY KEY (generation_id, device_id)
) STRICT, WITHOUT ROWID;

-- One row per commit: the records of all generations in that commit.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    records BLOB NOT NULL
) STRICT;

-- The records of a generation that left the journal, compressed.
CREATE TABLE packs (
    generation_id BLOB NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    records BLOB NOT NULL,
    PRIMARY KEY (generation_id, first_seq)
) STRICT;
