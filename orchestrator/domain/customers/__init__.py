"""Customers: the people who call."""
