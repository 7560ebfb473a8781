"""Ringledger is installed without `rich`. Tools of the tests bring it, and structlog loads it wherever it is found."""

raise ImportError("not there where Ringledger is installed")
