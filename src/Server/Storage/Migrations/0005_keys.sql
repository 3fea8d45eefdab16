-- A key is an entry with a stable id, name and permissions; its secrets are versions of it, two live ones during a rotation grace.
CREATE TABLE keys (
    key_no            BIGINT NOT NULL PRIMARY KEY,
    id                TEXT   NOT NULL UNIQUE,
    project_no        BIGINT NOT NULL REFERENCES projects (project_no),
    environment       TEXT   NOT NULL,
    type              TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    description       TEXT,
    permissions       TEXT   NOT NULL, -- JSON array of action names, in the order given
    scopes            TEXT   NOT NULL, -- JSON array of scope names, in the order given
    rights            TEXT   NOT NULL, -- JSON array of management rights, in the order given
    allowed_addresses TEXT   NOT NULL, -- JSON array of CIDR ranges; empty = from anywhere
    metadata          TEXT   NOT NULL, -- JSON object
    expires_at_ms     BIGINT,
    holds             BIGINT NOT NULL,
    revoked_at_ms     BIGINT,
    deleted_at_ms     BIGINT,
    created_at_ms     BIGINT NOT NULL,
    created_by        TEXT   NOT NULL,
    row_version       BIGINT NOT NULL
);

CREATE INDEX keys_by_project ON keys (project_no, key_no);

CREATE TABLE secrets (
    key_no        BIGINT NOT NULL REFERENCES keys (key_no),
    version       BIGINT NOT NULL,
    hash          BYTEA  NOT NULL UNIQUE, -- HMAC-SHA256(pepper, SHA-256(secret))
    mask          TEXT   NOT NULL,
    sealed        BYTEA,                  -- the secret under AES-256-GCM, only where the provider file says revealable
    created_at_ms BIGINT NOT NULL,
    ends_at_ms    BIGINT,                 -- null = live until the key ends
    PRIMARY KEY (key_no, version)
);
