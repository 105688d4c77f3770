"""The clock of a sandbox, for the readers of the contract."""

NEW_CLOCK = {"now": "2027-03-31T22:00:00Z"}

CLOCK = {"now": "2027-03-31T22:00:00Z", "ahead_seconds": 33_634_860}

MOVED_CLOCK = {**CLOCK, "settled": 12}
