"""The auditor: contacts that were, each with every event and decision."""
