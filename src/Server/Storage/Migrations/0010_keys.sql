-- Limits of one key below its plan's: a JSON object, the name of the limit in the provider file to the amount.
ALTER TABLE keys ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';

-- Keys made and secrets renewed, each with its exact time, for as long as the provider file's limit on key operations looks back.
CREATE TABLE key_operations (
    operation_no    BIGINT NOT NULL PRIMARY KEY,
    person          TEXT   NOT NULL, -- who asked, by id
    organization_no BIGINT NOT NULL,
    at_ms           BIGINT NOT NULL
);

CREATE INDEX key_operations_by_person ON key_operations (person, at_ms);
CREATE INDEX key_operations_by_organization ON key_operations (organization_no, at_ms);
CREATE INDEX key_operations_by_age ON key_operations (at_ms);
