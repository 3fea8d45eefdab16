-- Of the requests that passed, those that were answered with a status of 400 or more. Days before this one tell of none.
ALTER TABLE usage_hours ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_days ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_place_days ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_key_days ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
