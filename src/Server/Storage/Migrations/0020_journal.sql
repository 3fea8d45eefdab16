-- Events of a spool as they are, from one to another without a gap: in the database before what follows from them is. The fold that books
-- them removes the row in its write, so a row that is there is not booked.
CREATE TABLE journal_seals (
    spool  TEXT   NOT NULL,
    first  BIGINT NOT NULL,
    last   BIGINT NOT NULL,
    format BIGINT NOT NULL, -- of the events, as in the spool's header
    events BYTEA  NOT NULL,
    PRIMARY KEY (spool, first)
);
