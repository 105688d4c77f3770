"""From when on members are in an arm: pages of anchors, of one experiment after the other.

Only who could have come into either arm is in an experiment. So those are not who were given an offer before it had a
holdout, and those not who are in the holdout of the program: they are given none of the other offers either, and would
be compared with members who are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.offers.domain import OfferSets, held_out
from loyalty.offers.queries import offer_sets
from loyalty.outcomes import answers
from loyalty.outcomes.domain import (
    ANSWERS,
    BEFORE,
    HOLDOUT,
    MILLION,
    OFFER,
    PROGRAM,
    TREATMENT,
    WINDOW,
    Anchor,
    share_of,
)
from loyalty.programs.domain import Program

NOBODY = UUID(int=0)

# The first time that each member was given an offer, or that it was held out from them: a new version of an offer goes
# on with the members of the one before, as its budget does. A new campaign takes a new code.
_GIVEN = """
WITH page AS MATERIALIZED (
    SELECT a.member_id, a.assigned_at, a.offer_version, a.holdout FROM assignments a
    WHERE a.program_id = %(program_id)s AND a.offer_code = %(code)s AND a.assigned_at <= %(due)s
        AND (a.assigned_at, a.member_id) > (%(at)s::timestamptz, %(after)s::uuid)
    ORDER BY a.assigned_at, a.member_id LIMIT %(limit)s)
SELECT p.member_id, p.assigned_at, p.offer_version, p.holdout,
    coalesce(p.holdout, '') <> 'program' AND NOT coalesce(e.is_there, false) AND m.merged_into IS NULL AS counts
FROM page p
CROSS JOIN LATERAL (SELECT b.merged_into FROM members b WHERE b.member_id = p.member_id LIMIT 1) m
LEFT JOIN LATERAL (
    SELECT true AS is_there FROM assignments f WHERE f.member_id = p.member_id AND f.offer_code = %(code)s
    AND f.assigned_at < p.assigned_at LIMIT 1) e ON true
ORDER BY p.assigned_at, p.member_id
"""
# Whoever left is still in the arm they were in: that they left may be what came of it.
_MEMBERS = """
SELECT member_id, enrolled_at <= %(at)s AND merged_into IS NULL AS counts FROM members
WHERE program_id = %(program_id)s AND member_id > %(after)s ORDER BY member_id LIMIT %(limit)s
"""
_PERCENTS = """
SELECT recorded_at, coalesce((document ->> 'holdout_percent')::integer, 0) FROM program_versions
WHERE program_id = %s ORDER BY version
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where members were looked for: an anchor, and among those of it, a member."""

    at: datetime
    after: UUID = NOBODY


@dataclass(frozen=True, slots=True)
class Page:
    """The anchors found among so many rows that were looked at, and the place after them."""

    anchors: tuple[Anchor, ...]
    rows: int
    place: Place


@dataclass(frozen=True, slots=True)
class Percents:
    """The share of a program's holdout, from each instant on at which its settings became others."""

    since: tuple[tuple[datetime, int], ...]

    @property
    def began(self) -> datetime | None:
        """When there was a holdout for the first time."""
        return next((at for at, percent in self.since if percent), None)

    def within(self, first: datetime, last: datetime) -> tuple[int, int, int]:
        """What it was at the first instant, and the least and the most it was until the last."""
        before = [percent for at, percent in self.since if at <= first]
        at_first = before[-1] if before else 0
        every = [at_first, *(percent for at, percent in self.since if first < at < last)]
        return at_first, min(every), max(every)


def experiments(session: Session, program: Program) -> list[str]:
    """What there is to compare in a program: its offers, if it ever had a holdout; each offer that has one; answers."""
    sets = offer_sets(session, program)
    codes = {offer.code for each in sets.sets for offer in each.offers if 0 < share_of(offer.holdout_percent) < MILLION}
    found = [f"{OFFER}{code}" for code in sorted(codes)]
    found += answers.experiments(session, program.program_id)
    return [PROGRAM, *found] if sets.any and percents(session, program).began else found


def percents(session: Session, program: Program) -> Percents:
    """What the program's holdout was, and when."""
    return Percents(tuple(session.rows(_PERCENTS, (program.program_id,), into=tuple_row)))


