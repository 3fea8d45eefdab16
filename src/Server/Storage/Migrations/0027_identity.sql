-- By which accounts elsewhere people sign in. connection names the provider, subject is the person's id there, and both together are who it
-- is: never the address, which people change and give away. email is what the provider told when it was connected, for its owner to read.
CREATE TABLE connections (
    connection    TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    person_no     BIGINT NOT NULL REFERENCES people (person_no),
    email         TEXT,
    created_at_ms BIGINT NOT NULL,
    used_at_ms    BIGINT NOT NULL,
    PRIMARY KEY (connection, subject)
);

CREATE INDEX connections_by_person ON connections (person_no, connection, subject);
