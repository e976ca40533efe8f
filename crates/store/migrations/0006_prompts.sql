-- Texts that a person asks again and again.
CREATE TABLE prompts (
    principal_id BLOB NOT NULL,
    -- Chosen by the client.
    prompt_id BLOB NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (principal_id, prompt_id)
) STRICT;
