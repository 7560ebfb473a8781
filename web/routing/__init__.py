"""Configuration on screens: queues, entry points, agents and the rest, as drafts, with difference and history."""
