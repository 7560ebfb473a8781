"""A bundle on the replay screen of the machine that has the file: for one person, on loopback, without a ledger."""
