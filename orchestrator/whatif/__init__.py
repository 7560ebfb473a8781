"""What-if: a day of the log, played again with other rules or staff (feature 10.4)."""
