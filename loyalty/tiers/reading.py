"""Reading where members stand: never more days than the window holds, unless a new ladder asks for all of them.

The statement is made of parts, so that whoever reads members anyway reads this along (`loyalty.earning.facts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.core import calendar
from loyalty.db.session import Session, array_of
from loyalty.tiers import terms
from loyalty.tiers.course import State
from loyalty.tiers.domain import BEGINNING, Amounts, Grace, Grant, Ladders, Tier
from loyalty.tiers.progress import Progress
from loyalty.tiers.standing import Standing, settle, tier_at

LONGEST_MONTH = 31

# Of a member `m`, of whom `w` says from which day on there are news, and which days are asked for.
WANTED = """
unnest(%(tier_ids)s::uuid[], %(tier_news)s::date[], %(tier_since)s::date[]) AS w (member_id, news_on, since)
"""
COLUMNS = """
(SELECT json_build_array(s.tier, s.tier_since, s.ladder_version, s.seq, s.spend, s.points, s.orders, s.counts_from)
 FROM tier_standings s WHERE s.member_id = m.member_id) AS standing,
(SELECT json_agg(json_build_array(p.ladder_version, p.tier, p.since, p.reached_on, p.valid_to, p.held_to, p.day, p.step,
   p.reason, p.seq))
 FROM tier_periods p WHERE p.member_id = m.member_id AND NOT p.void AND p.day >= coalesce(
   (SELECT max(q.day) FROM tier_periods q WHERE q.member_id = m.member_id AND NOT q.void AND q.day < w.news_on),
   '-infinity')) AS periods,
(SELECT json_agg(json_build_array(d.day, d.ladder_version, d.spend, d.points, d.orders))
 FROM tier_days d WHERE d.member_id = m.member_id AND d.day >= coalesce(
   (SELECT least(w.since, s.counts_from) FROM tier_standings s
    WHERE s.member_id = m.member_id AND s.ladder_version = %(tier_version)s), '-infinity')) AS days,
(SELECT json_agg(json_build_array(g.kind, g.tier, g.since, g.until, g.reason, g.granted_at, g.granted_by, g.grant_id)
   ORDER BY g.granted_at, g.grant_id)
 FROM tier_grants g WHERE g.member_id = m.member_id) AS grants
"""
_STANDINGS = f"SELECT m.member_id, {COLUMNS} FROM {WANTED} JOIN members m ON m.member_id = w.member_id"


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom it is asked, and since when there are news; None: all that there ever was is asked for."""

    member_id: UUID
    enrolled_at: datetime
    news_at: datetime | None


def parameters(ladders: Ladders, asked: Sequence[Asked], *, now: datetime) -> dict[str, Any]:
    """What the parts of the statement leave open."""
    in_force = ladders.at(now)
    spans = [_span(ladders, each, now) for each in asked]
    return {
        "tier_ids": array_of([each.member_id for each in asked]),
        "tier_news": array_of([news_on for news_on, _ in spans]),
        "tier_since": array_of([since for _, since in spans]),
        "tier_version": in_force.version if in_force else 0,
    }


def _span(ladders: Ladders, asked: Asked, now: datetime) -> tuple[date, date]:
    """The day of the news, and the first day that has to be read."""
    if asked.news_at is None or (ladder := ladders.at(now)) is None:
        return terms.EVER, terms.EVER
    at = min(asked.news_at, now)
    day = calendar.local_date(at, ladders.zone)
    if ladders.at(at) is not ladder:
        # Another ladder has come into force since, and it asks for everything.
        return day, terms.EVER
    # What comes late may fall into the grace of a validity that ended before, and is judged by the window as of then.
    earliest = day - _longest(ladder.grace) - terms.A_DAY
    begin = terms.window_begin(ladder.window, earliest, calendar.local_date(asked.enrolled_at, ladders.zone))
    return day, day if begin == terms.EVER else begin


def _longest(grace: Grace) -> timedelta:
    """How long a grace lasts at most."""
    return timedelta(days=grace.days + (LONGEST_MONTH if grace.round_to == "month" else 0))


