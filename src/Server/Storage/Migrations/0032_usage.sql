-- When a key was last used by a request that came with a secret that a rotation had replaced.
CREATE TABLE old_secret_uses (
    key_no     BIGINT NOT NULL PRIMARY KEY,
    used_at_ms BIGINT NOT NULL
);
