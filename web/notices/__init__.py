"""Notices that callers hear: on, off, since when, by whom."""
