-- Addresses of pages that belong to a collection: a JSON array, in the person's order.
ALTER TABLE collections ADD COLUMN urls TEXT NOT NULL DEFAULT '[]';
