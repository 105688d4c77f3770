"""Which offers fit a member, and why: ranked from their own purchases, given, and held out."""
