-- What brings conversations in and out.

-- Everything of a person in an order that nothing changes, for exports.
CREATE INDEX conversations_by_id ON conversations (principal_id, conversation_id);

-- Files that are brought in, and how far each is. Its file lies beside the database.
CREATE TABLE imports (
    import_id BLOB PRIMARY KEY,
    principal_id BLOB NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Conversations of the file: looked at, and all.
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    -- What was new, and conversations of which nothing was.
    conversations INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    -- What was left out, as JSON.
    notes TEXT NOT NULL DEFAULT '[]',
    error TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_of ON imports (principal_id, import_id);

-- Frozen copies that anybody reads who has the link.
CREATE TABLE shares (
    share_id TEXT PRIMARY KEY,
    principal_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    title TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- It stays when the conversation is deleted.
    keep INTEGER NOT NULL,
    -- What is shown: zstd of JSON.
    page BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_of ON shares (principal_id, created_at DESC);
CREATE INDEX shares_from ON shares (conversation_id);
