"""What people and programs see, over HTTP. Reads `projections`, asks `orchestrator.control` and `.service` to act."""
