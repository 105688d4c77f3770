"""Webhooks: signed, in order, again and again until they arrive."""
