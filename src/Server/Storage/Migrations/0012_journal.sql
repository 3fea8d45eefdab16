-- How far each spool was taken in. A spool is a file beside one gate; its events up to this one are in the database, once and for good.
CREATE TABLE journal (
    spool        TEXT   NOT NULL PRIMARY KEY,
    folded       BIGINT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    closed_at_ms BIGINT              -- null while a gate runs on it, or ended without closing it
);

-- Requests that passed and are not settled yet.
CREATE TABLE reservations (
    request_no      BIGINT   NOT NULL PRIMARY KEY,
    key_no          BIGINT   NOT NULL,
    organization_no BIGINT   NOT NULL,
    admitted_at_ms  BIGINT   NOT NULL,
    clock_ms        BIGINT   NOT NULL, -- the clock of windows at its admission
    model_no        SMALLINT NOT NULL,
    price_version   INTEGER  NOT NULL,
    held_micros     BIGINT   NOT NULL,
    input_booked    BIGINT   NOT NULL, -- tokens counted at admission
    output_booked   BIGINT   NOT NULL,
    input_marked    BIGINT   NOT NULL, -- how far it has come, as it last told; before that, its input
    output_marked   BIGINT   NOT NULL,
    cost_marked     BIGINT   NOT NULL,
    marked_at_ms    BIGINT   NOT NULL, -- 0 until it tells
    limits          INTEGER  NOT NULL, -- in which it is counted, a bit each by number
    lasting_limits  INTEGER  NOT NULL,
    flags           SMALLINT NOT NULL
);

-- What was counted in windows of an hour and longer, slot by slot, so that they outlast a restart.
CREATE TABLE window_counts (
    key_no     BIGINT NOT NULL,
    limit_name TEXT   NOT NULL,
    slot_ms    BIGINT NOT NULL, -- where the slot begins
    amount     BIGINT NOT NULL,
    PRIMARY KEY (key_no, limit_name, slot_ms)
);

CREATE INDEX window_counts_by_slot ON window_counts (slot_ms);

-- Published for those who show a request: it has passed and is under way.
CREATE VIEW open_requests AS
SELECT request_no, key_no, admitted_at_ms AS at_ms, model_no, input_booked, output_booked FROM reservations;
