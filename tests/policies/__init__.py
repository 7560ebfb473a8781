"""The policies, each by itself."""
