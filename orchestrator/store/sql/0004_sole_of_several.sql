-- The desk's append of things that may be there once only, several at once (the customers of the numbers that called in
-- the same moment). As before for one: no stream of the same kind may hold a value with any of these tokens yet (RL004,
-- one that does in DETAIL), looked up under the append lock.
DROP FUNCTION public.ringledger_append_first;
CREATE FUNCTION public.ringledger_append_first(
    sole_name text, sole_tokens bytea[],
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
     WHERE held.name = sole_name AND held.token = ANY(sole_tokens)
       AND split_part(held.stream, '-', 1) = split_part(streams[1], '-', 1);
    IF holder IS NOT NULL THEN
        RAISE EXCEPTION 'Stream % holds this value already.', holder USING ERRCODE = 'RL004', DETAIL = holder;
    END IF;
    RETURN public.ringledger_append(
        NULL, NULL, NULL, expect_streams, expect_versions, streams, versions, topics, states,
        new_subjects, new_parents, new_wrapped, hung_subjects, hung_parents, hung_wrapped,
        index_names, index_tokens, index_streams);
END $$;

REVOKE ALL ON FUNCTION public.ringledger_append_first FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.ringledger_append_first TO ringledger_writer;