def page(
    session: Session, program: Program, experiment: str, place: Place | None, *, limit: int, now: datetime
) -> Page | None:
    """The next anchors of an experiment whose window is over; None if there are none yet."""
    if experiment == PROGRAM:
        return _of_program(session, program, place, limit=limit, now=now)
    if experiment.startswith(ANSWERS):
        return _of_answers(session, program, experiment, place, limit=limit, now=now)
    return _of_offer(session, program, experiment, place, limit=limit, now=now)


def _of_offer(
    session: Session, program: Program, experiment: str, place: Place | None, *, limit: int, now: datetime
) -> Page | None:
    code, begin = experiment.removeprefix(OFFER), place or Place(datetime.min.replace(tzinfo=now.tzinfo))
    where = {
        "program_id": program.program_id, "code": code, "due": now - WINDOW, "at": begin.at, "after": begin.after,
        "limit": limit,
    }  # fmt: skip
    rows = session.rows(_GIVEN, where, into=tuple_row)
    if not rows:
        return None
    shares = _shares(offer_sets(session, program), code)
    anchors = tuple(
        Anchor(
            member_id=member_id, experiment=experiment, arm=HOLDOUT if holdout else TREATMENT,
            day=calendar.local_date(at, program.time_zone), at=at, ends_at=at + WINDOW, before_from=at - BEFORE,
            before_to=at, share=shares.get(version, 0),
        )
        for member_id, at, version, holdout, counts in rows
        if counts and 0 < shares.get(version, 0) < MILLION
    )  # fmt: skip
    return Page(anchors, len(rows), Place(rows[-1][1], rows[-1][0]))


def _of_answers(
    session: Session, program: Program, experiment: str, place: Place | None, *, limit: int, now: datetime
) -> Page | None:
    begin = place or Place(datetime.min.replace(tzinfo=now.tzinfo))
    found = answers.anchors_after(session, program, experiment, (begin.at, begin.after), limit=limit, now=now)
    return None if found is None else Page(tuple(found[0]), found[1], Place(*found[2]))


def _shares(sets: OfferSets, code: str) -> dict[int, int]:
    """The share of an offer's holdout by version of the set."""
    return {each.version: share_of(each.by_code[code].holdout_percent) for each in sets.sets if code in each.by_code}


def _of_program(session: Session, program: Program, place: Place | None, *, limit: int, now: datetime) -> Page | None:
    """The members of one calendar month, or the step to the next one. Everybody is in each month anew."""
    known = percents(session, program)
    if known.began is None:
        return None
    at = place.at if place else _first_month(known.began, program.time_zone)
    month = calendar.local_date(at, program.time_zone)
    end = calendar.midnight(calendar.add_months(month, 1), program.time_zone)
    if end > now:
        return None
    percent, least, most = known.within(at, end)
    if not least or least == most == 100:  # noqa: PLR2004 - percent
        return Page((), 1, Place(end))
    after = place.after if place else NOBODY
    where = {"program_id": program.program_id, "at": at, "after": after, "limit": limit}
    rows = session.rows(_MEMBERS, where, into=tuple_row)
    if not rows:
        return Page((), 1, Place(end))
    share = MILLION * least // (100 - most + least)
    arms = _arms(program, (member_id for member_id, counts in rows if counts), percent, least, most)
    anchors = tuple(
        Anchor(
            member_id=who, experiment=PROGRAM, arm=arm, day=month, at=at, ends_at=end,
            before_from=known.began - BEFORE, before_to=known.began, share=share,
        )
        for who, arm in arms
    )  # fmt: skip
    return Page(anchors, len(rows), Place(at, rows[-1][0]))


def _arms(program: Program, members: Iterable[UUID], percent: int, least: int, most: int) -> list[tuple[UUID, str]]:
    """Who was in which arm at the beginning, without those whose arm became another one before the end."""
    scope = str(program.program_id)
    at_first, at_least, at_most = Decimal(percent), Decimal(least), Decimal(most)
    found = []
    for member_id in members:
        if least != most and held_out(member_id, at_least, scope) != held_out(member_id, at_most, scope):
            continue
        found.append((member_id, HOLDOUT if held_out(member_id, at_first, scope) else TREATMENT))
    return found


def _first_month(began: datetime, zone: str) -> datetime:
    """The first whole month of a holdout."""
    day = calendar.local_date(began, zone).replace(day=1)
    first = calendar.midnight(day, zone)
    return first if first >= began else calendar.midnight(calendar.add_months(day, 1), zone)
