"""Who may come in, and what for: roles, permissions, sign-in, sessions, users."""
