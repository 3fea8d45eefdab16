-- What each request did, in numbers only. A name that comes again and again stands once, in a dictionary.
CREATE TABLE models (
    model_no BIGINT NOT NULL PRIMARY KEY, -- 1 to 10,000; 0 stands for no model
    name     TEXT   NOT NULL UNIQUE
);

-- Where a key lives, which never changes: its project and its environment. What lists usage of many keys goes by this.
CREATE TABLE usage_places (
    place_no    BIGINT NOT NULL PRIMARY KEY,
    project_no  BIGINT NOT NULL,
    environment TEXT   NOT NULL,
    UNIQUE (project_no, environment)
);

-- A request that passed, once it is known what it came to. The request's number guards against booking it twice, and rises with time.
CREATE TABLE usage_log (
    request_no    BIGINT   NOT NULL PRIMARY KEY,
    key_no        BIGINT   NOT NULL,
    place_no      BIGINT   NOT NULL,
    at_ms         BIGINT   NOT NULL, -- when it was admitted
    model_no      SMALLINT NOT NULL,
    price_version INTEGER  NOT NULL,
    input_tokens  BIGINT   NOT NULL,
    output_tokens BIGINT   NOT NULL,
    cost_micros   BIGINT,            -- null where no price was asked
    loss_micros   BIGINT   NOT NULL,
    status        INTEGER  NOT NULL, -- 0 where nobody told
    latency_ms    BIGINT   NOT NULL,
    flags         SMALLINT NOT NULL
);

CREATE INDEX usage_log_by_key ON usage_log (key_no, request_no);
CREATE INDEX usage_log_by_place ON usage_log (place_no, request_no);

-- A request that was refused though its key is known. Kept for days only.
CREATE TABLE refusals (
    request_no      BIGINT   NOT NULL PRIMARY KEY,
    key_no          BIGINT   NOT NULL,
    place_no        BIGINT   NOT NULL,
    at_ms           BIGINT   NOT NULL,
    model_no        SMALLINT NOT NULL,
    code            SMALLINT NOT NULL,
    limit_name      TEXT,
    limit_amount    BIGINT   NOT NULL,
    limit_remaining BIGINT   NOT NULL,
    retry_at_ms     BIGINT   NOT NULL  -- 0 where it is not a matter of time
);

CREATE INDEX refusals_by_key ON refusals (key_no, request_no);
CREATE INDEX refusals_by_place ON refusals (place_no, request_no);

-- Which request numbers an hour has, so that a span of time is a span of numbers and the log needs no index by time.
CREATE TABLE usage_spans (
    hour_ms    BIGINT NOT NULL PRIMARY KEY,
    lowest_no  BIGINT NOT NULL,
    highest_no BIGINT NOT NULL
);

-- Sums by key, model and hour, and by day, kept for good.
CREATE TABLE usage_hours (
    key_no        BIGINT NOT NULL,
    from_ms       BIGINT NOT NULL,
    model_no      BIGINT NOT NULL,
    place_no      BIGINT NOT NULL,
    requests      BIGINT NOT NULL,
    refused       BIGINT NOT NULL,
    input_tokens  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_micros   BIGINT NOT NULL,
    loss_micros   BIGINT NOT NULL,
    priced        BIGINT NOT NULL, -- of the requests, those whose cost is known
    estimated     BIGINT NOT NULL, -- of the requests, those whose tokens are an estimate
    PRIMARY KEY (key_no, from_ms, model_no)
);

CREATE INDEX usage_hours_by_place ON usage_hours (place_no, from_ms);

CREATE TABLE usage_days (
    key_no        BIGINT NOT NULL,
    from_ms       BIGINT NOT NULL,
    model_no      BIGINT NOT NULL,
    place_no      BIGINT NOT NULL,
    requests      BIGINT NOT NULL,
    refused       BIGINT NOT NULL,
    input_tokens  BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_micros   BIGINT NOT NULL,
    loss_micros   BIGINT NOT NULL,
    priced        BIGINT NOT NULL,
    estimated     BIGINT NOT NULL,
    PRIMARY KEY (key_no, from_ms, model_no)
);

CREATE INDEX usage_days_by_place ON usage_days (place_no, from_ms);

-- When a key was last used by a request that passed.
CREATE TABLE usage_keys (
    key_no          BIGINT NOT NULL PRIMARY KEY,
    last_used_at_ms BIGINT NOT NULL
);

-- Published for those who show a key.
CREATE VIEW last_uses AS SELECT key_no, last_used_at_ms FROM usage_keys;
