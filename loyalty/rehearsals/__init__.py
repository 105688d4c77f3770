"""Trying a draft of earning rules on orders that were really placed. Nothing of the ledger is written."""
