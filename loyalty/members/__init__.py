"""Who is enrolled, and the one lock: everything that changes a member begins with `members.locks`."""
