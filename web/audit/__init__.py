"""The audit trail: every event of every stream, who wrote it, and who looked at whose data."""
