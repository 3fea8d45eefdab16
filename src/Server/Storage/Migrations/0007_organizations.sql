-- An organization's plan, by its name in the provider file; null for the file's default, whichever that is.
ALTER TABLE organizations ADD COLUMN plan TEXT;

-- The same view as before, with the plan: views of both databases are only ever replaced whole.
DROP VIEW project_owners;

CREATE VIEW project_owners AS
SELECT p.project_no,
       p.id AS project_id,
       o.id AS organization_id,
       o.organization_no,
       o.plan,
       CASE
           WHEN p.deleted_at_ms IS NOT NULL OR o.deleted_at_ms IS NOT NULL THEN 2
           WHEN o.suspended_at_ms IS NOT NULL THEN 1
           ELSE 0
       END AS state,
       p.row_version + o.row_version AS version,
       o.is_operator
FROM projects p
JOIN organizations o ON o.organization_no = p.organization_no;
