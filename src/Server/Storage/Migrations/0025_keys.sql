-- Keys by who has made them: a person, or another key.
CREATE INDEX keys_by_maker ON keys (created_by);
