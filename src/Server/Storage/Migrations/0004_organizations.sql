-- Organizations own projects; projects own keys. Numbers are what other tables and the Engine refer to, ids are what people see.
CREATE TABLE organizations (
    organization_no BIGINT NOT NULL PRIMARY KEY,
    id              TEXT   NOT NULL UNIQUE,
    name            TEXT   NOT NULL,
    is_operator     SMALLINT NOT NULL,
    suspended_at_ms BIGINT,
    deleted_at_ms   BIGINT,
    created_at_ms   BIGINT NOT NULL,
    row_version     BIGINT NOT NULL
);

CREATE TABLE projects (
    project_no      BIGINT NOT NULL PRIMARY KEY,
    id              TEXT   NOT NULL UNIQUE,
    organization_no BIGINT NOT NULL REFERENCES organizations (organization_no),
    name            TEXT   NOT NULL,
    deleted_at_ms   BIGINT,
    created_at_ms   BIGINT NOT NULL,
    row_version     BIGINT NOT NULL
);

CREATE INDEX projects_by_organization ON projects (organization_no, project_no);

-- Published for the rooms that follow: whose project it is, and whether it is open (0), suspended (1) or deleted (2).
CREATE VIEW project_owners AS
SELECT p.project_no,
       p.id AS project_id,
       o.id AS organization_id,
       o.organization_no,
       CASE
           WHEN p.deleted_at_ms IS NOT NULL OR o.deleted_at_ms IS NOT NULL THEN 2
           WHEN o.suspended_at_ms IS NOT NULL THEN 1
           ELSE 0
       END AS state,
       p.row_version + o.row_version AS version,
       o.is_operator
FROM projects p
JOIN organizations o ON o.organization_no = p.organization_no;
