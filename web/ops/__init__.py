"""Operations: whether the log was proved last night, how far snapshots and read models are."""
