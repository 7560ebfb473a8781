-- The log and what stands beside it. Run by `store.schema.create` as the owner, inside one transaction.
--
-- The columns of ringledger_events are those that eventsourcing 9.5's PostgresApplicationRecorder makes for text ids
-- (a test compares them). Its storage options are left out: they all but switch autovacuum off, and an insert-only
-- table needs it for freezing.

CREATE TABLE public.ringledger_events (
    originator_id      text   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text,
    state              bytea,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX ringledger_events_notification_id_idx ON public.ringledger_events (notification_id ASC);

-- Schema version and the check value of the key-encryption key.
CREATE TABLE public.ringledger_meta (
    name  text PRIMARY KEY,
    value text NOT NULL
);

-- Who is active at a site. An empty holder is a lease that was given back. Renewed four times a second: room in the
-- page keeps every renewal a heap-only update.
CREATE TABLE public.ringledger_lease (
    site         text        PRIMARY KEY,
    holder       text        NOT NULL DEFAULT '',
    host         text        NOT NULL DEFAULT '',
    backend_pid  integer,
    epoch        bigint      NOT NULL DEFAULT 0,
    taken_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    renewed_at   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- The data key of each subject, wrapped: under the key-encryption key where parent is null, else under the parent's
-- key. wrapped is null once the key was destroyed; the row stays, so that "erased" can be told from "never there".
-- Dead versions of these rows hold old wrappings: vacuum them at every turn of autovacuum.
CREATE TABLE public.ringledger_keys (
    subject    text        PRIMARY KEY,
    parent     text,
    wrapped    bytea,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at  timestamptz
) WITH (fillfactor = 80, autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX ringledger_keys_parent_idx ON public.ringledger_keys (parent) WHERE parent IS NOT NULL;

-- Look-up of personal values by their keyed hash.
CREATE TABLE public.ringledger_blind_index (
    name   text  NOT NULL,
    token  bytea NOT NULL,
    stream text  NOT NULL,
    PRIMARY KEY (name, token, stream)
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX ringledger_blind_index_stream_idx ON public.ringledger_blind_index (stream);

-- Append-only, for everybody. Statement triggers fire also where no row would be touched, and ENABLE ALWAYS keeps them
-- on under session_replication_role = replica.
CREATE FUNCTION public.ringledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The log is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'RL003',
              HINT = 'What was wrong is put right by a new event; an old one is never changed or removed.';
END $$;
CREATE TRIGGER ringledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.ringledger_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.ringledger_refuse_change();
ALTER TABLE public.ringledger_events ENABLE ALWAYS TRIGGER ringledger_append_only;

-- One batch, one call, one round trip, one transaction: lock, fence, expectations, keys, index, events, wake-up.
--
-- The advisory lock is what makes positions mean order: ids are drawn under it and it is held until the commit is
-- over, so that a reader who remembers its last position never passes one that appears later. Every statement below
-- runs in a snapshot taken after the lock was had (VOLATILE, READ COMMITTED), so the fence sees the last take-over.
--
-- site null: a desk append, by expected versions only. Otherwise the lease of that site must be at that epoch with
-- that holder (RL001). expect_*: streams and the version each must be at now (RL002).
CREATE FUNCTION public.ringledger_append(
    site text, held_epoch bigint, held_by text,
    expect_streams text[], expect_versions bigint[],
    streams text[], versions bigint[], topics text[], states bytea[],
    new_subjects text[], new_parents text[], new_wrapped bytea[],
    hung_subjects text[], hung_parents text[], hung_wrapped bytea[],
    index_names text[], index_tokens bytea[], index_streams text[]
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
    late record;
    positions bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock({append_lock});
    IF site IS NOT NULL THEN
        PERFORM 1 FROM public.ringledger_lease AS lease
         WHERE lease.site = ringledger_append.site AND lease.epoch = held_epoch AND lease.holder = held_by;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'Epoch % of site % is over.', held_epoch, site USING ERRCODE = 'RL001';
        END IF;
    END IF;
    IF cardinality(expect_streams) > 0 THEN
        FOR late IN
            SELECT wanted.stream, wanted.version AS expected, coalesce(found.version, 0) AS actual
              FROM unnest(expect_streams, expect_versions) AS wanted(stream, version)
              LEFT JOIN LATERAL (
                   SELECT max(e.originator_version) AS version FROM public.ringledger_events AS e
                    WHERE e.originator_id = wanted.stream) AS found ON true
             WHERE wanted.version <> coalesce(found.version, 0)
             LIMIT 1
        LOOP
            RAISE EXCEPTION 'Stream % is at version %, not %.', late.stream, late.actual, late.expected
                USING ERRCODE = 'RL002', DETAIL = late.stream;
        END LOOP;
    END IF;
    IF cardinality(new_subjects) > 0 THEN
        INSERT INTO public.ringledger_keys (subject, parent, wrapped, erased_at)
        SELECT k.subject, k.parent, k.wrapped, CASE WHEN k.wrapped IS NULL THEN clock_timestamp() END
          FROM unnest(new_subjects, new_parents, new_wrapped) AS k(subject, parent, wrapped);
    END IF;
    IF cardinality(hung_subjects) > 0 THEN
        UPDATE public.ringledger_keys AS keys
           SET parent = k.parent, wrapped = k.wrapped,
               erased_at = CASE WHEN k.wrapped IS NULL THEN clock_timestamp() END
          FROM unnest(hung_subjects, hung_parents, hung_wrapped) AS k(subject, parent, wrapped)
         WHERE keys.subject = k.subject AND keys.erased_at IS NULL;
    END IF;
    IF cardinality(index_names) > 0 THEN
        INSERT INTO public.ringledger_blind_index (name, token, stream)
        SELECT i.name, i.token, i.stream FROM unnest(index_names, index_tokens, index_streams) AS i(name, token, stream)
            ON CONFLICT DO NOTHING;
    END IF;
    WITH stored AS (
        INSERT INTO public.ringledger_events (originator_id, originator_version, topic, state)
        SELECT e.stream, e.version, e.topic, e.state
          FROM unnest(streams, versions, topics, states) WITH ORDINALITY AS e(stream, version, topic, state, place)
         ORDER BY e.place
        RETURNING notification_id
    )
    SELECT array_agg(notification_id ORDER BY notification_id) INTO positions FROM stored;
    PERFORM pg_notify('ringledger_events', positions[cardinality(positions)]::text);
    RETURN positions;
END $$;

-- The desk's append of something that may be there once only (the customer of a number): the same, provided that no
-- stream holds the value with this token yet (RL004, the stream in DETAIL). Looked up under the append lock, so of two
-- who make it at once the second is refused; and in the erasable index, so that the log itself has no trace of the value.
CREATE FUNCTION public.ringledger_append_first(
    sole_name text, sole_token bytea,
    expect_streams text[], expect_versions bigint[],
    streams text[], versions bigint[], topics text[], states bytea[],
    new_subjects text[], new_parents text[], new_wrapped bytea[],
    hung_subjects text[], hung_parents text[], hung_wrapped bytea[],
    index_names text[], index_tokens bytea[], index_streams text[]
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    holder text;
BEGIN
    PERFORM pg_advisory_xact_lock({append_lock});
    SELECT min(held.stream) INTO holder FROM public.ringledger_blind_index AS held
     WHERE held.name = sole_name AND held.token = sole_token;
    IF holder IS NOT NULL THEN
        RAISE EXCEPTION 'Stream % holds this value already.', holder USING ERRCODE = 'RL004', DETAIL = holder;
    END IF;
    RETURN public.ringledger_append(
        NULL, NULL, NULL, expect_streams, expect_versions, streams, versions, topics, states,
        new_subjects, new_parents, new_wrapped, hung_subjects, hung_parents, hung_wrapped,
        index_names, index_tokens, index_streams);
END $$;

REVOKE ALL ON public.ringledger_events, public.ringledger_lease, public.ringledger_keys,
              public.ringledger_blind_index, public.ringledger_meta FROM PUBLIC;
REVOKE ALL ON FUNCTION public.ringledger_append, public.ringledger_append_first FROM PUBLIC;

GRANT SELECT, INSERT ON public.ringledger_meta TO ringledger_writer;
GRANT SELECT, INSERT ON public.ringledger_events TO ringledger_writer;
GRANT USAGE ON SEQUENCE public.ringledger_events_notification_id_seq TO ringledger_writer;
GRANT SELECT, INSERT, UPDATE ON public.ringledger_lease TO ringledger_writer;
GRANT SELECT, INSERT, UPDATE ON public.ringledger_keys TO ringledger_writer;
GRANT SELECT, INSERT, DELETE ON public.ringledger_blind_index TO ringledger_writer;
GRANT EXECUTE ON FUNCTION public.ringledger_append, public.ringledger_append_first TO ringledger_writer;

GRANT SELECT ON public.ringledger_events, public.ringledger_lease, public.ringledger_keys,
                public.ringledger_blind_index, public.ringledger_meta TO ringledger_reader;