def standings(session: Session, ladders: Ladders, asked: Sequence[Asked], *, now: datetime) -> dict[UUID, Standing]:
    """Where members stand, as it is recorded. One statement; none where there is no ladder."""
    if not ladders.any or not asked:
        return {}
    rows = session.rows(_STANDINGS, parameters(ladders, asked, now=now), into=dict_row)
    return standings_from({row["member_id"]: row for row in rows}, ladders, asked, now=now)


def tiers_of(
    session: Session, ladders: Ladders, members: Sequence[tuple[UUID, datetime]], *, now: datetime
) -> dict[UUID, Tier]:
    """What members (id, enrolled at) have at `now`, whether or not any job has run; nothing without a ladder."""
    asked = [Asked(member_id, enrolled_at, now) for member_id, enrolled_at in members]
    held = {
        member_id: tier_at(settle(standing, ladders, now=now), ladders, now)
        for member_id, standing in standings(session, ladders, asked, now=now).items()
    }
    return {member_id: found[0] for member_id, found in held.items() if found is not None}


def whole(session: Session, ladders: Ladders, asked: Sequence[Asked], *, now: datetime) -> dict[UUID, Standing]:
    """Where members stand, with all that ever counted, whether or not there is a ladder."""
    everything = [Asked(each.member_id, each.enrolled_at, None) for each in asked]
    rows = session.rows(_STANDINGS, parameters(ladders, everything, now=now), into=dict_row)
    return standings_from({row["member_id"]: row for row in rows}, ladders, everything, now=now)


def standings_from(
    rows: Mapping[UUID, Mapping[str, Any]], ladders: Ladders, asked: Sequence[Asked], *, now: datetime
) -> dict[UUID, Standing]:
    """Standings from what the parts of the statement read; of nobody's id, those of someone new."""
    return {each.member_id: _standing(rows.get(each.member_id, {}), ladders, each, now) for each in asked}


def _standing(row: Mapping[str, Any], ladders: Ladders, asked: Asked, now: datetime) -> Standing:
    days = {(date.fromisoformat(day), version): Amounts(*amounts) for day, version, *amounts in row.get("days") or ()}
    grants = tuple(_grant(*of) for of in row.get("grants") or ())
    recorded = row.get("standing")
    if recorded is None:
        total = sum(days.values(), Amounts())
        return Standing(
            member_id=asked.member_id, enrolled_at=asked.enrolled_at, progress=Progress(total, days), grants=grants
        )
    tier, since, version, last_number, *total, counts_from = recorded
    in_force = ladders.at(now)
    begin = min(_span(ladders, asked, now)[1], date.fromisoformat(counts_from))
    if in_force is None or version != in_force.version:
        begin = terms.EVER
    recorded_states = [_state(*of) for of in row["periods"]]
    newest = ladders.published[-1].version if ladders.any else 0
    states = sorted(
        (state for state in recorded_states if state.ladder_version <= newest),
        key=lambda state: (state.position, state.number),
    )
    return Standing(
        member_id=asked.member_id, enrolled_at=asked.enrolled_at, progress=Progress(Amounts(*total), days, begin),
        states=tuple(states), last_number=last_number, grants=grants, tier=tier, since=_instant(since) or BEGINNING,
        outdated=len(states) < len(recorded_states),
    )  # fmt: skip


def _state(version: int, tier: str, since: str, reached_on: str, *of: Any) -> State:
    valid_to, held_to, day, step, reason, number = of
    return State(
        ladder_version=version, tier=tier, since=datetime.fromisoformat(since),
        reached_on=date.fromisoformat(reached_on), valid_to=_day(valid_to), held_to=_day(held_to),
        day=date.fromisoformat(day), step=step, reason=reason, number=number,
    )  # fmt: skip


def _grant(kind: Any, tier: str, since: str, until: str | None, *of: Any) -> Grant:
    reason, granted_at, granted_by, grant_id = of
    return Grant(
        kind=kind, tier=tier, since=datetime.fromisoformat(since), until=_instant(until), reason=reason,
        granted_at=datetime.fromisoformat(granted_at), granted_by=granted_by, grant_id=UUID(grant_id),
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
