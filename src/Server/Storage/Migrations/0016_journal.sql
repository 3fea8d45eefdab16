-- Which report became which request, so that a server may repeat one. Neither hash tells what it is of.
CREATE TABLE reported_requests (
    id_hash      BYTEA    NOT NULL PRIMARY KEY, -- of the key and the report's own idempotency key
    content_hash BYTEA    NOT NULL,
    request_no   BIGINT   NOT NULL,
    booked       SMALLINT NOT NULL,             -- 1 once its line was in the log, however long the log keeps it
    at_ms        BIGINT   NOT NULL
);

CREATE INDEX reported_requests_by_age ON reported_requests (at_ms);
