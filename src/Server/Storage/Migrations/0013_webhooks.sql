-- Where an organization wants to be told of what happens, and what it is told: the outbox. A row of webhook_deliveries is written in the
-- transaction of the change that it tells of, once for each webhook that asked for its type.
-- events: names separated by spaces, with a space at either end, or ' * '. secret: sealed; empty once the webhook is deleted.
-- due_at_ms is the earliest due_at_ms of its pending deliveries, but not before rest_until_ms; null when none is pending.
CREATE TABLE webhooks (
    webhook_no            BIGINT   NOT NULL PRIMARY KEY,
    id                    TEXT     NOT NULL UNIQUE,
    organization_no       BIGINT   NOT NULL REFERENCES organizations (organization_no),
    organization_id       TEXT     NOT NULL,
    url                   TEXT     NOT NULL,
    description           TEXT,
    events                TEXT     NOT NULL,
    enabled               SMALLINT NOT NULL,
    disabled_reason       TEXT,
    disabled_at_ms        BIGINT,
    secret                BYTEA    NOT NULL,
    old_secret            BYTEA,
    old_secret_ends_at_ms BIGINT,
    pending               BIGINT   NOT NULL,
    dropped               BIGINT   NOT NULL,
    failures              BIGINT   NOT NULL,
    failing_since_ms      BIGINT,
    rest_until_ms         BIGINT,
    due_at_ms             BIGINT,
    created_at_ms         BIGINT   NOT NULL,
    deleted_at_ms         BIGINT,
    row_version           BIGINT   NOT NULL
);

CREATE INDEX webhooks_by_organization ON webhooks (organization_no, webhook_no) WHERE deleted_at_ms IS NULL;
CREATE INDEX webhooks_by_organization_id ON webhooks (organization_id, webhook_no) WHERE deleted_at_ms IS NULL;
CREATE INDEX webhooks_due ON webhooks (due_at_ms) WHERE enabled = 1 AND deleted_at_ms IS NULL AND due_at_ms IS NOT NULL;
CREATE INDEX webhooks_deleted ON webhooks (webhook_no) WHERE deleted_at_ms IS NOT NULL;

-- state: 0 pending, 1 delivered, 2 failed. message_id is what receivers know an event by, the same for every webhook and every attempt.
CREATE TABLE webhook_deliveries (
    delivery_no     BIGINT   NOT NULL PRIMARY KEY,
    id              TEXT     NOT NULL UNIQUE,
    webhook_no      BIGINT   NOT NULL REFERENCES webhooks (webhook_no),
    message_id      TEXT     NOT NULL,
    type            TEXT     NOT NULL,
    body            BYTEA    NOT NULL,
    state           SMALLINT NOT NULL,
    attempts        BIGINT   NOT NULL,
    due_at_ms       BIGINT,
    attempted_at_ms BIGINT,
    response_status BIGINT,
    error           TEXT,
    duration_ms     BIGINT,
    created_at_ms   BIGINT   NOT NULL,
    finished_at_ms  BIGINT
);

CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_no, delivery_no);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_no, due_at_ms, delivery_no) WHERE state = 0;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (created_at_ms) WHERE state = 0;
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at_ms) WHERE state <> 0;
