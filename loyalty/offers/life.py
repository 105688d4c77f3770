"""The life of an assignment: assigned, seen, activated; then redeemed, expired or dismissed. Pure.

What its own time ends has ended, whether anybody wrote that down or not. What is done is done: whoever asks for the
same again changes nothing, whatever became of the offer since; but what was dismissed is not said to be active.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from loyalty.offers.domain import Assignment
from loyalty.offers.errors import AssignmentDismissed, AssignmentExpired, AssignmentNotFound, AssignmentRedeemed

Step = Literal["seen", "activated", "dismissed"]


def step(given: Assignment, what: Step, *, now: datetime) -> Assignment | None:
    """The assignment after a member saw, activated or dismissed it; None if that was done before.

    Refuses: AssignmentNotFound, AssignmentExpired, AssignmentRedeemed, AssignmentDismissed.
    """
    if given.status == "held_out":
        # Whoever it is held out from must not learn of it.
        raise AssignmentNotFound(given.assignment_id)
    if done_at(given, what) is not None and not (what == "activated" and given.status == "dismissed"):
        return None
    _require_open(given, now)
    if what == "seen":
        return replace(given, seen_at=now, status="seen" if given.status == "assigned" else given.status)
    if what == "activated":
        return replace(given, activated_at=now, status="activated")
    return replace(given, closed_at=now, status="dismissed")


def done_at(given: Assignment, what: Step) -> datetime | None:
    """When that was done, if it was."""
    if what == "seen":
        return given.seen_at
    if what == "activated":
        return given.activated_at
    return given.closed_at if given.status == "dismissed" else None


def expired(given: Assignment) -> Assignment:
    """An open assignment whose time is over, as it is recorded; what is held out stays so."""
    return replace(given, status="held_out" if given.holdout else "expired", closed_at=given.valid_to)


def _require_open(given: Assignment, now: datetime) -> None:
    status = given.status_at(now)
    if status == "redeemed":
        raise AssignmentRedeemed(given.offer_code, given.order_id)
    if status == "dismissed":
        assert given.closed_at is not None, "what is dismissed is closed"
        raise AssignmentDismissed(given.offer_code, given.closed_at)
    if status == "expired":
        raise AssignmentExpired(given.offer_code, given.valid_to)
