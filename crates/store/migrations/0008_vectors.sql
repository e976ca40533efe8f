-- Where passages lie in the space of a model of embeddings: some that follow each other in one row,
-- so that a search through all of a document reads few. A vector is as many signed bytes as the
-- model has numbers; one that leads nowhere is all zeros, and a row of those alone has no bytes.
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL,
    -- Vectors of different models have nothing to do with each other.
    model TEXT NOT NULL,
    -- Of the first passage, and how many there are.
    ordinal INTEGER NOT NULL,
    count INTEGER NOT NULL,
    vectors BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX vectors_of ON vectors (document, model, ordinal);
