"""What happened, added up by day: counted from the log of facts, exactly once, by a job right behind it."""
