-- Engines: which processes serve, stand by or are about to, and how far each has come. Each writes its own row once a
-- second, from whatever machine; room in the page keeps that a heap-only update. Says nothing about who may act: that is
-- the lease's to say.

CREATE TABLE public.ringledger_engines (
    holder   text        PRIMARY KEY,
    site     text        NOT NULL,
    host     text        NOT NULL,
    state    text        NOT NULL,
    position bigint      NOT NULL,
    abreast  boolean     NOT NULL,
    reached  text[]      NOT NULL,
    missed   text[]      NOT NULL,
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

REVOKE ALL ON public.ringledger_engines FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.ringledger_engines TO ringledger_writer;
GRANT SELECT ON public.ringledger_engines TO ringledger_reader;
