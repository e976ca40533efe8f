-- How long a model's reasoning took, in milliseconds; NULL where there is none or nobody knows.
ALTER TABLE generations ADD COLUMN reasoning_ms INTEGER;
