-- Each step that puts texts in merges a little of the index (docs/adr/0014-search-index.md), instead
-- of FTS5 much at once after many steps: tokens wait for that.
INSERT INTO search (search, rank) VALUES ('automerge', 0);
