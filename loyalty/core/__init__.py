"""The kit that knows nothing of databases or HTTP: errors, the clock, ids, apportioning, calendar arithmetic."""
