-- What makes the past quick to look at, and proves the log at night. All of it may be lost: it is made anew from the log.
-- Run by `store.schema.create` as the owner.

CREATE SCHEMA past;
GRANT USAGE ON SCHEMA past TO ringledger_projector, ringledger_reader, ringledger_writer;

-- The live state after the record at `position`, frozen, for the code whose `shape` this is. No personal text is in it,
-- only where in the log each stands. `lowest_at` is the earliest time among the records since the snapshot before, and
-- `highest_at` the latest of all up to here: where the first is far below the second, a clock was put back.
CREATE TABLE past.snapshots (
    shape      text        NOT NULL,
    position   bigint      NOT NULL,
    lowest_at  bigint      NOT NULL,
    highest_at bigint      NOT NULL,
    state      bytea       NOT NULL,
    digest     bytea       NOT NULL,
    mark       bytea       NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shape, position)
);
-- It is compressed already.
ALTER TABLE past.snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

-- Walks over the whole log: how far each is, and what it found. `report` is the verifier's, as JSON, once it is over.
CREATE TABLE past.verifications (
    verification_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    moved_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at        timestamptz,
    position        bigint      NOT NULL DEFAULT 0,
    until           bigint      NOT NULL,
    snapshots       integer     NOT NULL DEFAULT 0,
    thrown_away     integer     NOT NULL DEFAULT 0,
    ok              boolean,
    report          jsonb,
    error           text        NOT NULL DEFAULT ''
);

GRANT SELECT, INSERT, DELETE ON past.snapshots TO ringledger_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON past.verifications TO ringledger_projector;
GRANT SELECT ON past.snapshots, past.verifications TO ringledger_reader, ringledger_writer;
