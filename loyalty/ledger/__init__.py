"""What members hold: an append-only ledger of entries, lots and allocations, and a check that proves it.

It knows members and programs; it has never heard of orders or rewards, only of the references they leave.
"""
