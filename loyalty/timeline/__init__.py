"""What happened to a member, from the log of facts, as one readable journey. It has no tables of its own."""
