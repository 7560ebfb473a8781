"""Ops, on the command line: what today's code does otherwise than was recorded, in words."""
