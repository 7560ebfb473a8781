"""The floor: every queue, every agent and every call in progress, as they are now and as they were counted today."""
