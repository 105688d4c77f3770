"""The reports, one in a file: what it says, of what, and how each number is worked out. Pure."""
