"""The blacklist: the list, an entry with its history, and what may be done with it."""
