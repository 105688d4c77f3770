"""Tiers that are not bought: pinned by hand until a date, or brought along from another program. Pure.

A pin is ended, and stays readable. A tier that was brought along is a part of the course of things, so whoever corrects
one replaces it: nothing is left of what was never so.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from loyalty.core import calendar
from loyalty.tiers import terms
from loyalty.tiers.domain import Grant, Ladders
from loyalty.tiers.standing import Standing, regrant


@dataclass(frozen=True, slots=True)
class Granted:
    """A standing after a decision by hand. `ended`: the recorded grants that end now; `gone`: those replaced."""

    standing: Standing
    ended: tuple[UUID, ...] = ()
    gone: tuple[UUID, ...] = ()


def pins(standing: Standing, now: datetime) -> list[Grant]:
    """The pins that hold, the latest last. There are several only where members were merged."""
    return [g for g in standing.grants if g.kind == "pinned" and (g.until is None or g.until > now)]


def counts_from(standing: Standing, ladders: Ladders, now: datetime) -> date:
    """The first day that has to be read when the next grant ends, for what is written down then."""
    coming = [g.until for g in standing.grants if g.until is not None and g.until > now and g.kind != "imported"]
    if not coming:
        return date.max
    ladder = ladders.of_version(standing.state.ladder_version)
    day, enrolled_on = (calendar.local_date(at, ladders.zone) for at in (min(coming), standing.enrolled_at))
    begin = terms.window_begin(ladder.window, day, enrolled_on)
    return date.max if begin == terms.EVER else begin


def pin(standing: Standing, ladders: Ladders, given: Grant, *, now: datetime) -> Granted:
    """A tier held at least until a date, instead of what was pinned before."""
    ended, left = _ended(standing, now)
    after = regrant(standing, ladders, (*left, given), cause="pinned", reference=given.granted_by, now=now)
    return Granted(after, ended=ended)


def unpin(standing: Standing, ladders: Ladders, *, by: str, now: datetime) -> Granted:
    """What is pinned ends now."""
    ended, left = _ended(standing, now)
    return Granted(regrant(standing, ladders, left, cause="unpinned", reference=by, now=now), ended=ended)


def bring(standing: Standing, ladders: Ladders, given: Grant, *, now: datetime) -> Granted | None:
    """A tier from elsewhere, instead of what was brought along before; None if that was the very same."""
    former = [g for g in standing.grants if g.kind == "imported"]
    if [(g.tier, g.since, g.until) for g in former] == [(given.tier, given.since, given.until)]:
        return None
    left = [g for g in standing.grants if g.kind != "imported"]
    after = regrant(standing, ladders, (*left, given), cause="imported", reference=given.granted_by, now=now)
    return Granted(after, gone=tuple(_id(g) for g in former))


def _ended(standing: Standing, now: datetime) -> tuple[tuple[UUID, ...], list[Grant]]:
    """The pins that hold, by id, and all grants with those ended."""
    ending = {_id(g) for g in pins(standing, now)}
    left = [replace(g, until=now) if g.grant_id in ending else g for g in standing.grants]
    return tuple(sorted(ending)), left


def _id(grant: Grant) -> UUID:
    assert grant.grant_id is not None, "what was read was recorded"
    return grant.grant_id
