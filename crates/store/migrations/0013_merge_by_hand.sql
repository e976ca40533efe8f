-- The index is merged a little every few texts, and not much after many: somebody waits for that.
INSERT INTO search (search, rank) VALUES ('automerge', 0);
