-- Forms that somebody began to fill in about a contact and has not sent yet: they go with the call to whoever has it next
-- (docs/decisions/0085). No history: what was typed and never sent is kept for hours, sealed, and then gone.
-- Run by `store.schema.create` as the owner.

-- One row a form of a contact. `words` is null once it was sent or thrown away; the row stays for a while, so that whoever
-- has it open is told. `sealed_under`: contact (the contact's own key, which is destroyed with its person), or house.
CREATE TABLE web.begun (
    contact_id   text        NOT NULL,
    form         text        NOT NULL,
    key          text        NOT NULL,
    version      integer     NOT NULL,
    begun_by     text        NOT NULL,
    begun_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    typed_by     text        NOT NULL,
    typed_in     text        NOT NULL,
    typed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended        text        NOT NULL DEFAULT '',
    sealed_under text        NOT NULL,
    words        bytea,
    PRIMARY KEY (contact_id, form)
);
CREATE INDEX begun_typed_at_idx ON web.begun (typed_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON web.begun TO ringledger_writer;
