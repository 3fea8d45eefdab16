-- A webhook of one project hears of that project's keys alone; null hears of all of the organization.
ALTER TABLE webhooks ADD COLUMN project_id TEXT;

DROP INDEX webhooks_by_organization;
DROP INDEX webhooks_by_organization_id;
CREATE INDEX webhooks_by_organization ON webhooks (organization_no, project_id, webhook_no) WHERE deleted_at_ms IS NULL;
CREATE INDEX webhooks_by_organization_id ON webhooks (organization_id, project_id, webhook_no) WHERE deleted_at_ms IS NULL;
