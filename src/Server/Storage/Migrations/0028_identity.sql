-- The second step of a sign-in: the secret that a person's app counts codes from, sealed under the person's id. last_step is the newest
-- span of time whose code was used: none is good twice.
CREATE TABLE authenticators (
    person_no     BIGINT NOT NULL PRIMARY KEY REFERENCES people (person_no),
    secret        BYTEA  NOT NULL,
    last_step     BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- Codes for who has lost the app, as hashes, each good for one use: one that was used has no row any more.
CREATE TABLE recovery_codes (
    person_no BIGINT NOT NULL REFERENCES people (person_no),
    code_hash BYTEA  NOT NULL,
    PRIMARY KEY (person_no, code_hash)
);

-- Of a sign-in that waits for its second step: by what the first one was.
ALTER TABLE links ADD COLUMN method TEXT;
