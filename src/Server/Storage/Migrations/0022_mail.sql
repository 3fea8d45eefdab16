-- What the gate has to tell people, from the change that it tells of until it is sent: the outbox of mails.
-- letter: to whom, subject and both parts, sealed under the id; empty once it is done with. state: 0 waiting, 1 sent, 2 given up, 3 blank.
-- blank: 1 for a row that is never sent and is there so that its caller takes the same time.
CREATE TABLE mail_outbox (
    mail_no         BIGINT   NOT NULL PRIMARY KEY,
    id              TEXT     NOT NULL UNIQUE,
    template        TEXT     NOT NULL,
    letter          BYTEA    NOT NULL,
    state           SMALLINT NOT NULL,
    blank           SMALLINT NOT NULL,
    attempts        BIGINT   NOT NULL,
    due_at_ms       BIGINT,
    until_ms        BIGINT   NOT NULL,
    attempted_at_ms BIGINT,
    error           TEXT,
    created_at_ms   BIGINT   NOT NULL,
    finished_at_ms  BIGINT
);

CREATE INDEX mail_outbox_due ON mail_outbox (due_at_ms, mail_no) WHERE state = 0;
CREATE INDEX mail_outbox_finished ON mail_outbox (finished_at_ms) WHERE state <> 0;
