"""Contacts: what a customer wants, from first arrival until it ends exactly once."""
