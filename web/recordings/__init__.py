"""Recordings found, heard, taken out, held (feature 8.2)."""
