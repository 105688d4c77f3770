"""Keeping features up with what happens: orders and returns followed, statistics and segments counted anew."""
