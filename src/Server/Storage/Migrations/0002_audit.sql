-- Who did what. Each row holds the hash of the one before it.
CREATE TABLE audit (
    seq             BIGINT NOT NULL PRIMARY KEY,
    at_ms           BIGINT NOT NULL,
    actor_type      TEXT   NOT NULL,
    actor_id        TEXT   NOT NULL,
    actor_name      TEXT   NOT NULL,
    action          TEXT   NOT NULL,
    target_type     TEXT   NOT NULL,
    target_id       TEXT   NOT NULL,
    organization_id TEXT,
    project_id      TEXT,
    environment     TEXT,
    before_json     TEXT,
    after_json      TEXT,
    reason          TEXT,
    address         TEXT,
    user_agent      TEXT,
    request_id      TEXT   NOT NULL,
    prev_hash       TEXT   NOT NULL,
    hash            TEXT   NOT NULL
);

CREATE INDEX audit_by_project ON audit (project_id, seq);
CREATE INDEX audit_by_organization ON audit (organization_id, seq);
CREATE INDEX audit_by_target ON audit (target_id, seq);

-- One row: where the chain ends, so that a cut-off tail is noticed too.
CREATE TABLE audit_head (
    id   SMALLINT NOT NULL PRIMARY KEY,
    seq  BIGINT   NOT NULL,
    hash TEXT     NOT NULL
);

INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
