-- Gapless numbers: a rolled-back transaction takes none.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- What changed, in commit order; each replica's feed reads on from the last seq it saw.
CREATE TABLE changes (
    seq       BIGINT NOT NULL PRIMARY KEY,
    kind      TEXT   NOT NULL,
    target_no BIGINT NOT NULL,
    version   BIGINT NOT NULL,
    at_ms     BIGINT NOT NULL
);

-- Facts about the database itself: the provider it belongs to, the pepper's check value, the root key's hash.
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
