-- Who is in a project of a team, as what; who leaves the team leaves its projects. role: admin, member or viewer.
CREATE TABLE project_members (
    project_no      BIGINT NOT NULL REFERENCES projects (project_no),
    member_no       BIGINT NOT NULL REFERENCES team_members (member_no) ON DELETE CASCADE,
    organization_no BIGINT NOT NULL,
    role            TEXT   NOT NULL,
    added_at_ms     BIGINT NOT NULL,
    PRIMARY KEY (project_no, member_no)
);

CREATE INDEX project_members_by_member ON project_members (member_no, project_no);
