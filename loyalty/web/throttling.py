"""Who guesses is slowed: whoever fails too often, by key or by address, waits before the next attempt.

Failures are counted in a transaction of their own, so they outlive the refused request. What succeeds is never counted.
Requests that run at the same time may overshoot a limit by as many as there are threads, and no more.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import wraps
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request
from psycopg.rows import tuple_row
from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.config import Settings
from loyalty.core import clock
from loyalty.core.errors import DomainError, TooManyAttempts
from loyalty.core.limits import Limit
from loyalty.db.base import Base
from loyalty.db.session import Session, array_of, reading, transaction

# Rows deleted by one transaction: tens of milliseconds.
FORGET_BATCH = 1_000

# Whoever has one address of version 6 has the 2^64 beside it, too.
IPV6_PREFIX = 64


class AttemptRow(Base):
    """Who failed: at what, through which key or from which address, and since when nothing is held against them."""

    __tablename__ = "attempts"
    # Those that are clear are forgotten by a job.
    __table_args__ = (Index("ix_attempts_clear_at", "clear_at"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    clear_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


_CLEAR = "SELECT subject, clear_at FROM attempts WHERE program_id = %s AND subject = ANY(%s::text[])"
# In the order of subjects, so that no two wait for each other.
_COUNT = """
INSERT INTO attempts AS a (program_id, subject, clear_at)
SELECT %(program_id)s, w.subject, %(now)s::timestamptz + w.seconds * interval '1 second'
FROM unnest(%(subjects)s::text[], %(seconds)s::integer[]) AS w (subject, seconds) ORDER BY w.subject
ON CONFLICT (program_id, subject)
DO UPDATE SET clear_at = greatest(a.clear_at, %(now)s) + (excluded.clear_at - %(now)s)
"""
_FORGET = """
DELETE FROM attempts WHERE (program_id, subject) IN (
    SELECT program_id, subject FROM attempts WHERE clear_at < %s ORDER BY clear_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""

View = Callable[..., Any]


def throttled(what: str, *failures: type[DomainError]) -> Callable[[View], View]:
    """Slow down whoever meets one of `failures` too often. Stands outside `@transactional` and `@reads`.

    Over the limit, everything that is asked by this key or from this address is refused before it is looked at:
    TooManyAttempts, which the view lists among what it refuses. Views with the same `what` count together.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            limits = dict(_limits(what))
            refuse_over(g.caller.program_id, limits, now=clock.real_now())
            try:
                return view(*args, **kwargs)
            except failures:
                count(g.caller.program_id, limits, now=clock.real_now())
                raise

        return wrapper

    return decorator


def refuse_over(program_id: UUID, limits: dict[str, Limit], *, now: datetime) -> None:
    """Refuse whoever has failed too often. Refuses: TooManyAttempts."""
    if not limits:
        return
    with reading() as session:
        owing = session.rows(_CLEAR, (program_id, array_of(limits)), into=tuple_row)
    waits = [(limits[subject].wait(clear_at, now=now), limits[subject]) for subject, clear_at in owing]
    wait, limit = max(waits, key=lambda found: found[0], default=(None, None))
    if wait and limit:
        raise TooManyAttempts(limit, wait)


def count(program_id: UUID, limits: dict[str, Limit], *, now: datetime) -> None:
    """Count a failure against each subject."""
    if not limits:
        return
    seconds = array_of(limit.seconds for limit in limits.values())
    where = {"program_id": program_id, "subjects": array_of(limits), "seconds": seconds, "now": now}
    with transaction() as session:
        session.run(_COUNT, where)


def forget_batch(session: Session, *, before: datetime, limit: int = FORGET_BATCH) -> int:
    """Delete the rows of those who owe nothing since before an instant; answers how many."""
    return session.run(_FORGET, (before, limit))


def address_of(remote: str | None) -> str | None:
    """The address to count against: of version 6, the network that one subscriber has. None where there is none."""
    try:
        address = ip_address(remote or "")
    except ValueError:
        return remote or None
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((address.packed, IPV6_PREFIX), strict=False))
    return str(address)


def _limits(what: str) -> Iterator[tuple[str, Limit]]:
    """Whom a failure is counted against, as far as there is a limit."""
    by_key, by_address = current_app.extensions["loyalty-limits"]
    if by_key.quota:
        yield f"{what}:key:{g.caller.key_id}", by_key
    address = address_of(request.remote_addr)
    if by_address.quota and address:
        yield f"{what}:address:{address}", by_address


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its limits."""
    app.extensions["loyalty-limits"] = (
        Limit("key", settings.failures_per_key, settings.failures_per_key_seconds),
        Limit("address", settings.failures_per_address, settings.failures_per_address_seconds),
    )
