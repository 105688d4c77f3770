"""The clock of a sandbox, for the readers of the contract."""

NEW_CLOCK = {"now": "2036-01-01T00:00:00Z"}

CLOCK = {"now": "2036-01-01T00:00:00Z", "ahead_seconds": 310_003_200}

MOVED_CLOCK = {**CLOCK, "settled": 12}
