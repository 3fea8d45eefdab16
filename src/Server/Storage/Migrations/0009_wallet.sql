-- What organizations can pay with, in millionths of the currency's unit: the sum of their entries, and never below nothing.
CREATE TABLE wallets (
    organization_no BIGINT NOT NULL PRIMARY KEY REFERENCES organizations (organization_no),
    balance_micros  BIGINT NOT NULL CHECK (balance_micros >= 0),
    entries         BIGINT NOT NULL -- how many there are, and the number of the last
);

-- Every movement of money. Rows are appended and never changed; an external id is used once in an organization, for good.
CREATE TABLE wallet_entries (
    organization_no      BIGINT NOT NULL REFERENCES wallets (organization_no),
    entry_no             BIGINT NOT NULL, -- from 1 in each organization, without gaps
    kind                 TEXT   NOT NULL, -- top_up, adjustment, refund, usage
    amount_micros        BIGINT NOT NULL,
    balance_after_micros BIGINT NOT NULL,
    uncovered_micros     BIGINT NOT NULL, -- of usage: what it cost beyond what was there; the operator's loss
    requests             BIGINT,          -- of usage: how many
    external_id          TEXT,            -- null for usage, which the journal books once by itself
    note                 TEXT,
    created_at_ms        BIGINT NOT NULL,
    actor                TEXT   NOT NULL,
    PRIMARY KEY (organization_no, entry_no),
    UNIQUE (organization_no, external_id)
);

-- What models cost from when on; a row of usage names the version it was priced by.
CREATE TABLE price_lists (
    version  BIGINT NOT NULL PRIMARY KEY, -- 1 to 65,535
    content  TEXT   NOT NULL,             -- JSON: the currency, and for each model the price of a million tokens in and out
    since_ms BIGINT NOT NULL
);
