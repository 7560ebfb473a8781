"""Ops: everything as it was at any instant, event by event or played."""
