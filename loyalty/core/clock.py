"""The only place that asks what time it is. Below routes, jobs and commands, `now` is an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
