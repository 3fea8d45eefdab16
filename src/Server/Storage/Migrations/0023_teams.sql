-- Organizations of more than one person. One that is not here is somebody's own, or the operator's.
CREATE TABLE teams (
    organization_no BIGINT NOT NULL PRIMARY KEY REFERENCES organizations (organization_no),
    created_at_ms   BIGINT NOT NULL
);

-- role: owner, admin, billing or member.
CREATE TABLE team_members (
    member_no       BIGINT NOT NULL PRIMARY KEY,
    organization_no BIGINT NOT NULL REFERENCES teams (organization_no),
    person_no       BIGINT NOT NULL REFERENCES people (person_no),
    person_id       TEXT   NOT NULL,
    role            TEXT   NOT NULL,
    joined_at_ms    BIGINT NOT NULL,
    UNIQUE (organization_no, person_no)
);

CREATE INDEX team_members_by_person ON team_members (person_id, organization_no);

-- One that was used, withdrawn or replaced has no row. secret_hash is of what stands in the mail's link, under the pepper; email_key is the
-- canonical address that alone may use it.
CREATE TABLE team_invitations (
    invitation_no   BIGINT NOT NULL PRIMARY KEY,
    id              TEXT   NOT NULL UNIQUE,
    organization_no BIGINT NOT NULL REFERENCES teams (organization_no),
    email           TEXT   NOT NULL,
    email_key       TEXT   NOT NULL,
    role            TEXT   NOT NULL,
    secret_hash     BYTEA  NOT NULL UNIQUE,
    inviter         TEXT   NOT NULL,
    created_at_ms   BIGINT NOT NULL,
    ends_at_ms      BIGINT NOT NULL,
    UNIQUE (organization_no, email_key)
);

CREATE INDEX team_invitations_by_end ON team_invitations (ends_at_ms);
