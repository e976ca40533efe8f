-- What people keep, put away, delete and take back.
ALTER TABLE conversations ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN folder TEXT;
-- Not listed, not searched, not counted; erased some time after its last message.
ALTER TABLE conversations ADD COLUMN temporary INTEGER NOT NULL DEFAULT 0;
-- Hidden since then, and erased some time after it.
ALTER TABLE conversations ADD COLUMN deleted_at INTEGER;

-- In which list it stands: 0 the list, 1 the archive, 2 none.
ALTER TABLE conversations ADD COLUMN shelf INTEGER GENERATED ALWAYS AS
    (CASE WHEN deleted_at IS NOT NULL OR temporary = 1 THEN 2 ELSE archived END) VIRTUAL;
DROP INDEX conversations_of;
CREATE INDEX conversations_of
    ON conversations (principal_id, shelf, updated_at DESC, conversation_id DESC);
-- Few of many.
CREATE INDEX conversations_kept
    ON conversations (principal_id, shelf, updated_at DESC, conversation_id DESC)
    WHERE pinned = 1 OR folder IS NOT NULL;
CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX conversations_temporary ON conversations (updated_at) WHERE temporary = 1;
