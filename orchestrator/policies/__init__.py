"""Whenever something happened, what follows: pure functions from events to commands and instructions."""
