-- What can be found, and under which number the index knows it: a message, or (no message) the
-- title of a conversation. Numbers of their own, because those of messages change in a VACUUM.
CREATE TABLE searched (
    id INTEGER PRIMARY KEY,
    conversation_id BLOB NOT NULL,
    message_id BLOB
) STRICT;
CREATE INDEX searched_of ON searched (conversation_id, message_id);

-- The words of what can be found, folded, with blanks between them; the texts are in their tables.
-- The owner is a word too, so that a match looks at the texts of one person only.
CREATE VIRTUAL TABLE search USING fts5 (
    principal, words,
    content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3'
);

-- What was there before the index: the next start puts it in, piece by piece.
CREATE TABLE search_due (
    id INTEGER PRIMARY KEY,
    conversation_id BLOB NOT NULL,
    message_id BLOB
) STRICT;
INSERT INTO search_due (conversation_id, message_id)
    SELECT conversation_id, NULL FROM conversations ORDER BY created_at;
INSERT INTO search_due (conversation_id, message_id)
    SELECT conversation_id, message_id FROM messages WHERE content <> '' ORDER BY rowid;
