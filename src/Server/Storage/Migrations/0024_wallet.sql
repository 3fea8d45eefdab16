-- How much of the balance was granted and not paid for. It is spent first, and stays where it is when what was paid moves elsewhere. What
-- was put in ahead of this column counts as paid.
ALTER TABLE wallets ADD COLUMN granted_micros BIGINT NOT NULL DEFAULT 0 CHECK (granted_micros >= 0);
