-- The index is merged a little after each text, and not much after many: nobody waits for that.
INSERT INTO search (search, rank) VALUES ('automerge', 0);
