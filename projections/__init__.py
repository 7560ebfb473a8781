"""Read models: what people see, folded from the log into tables, rebuildable at any time (law 7).

    base        Projection, Batch, run_batch: rows and position together        tables     rows as structs, in sets
    catalogue   them all                                                    feed       the log, read once for all
    follower    `ringledger projections run`: keeps all of them up to date      building   blue-green rebuild
    status      where each stands; waiting for a position                       reading    what the web opens
    live …      what is now, in memory

One file a read model, of one shape: docstring (which screen, which streams, which clock) · NAME · VERSION · TABLES ·
INDEXES · rows · `apply` · queries. `apply` knows nothing but its batch; raise VERSION when what it makes changes, and
the follower rebuilds it beside the old one.
"""
