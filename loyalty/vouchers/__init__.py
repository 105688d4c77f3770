"""Codes that stand for a value."""
