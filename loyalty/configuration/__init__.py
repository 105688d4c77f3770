"""A program's whole configuration as one document: exported, compared, and applied to the same or another program.

It judges nothing itself: what a document says goes through the shapes and the use cases of the slices it speaks of.
"""
