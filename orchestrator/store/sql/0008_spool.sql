-- Spools: where an active engine keeps its events while this database is away (docs/decisions/0097). The lease names the
-- spool of its holder, and so says beforehand that the holder may decide without us. Whoever does not see that spool does
-- not take the lease, until its holder has given it back with the spool empty, or somebody has given the spool up.
--
-- An engine says which spool it sees: one that sees another stands on another machine.

ALTER TABLE public.ringledger_lease ADD COLUMN spool text NOT NULL DEFAULT '';
ALTER TABLE public.ringledger_engines ADD COLUMN spool text NOT NULL DEFAULT '';
