-- Passkeys: keys whose other half a device of the person keeps. sign_count grows with each use where the device counts, else it stays 0.
CREATE TABLE passkeys (
    credential_id      BYTEA    NOT NULL PRIMARY KEY,
    person_no          BIGINT   NOT NULL REFERENCES people (person_no),
    name               TEXT     NOT NULL,
    public_key         BYTEA    NOT NULL,
    sign_count         BIGINT   NOT NULL,
    transports         TEXT     NOT NULL,
    is_backup_eligible SMALLINT NOT NULL,
    is_backed_up       SMALLINT NOT NULL,
    created_at_ms      BIGINT   NOT NULL,
    used_at_ms         BIGINT   NOT NULL
);

CREATE INDEX passkeys_by_person ON passkeys (person_no, created_at_ms);
