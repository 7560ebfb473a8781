-- What people see: read models, folded from the log by `ringledger projections run` and rebuilt whenever one likes.
-- Run by `store.schema.create` as the owner.
--
-- Each generation of a read model has a schema of its own, read_<name>_<generation>, which the projector makes and
-- drops; `read` holds a view for each table of the generation that is live. A rebuild fills a new generation beside the
-- live one and then, in one transaction, points the views at it: nobody ever sees an empty or half-filled model.

CREATE SCHEMA read;

-- How far each generation has come. `position` moves in the transaction that changes the model's rows. Only `live`
-- generations are seen; at most one of each name. `shape` says which code and which time zone made it. Room in the page keeps every move a heap-only update.
CREATE TABLE read.projections (
    generation bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text        NOT NULL,
    shape      text        NOT NULL,
    live       boolean     NOT NULL DEFAULT false,
    position   bigint      NOT NULL DEFAULT 0,
    state      text        NOT NULL CHECK (state IN ('following', 'failed', 'building')),
    error      text        NOT NULL DEFAULT '',
    since      timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX projections_live_idx ON read.projections (name) WHERE live;

GRANT USAGE, CREATE ON SCHEMA read TO ringledger_projector;
GRANT SELECT, INSERT, UPDATE, DELETE ON read.projections TO ringledger_projector;
GRANT USAGE ON SCHEMA read TO ringledger_writer, ringledger_reader;
GRANT SELECT ON read.projections TO ringledger_writer, ringledger_reader;

-- The projector reads what the reader reads. It has no right to append.
GRANT SELECT ON public.ringledger_events, public.ringledger_lease, public.ringledger_keys,
                public.ringledger_blind_index, public.ringledger_meta TO ringledger_projector;
