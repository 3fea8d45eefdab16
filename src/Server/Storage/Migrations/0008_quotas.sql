-- How many an organization has of the things that its plan bounds, by the quota's name in the provider file. No row means none.
CREATE TABLE quotas (
    organization_no BIGINT NOT NULL,
    name            TEXT   NOT NULL,
    used            BIGINT NOT NULL,
    row_version     BIGINT NOT NULL,
    PRIMARY KEY (organization_no, name)
);
