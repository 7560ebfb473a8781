"""What-if: a day played again, beside the real one (feature 10.4)."""
