-- What all keys of a project used of one model: its days lie together. Days of all models together are kept apart by now.
CREATE INDEX usage_days_by_model ON usage_days (place_no, model_no, from_ms);
DROP INDEX usage_days_by_place;
