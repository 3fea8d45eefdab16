-- Whose own an organization is.
CREATE INDEX people_by_organization ON people (organization_id);
