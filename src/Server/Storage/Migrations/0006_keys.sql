-- Which row of another system became which key, so that an import can be repeated. Neither hash can be confirmed without the pepper.
CREATE TABLE imported_keys (
    external_hash BYTEA  NOT NULL PRIMARY KEY, -- HMAC of the project and the external id
    content_hash  BYTEA  NOT NULL,             -- HMAC of what the row said
    key_no        BIGINT NOT NULL REFERENCES keys (key_no)
);
