"""What programs do: everything that the desk and the screens can, as resources under /api/v1.

    operations   the one table: method, path, permission, handler, read models that a reader may wait for
    forms        what requests and answers are made of          views     routes made from the table, the page /api/
    serving      a request read, waited for, answered           openapi   the document made from the table
    repeats      idempotency keys                               buckets   how much one program may ask for
    contacts, floor, agents, commands, customers, orders, ordertypes, access, ledger   the handlers, by area

A handler is a plain function. Its annotations are the contract: `query` and `body` say what a request may carry, the
return type what comes back, the first line of its docstring what it is called in the document.
"""
