"""Access: who may sign in, as what, and what programs may do."""
