"""Staff: agents and the shifts they work."""
