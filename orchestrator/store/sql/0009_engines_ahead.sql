-- What an engine says of itself besides (0006_engines): for which wish to hand over it has looked at the switches ahead (the
-- position of that wish in the log), and how often work that goes on beside the calls has failed since it was started.
-- Run by `store.schema.create` as the owner.

ALTER TABLE public.ringledger_engines
    ADD COLUMN ahead  bigint  NOT NULL DEFAULT 0,
    ADD COLUMN faults integer NOT NULL DEFAULT 0;
