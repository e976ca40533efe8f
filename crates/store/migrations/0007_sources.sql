-- What answers may look things up in.

-- What a person chose for a message and its answers, as JSON; NULL when nothing.
ALTER TABLE messages ADD COLUMN sources TEXT;

-- What can be read in files: once for the same bytes, whoever brings them.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of the bytes, which is also the name of their file.
    content BLOB NOT NULL UNIQUE,
    -- processing, ready or refused; deleted while it is being removed.
    state TEXT NOT NULL,
    -- The code of a refusal.
    reason TEXT,
    -- Which reading may write: a later one takes over from one that was left unfinished.
    attempt INTEGER NOT NULL DEFAULT 0,
    title TEXT,
    -- As its content says; until it is read the file's own holds.
    media_type TEXT,
    pages INTEGER,
    -- Of all passages: how many, and Unicode scalar values of their texts.
    passages INTEGER NOT NULL DEFAULT 0,
    chars INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Few at any moment.
CREATE INDEX documents_unsettled ON documents (state) WHERE state IN ('processing', 'deleted');

CREATE TABLE files (
    file_id BLOB PRIMARY KEY,
    principal_id BLOB NOT NULL,
    document INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX files_of ON files (principal_id, document);
CREATE INDEX files_with ON files (document);

CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    page INTEGER,
    heading TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX passages_of ON passages (document, ordinal);

-- The words of passages, folded; the texts are in their table. The document is a word too, so that
-- a match looks at the passages of those that were chosen only.
CREATE VIRTUAL TABLE passage_words USING fts5 (
    document, heading, words,
    content = '', contentless_delete = 1, tokenize = 'porter ascii'
);

-- Named sets of a person's files.
CREATE TABLE collections (
    collection_id BLOB PRIMARY KEY,
    principal_id BLOB NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX collections_of ON collections (principal_id, collection_id);

CREATE TABLE collection_items (
    collection_id BLOB NOT NULL,
    file_id BLOB NOT NULL,
    PRIMARY KEY (collection_id, file_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX collection_items_with ON collection_items (file_id);
