-- What a long conversation and a person with many of them need, so that nothing is counted or
-- sorted while somebody waits.

-- How many messages the branch has that ends here, this one counted.
ALTER TABLE messages ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
WITH RECURSIVE tree (message_id, conversation_id, depth) AS (
    SELECT message_id, conversation_id, 1 FROM messages WHERE parent_id IS NULL
    UNION ALL
    SELECT m.message_id, m.conversation_id, t.depth + 1 FROM tree t
    CROSS JOIN messages m ON m.conversation_id = t.conversation_id AND m.parent_id = t.message_id
)
UPDATE messages SET depth = tree.depth FROM tree WHERE messages.message_id = tree.message_id;

-- Without the id: so the newest is the last, as rowids tell it.
DROP INDEX generations_of;
CREATE INDEX generations_of ON generations (conversation_id);
DROP INDEX generations_open;
CREATE INDEX generations_open ON generations (conversation_id)
    WHERE state IN ('queued', 'running', 'interrupted');

-- What a person has.
CREATE TABLE counts (
    principal_id BLOB PRIMARY KEY,
    conversations INTEGER NOT NULL,
    answers INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counts (principal_id, conversations, answers)
    SELECT c.principal_id, count(DISTINCT c.conversation_id), count(g.generation_id)
    FROM conversations c LEFT JOIN generations g ON g.conversation_id = c.conversation_id
    GROUP BY c.principal_id;
