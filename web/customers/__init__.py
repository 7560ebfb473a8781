"""Customers: found, made, corrected, and everything that ever happened with them."""
