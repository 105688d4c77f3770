"""Trying drafts: of earning rules on orders that were really placed, of ladders and offers on the members there are.

Nothing is written but what came out.
"""
