-- The sums by day once more, without the keys and without the models: a page about a project of a thousand keys reads a month of the first
-- in a hundred rows, and of the second in thirty thousand, where usage_days has a hundred thousand and more.
CREATE TABLE usage_place_days (
    place_no         BIGINT NOT NULL,
    from_ms          BIGINT NOT NULL,
    model_no         BIGINT NOT NULL,
    requests         BIGINT NOT NULL,
    refused          BIGINT NOT NULL,
    input_tokens     BIGINT NOT NULL,
    output_tokens    BIGINT NOT NULL,
    cost_micros      BIGINT NOT NULL,
    loss_micros      BIGINT NOT NULL,
    priced           BIGINT NOT NULL,
    estimated        BIGINT NOT NULL,
    cached_tokens    BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    PRIMARY KEY (place_no, from_ms, model_no)
);

CREATE TABLE usage_key_days (
    place_no         BIGINT NOT NULL,
    from_ms          BIGINT NOT NULL,
    key_no           BIGINT NOT NULL,
    requests         BIGINT NOT NULL,
    refused          BIGINT NOT NULL,
    input_tokens     BIGINT NOT NULL,
    output_tokens    BIGINT NOT NULL,
    cost_micros      BIGINT NOT NULL,
    loss_micros      BIGINT NOT NULL,
    priced           BIGINT NOT NULL,
    estimated        BIGINT NOT NULL,
    cached_tokens    BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    PRIMARY KEY (place_no, from_ms, key_no)
);

INSERT INTO usage_place_days (place_no, from_ms, model_no, requests, refused, input_tokens, output_tokens, cost_micros,
    loss_micros, priced, estimated, cached_tokens, reasoning_tokens)
SELECT place_no, from_ms, model_no, CAST(sum(requests) AS BIGINT), CAST(sum(refused) AS BIGINT), CAST(sum(input_tokens) AS BIGINT),
       CAST(sum(output_tokens) AS BIGINT),
       CAST(sum(cost_micros) AS BIGINT), CAST(sum(loss_micros) AS BIGINT), CAST(sum(priced) AS BIGINT), CAST(sum(estimated) AS BIGINT),
       CAST(sum(cached_tokens) AS BIGINT), CAST(sum(reasoning_tokens) AS BIGINT)
FROM usage_days GROUP BY place_no, from_ms, model_no;

INSERT INTO usage_key_days (place_no, from_ms, key_no, requests, refused, input_tokens, output_tokens, cost_micros,
    loss_micros, priced, estimated, cached_tokens, reasoning_tokens)
SELECT place_no, from_ms, key_no, CAST(sum(requests) AS BIGINT), CAST(sum(refused) AS BIGINT), CAST(sum(input_tokens) AS BIGINT),
       CAST(sum(output_tokens) AS BIGINT),
       CAST(sum(cost_micros) AS BIGINT), CAST(sum(loss_micros) AS BIGINT), CAST(sum(priced) AS BIGINT), CAST(sum(estimated) AS BIGINT),
       CAST(sum(cached_tokens) AS BIGINT), CAST(sum(reasoning_tokens) AS BIGINT)
FROM usage_days GROUP BY place_no, from_ms, key_no;

-- As of the others that are added to again and again.
-- postgresql: ALTER TABLE usage_place_days SET (fillfactor = 50);
-- postgresql: ALTER TABLE usage_key_days SET (fillfactor = 50);
