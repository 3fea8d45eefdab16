-- id is a keyed hash of caller, method, path and Idempotency-Key; answer is sealed and goes early when it holds a secret.
CREATE TABLE idempotency (
    id            TEXT     NOT NULL PRIMARY KEY,
    request_hash  TEXT     NOT NULL,
    status        BIGINT   NOT NULL,
    holds_secret  SMALLINT NOT NULL,
    answer        BYTEA,
    created_at_ms BIGINT   NOT NULL
);

CREATE INDEX idempotency_by_age ON idempotency (created_at_ms);
CREATE INDEX idempotency_secrets ON idempotency (created_at_ms) WHERE holds_secret = 1 AND answer IS NOT NULL;
