"""What changes desk streams: load, decide, append at the expected version, say what to do on a conflict.

    deciding         the common way: once for each key, again where somebody was faster
    customers        finds or makes the customer of a number (`callers` gathers those who call at once)
    customer_file    what people do with a customer's file, and notes on contacts      regions   where a number is from
    work             work orders
    configuration    plans, applies and exports the site's configuration, types of work included
    access           users and tokens (`sessions`, `passwords`, `attempts`)
    demo_…           the demo's people: those who sign in, and those who call

Nothing here waits for the engine: what it writes live is its own.
"""
