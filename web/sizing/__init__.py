"""How many agents are needed: by day and half hour beside who was there, and for a plan."""
