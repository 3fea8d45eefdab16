-- The models that a key may be used for: a JSON array of their ids, in the order given; null = every model.
ALTER TABLE keys ADD COLUMN models TEXT;
