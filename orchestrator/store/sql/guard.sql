-- Against a DROP or an ALTER by mistake: event triggers, which only a superuser may make. Run by `store.schema.create`
-- as whoever it logged in as, where that is a superuser. A superuser with intent gets past any of this: what proves
-- such a thing afterwards is a digest kept off the machine.

CREATE OR REPLACE FUNCTION public.ringledger_refuse_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    IF coalesce(current_setting('ringledger.migrating', true), '') = 'on' THEN
        RETURN;
    END IF;
    FOR gone IN SELECT object_identity FROM pg_event_trigger_dropped_objects()
                 WHERE object_identity LIKE '%ringledger\_events%' OR object_identity LIKE '%ringledger\_refuse%' LOOP
        RAISE EXCEPTION 'The log is append-only: % is not dropped.', gone.object_identity
            USING ERRCODE = 'RL003', HINT = 'To be rid of a whole ledger, drop its database.';
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION public.ringledger_refuse_alter() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    IF coalesce(current_setting('ringledger.migrating', true), '') = 'on' THEN
        RETURN;
    END IF;
    -- A table that was just renamed is known by its trigger.
    FOR changed IN SELECT object_identity FROM pg_event_trigger_ddl_commands()
                    WHERE object_identity LIKE '%ringledger\_events%' OR object_identity LIKE '%ringledger\_refuse%'
                       OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = objid AND tgname = 'ringledger_append_only') LOOP
        RAISE EXCEPTION 'The log is append-only: % is not altered.', changed.object_identity
            USING ERRCODE = 'RL003', HINT = 'Its shape changes by a migration of a new version of this program only.';
    END LOOP;
END $$;

DROP EVENT TRIGGER IF EXISTS ringledger_no_drop;
CREATE EVENT TRIGGER ringledger_no_drop ON sql_drop EXECUTE FUNCTION public.ringledger_refuse_drop();
DROP EVENT TRIGGER IF EXISTS ringledger_no_alter;
CREATE EVENT TRIGGER ringledger_no_alter ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'ALTER TRIGGER', 'CREATE RULE', 'CREATE FUNCTION')
    EXECUTE FUNCTION public.ringledger_refuse_alter();
