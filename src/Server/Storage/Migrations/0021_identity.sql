-- People who sign in. email is as it was typed, email_key its canonical form, by which it is found and kept unique. stamp changes with
-- each change of rights. organization_id is the personal organization, the operator's for an operator.
CREATE TABLE people (
    person_no       BIGINT   NOT NULL PRIMARY KEY,
    id              TEXT     NOT NULL UNIQUE,
    name            TEXT     NOT NULL,
    email           TEXT,
    email_key       TEXT,
    verified_at_ms  BIGINT,
    password_hash   TEXT,
    stamp           TEXT     NOT NULL,
    is_operator     SMALLINT NOT NULL,
    organization_id TEXT     NOT NULL,
    disabled_at_ms  BIGINT,
    deleted_at_ms   BIGINT,
    created_at_ms   BIGINT   NOT NULL,
    row_version     BIGINT   NOT NULL
);

CREATE UNIQUE INDEX people_by_email ON people (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX people_operators ON people (person_no) WHERE is_operator = 1;

-- Who is signed in where. A session that has ended has no row; the audit log tells of it. proved_at_ms is when the person last proved
-- who it is.
CREATE TABLE sessions (
    session_no    BIGINT NOT NULL PRIMARY KEY,
    id            TEXT   NOT NULL UNIQUE,
    secret_hash   BYTEA  NOT NULL UNIQUE,
    person_no     BIGINT NOT NULL REFERENCES people (person_no),
    method        TEXT   NOT NULL,
    address       TEXT,
    device        TEXT   NOT NULL,
    created_at_ms BIGINT NOT NULL,
    proved_at_ms  BIGINT NOT NULL,
    seen_at_ms    BIGINT NOT NULL,
    ends_at_ms    BIGINT NOT NULL
);

CREATE INDEX sessions_by_person ON sessions (person_no, session_no);
CREATE INDEX sessions_by_end ON sessions (ends_at_ms);

-- Links that are sent by mail or printed, each good for one use. email is the address that a use of it proves. A sign-up is a link alone
-- until it is used: email_key, name and password_hash are of the person that it then makes, and person_no is null. A row with neither is
-- nobody's, and is there so that an answer takes the same work.
CREATE TABLE links (
    link_no       BIGINT NOT NULL PRIMARY KEY,
    kind          TEXT   NOT NULL,
    secret_hash   BYTEA  NOT NULL UNIQUE,
    person_no     BIGINT REFERENCES people (person_no),
    email         TEXT,
    email_key     TEXT,
    name          TEXT,
    password_hash TEXT,
    created_at_ms BIGINT NOT NULL,
    ends_at_ms    BIGINT NOT NULL
);

CREATE INDEX links_by_person ON links (person_no) WHERE person_no IS NOT NULL;
CREATE INDEX links_by_email ON links (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX links_by_end ON links (ends_at_ms);

-- On which devices somebody has signed in, as hashes: a mail tells of another one.
CREATE TABLE person_devices (
    person_no   BIGINT NOT NULL REFERENCES people (person_no),
    device_hash BYTEA  NOT NULL,
    seen_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (person_no, device_hash)
);
