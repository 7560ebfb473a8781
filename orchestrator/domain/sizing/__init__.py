"""Sizing: how many agents and lines a centre needs. Pure arithmetic; nothing here is stored."""
