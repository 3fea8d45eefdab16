-- The expiry date of which webhooks were told; a key with another date is told of anew. The index holds those still to be told.
ALTER TABLE keys ADD COLUMN expiring_told_ms BIGINT;

CREATE INDEX keys_expiring ON keys (expires_at_ms, key_no)
WHERE revoked_at_ms IS NULL AND deleted_at_ms IS NULL AND (expiring_told_ms IS NULL OR expiring_told_ms <> expires_at_ms);
