"""Ringledger's orchestrator: the only package that decides what happens to a call."""
