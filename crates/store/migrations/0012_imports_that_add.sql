-- Whether the conversation that an import is at got messages by a step before: its parts come in
-- with several, and only the last one tells whether anything of it was new.
ALTER TABLE imports ADD COLUMN adds INTEGER NOT NULL DEFAULT 0;
