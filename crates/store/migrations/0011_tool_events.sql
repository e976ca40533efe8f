-- The steps of an answer's tool calls as JSON, in their order; NULL where there are none.
ALTER TABLE generations ADD COLUMN tool_events TEXT;
