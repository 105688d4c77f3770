"""Reading the tier of one member: as it stands, and how it came to be. Nothing is written."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.core.i18n import language
from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session
from loyalty.members import queries as members
from loyalty.members.domain import Member
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.tiers import queries, reading, terms
from loyalty.tiers.domain import Ladders, Tier
from loyalty.tiers.errors import LadderNotFound
from loyalty.tiers.prospects import Goal, Prospects, prospects
from loyalty.tiers.reading import Asked
from loyalty.tiers.telling import Teller

_LAST_ID = UUID(int=2**128 - 1)

_COLUMNS = """evaluation_id, as_of, recorded_at, cause, reference, ladder_version, basis, window_from, value, old, new,
       valid_to, reason"""
_EVALUATIONS = f"""
SELECT {_COLUMNS} FROM tier_evaluations WHERE member_id = %(member_id)s AND evaluation_id < %(before)s
ORDER BY evaluation_id DESC LIMIT %(limit)s
"""
_HISTORY = f"""
SELECT {_COLUMNS} FROM tier_evaluations
WHERE member_id = %(member_id)s AND evaluation_id < %(before)s AND old IS DISTINCT FROM new
ORDER BY evaluation_id DESC LIMIT %(limit)s
"""


def member_tier(
    session: Session, program_id: UUID, customer_id: str, *, locale: str | None = None, now: datetime
) -> dict[str, Any]:
    """The tier of a member as of `now`, whether or not any job has run. Refuses: MemberNotFound, LadderNotFound."""
    program = programs.current(session, program_id)
    member = members.member(session, program_id, customer_id)
    ladders = queries.ladders(session, program)
    seen = _prospects(session, ladders, member, now)
    if seen is None:
        raise LadderNotFound("No ladder is in force in this program.")
    tag = locale or member.locale or program.locale
    teller = Teller(tag, language(tag), zone=program.time_zone, currency=program.currency)
    who = {"customer_id": member.customer_id, "as_of": now, "locale": tag}
    return {**who, **_shown(seen, program, teller, now)}


def history(session: Session, program_id: UUID, customer_id: str, window: Window) -> Page[dict[str, Any]]:
    """The changes of a member's tier, newest first. Refuses: MemberNotFound."""
    return _page(session, program_id, customer_id, window, _HISTORY)


def evaluations(session: Session, program_id: UUID, customer_id: str, window: Window) -> Page[dict[str, Any]]:
    """What was seen whenever a member's tier was judged, newest first. Refuses: MemberNotFound."""
    return _page(session, program_id, customer_id, window, _EVALUATIONS)


def _prospects(session: Session, ladders: Ladders, member: Member, now: datetime) -> Prospects | None:
    in_force = ladders.at(now)
    if in_force is None:
        return None
    # Whether a ladder that is to come keeps the tier takes all that ever counted.
    read = reading.whole if ladders.after(in_force.version) else reading.standings
    asked = Asked(member.member_id, member.enrolled_at, now)
    return prospects(read(session, ladders, [asked], now=now)[member.member_id], ladders, now=now)


def _shown(seen: Prospects, program: Program, teller: Teller, now: datetime) -> dict[str, Any]:
    """The answer, but for who asked."""
    ladder, grant, keep = seen.ladder, seen.grant, seen.keep
    units = {"spend": program.currency, "points_earned": "points", "orders": "orders"}
    return {
        "ladder_version": ladder.version,
        "basis": ladder.basis,
        "unit": units[ladder.basis],
        "window": {"mode": ladder.window.mode, "from": seen.window[0], "to": seen.window[1]},
        "progress": seen.progress,
        "tier": _tier(seen.tier, teller),
        "since": seen.since,
        "valid_until": seen.valid_until,
        "grace_until": seen.grace_until,
        "in_grace": seen.in_grace,
        "pinned": grant and {"tier": grant.tier, "until": grant.until, "reason": grant.reason},
        "next": seen.next and {"tier": _named(seen.next.tier, teller), **_goal(seen.next)},
        "keep": keep and {**_goal(keep), "by": keep.by, "counts_from": keep.counts_from},
        "projection": {
            "at": seen.projection.at,
            "tier": _named(seen.projection.tier, teller),
            "reason": seen.projection.reason,
            "text": teller.projected(seen.projection),
        },
        "text": teller.summary(seen, now),
    }


def _tier(tier: Tier, teller: Teller) -> dict[str, Any]:
    gives = tier.benefits
    return {
        **_named(tier, teller),
        "description": teller.description(tier),
        "color": tier.color,
        "icon": tier.icon,
        "benefits": {
            "multiplier": gives.multiplier,
            "expiry": gives.expiry,
            "perks": teller.perks(tier),
            "early_access_hours": gives.early_access_hours,
        },
    }


def _named(tier: Tier, teller: Teller) -> dict[str, str]:
    return {"code": tier.code, "name": teller.name(tier)}


def _goal(goal: Goal) -> dict[str, int]:
    return {"have": goal.have, "need": goal.need, "missing": goal.missing}


def _page(session: Session, program_id: UUID, customer_id: str, window: Window, statement: str) -> Page[dict[str, Any]]:
    zone = programs.current(session, program_id).time_zone
    after = window.position(str)
    where = {
        "member_id": members.member_id_of(session, program_id, customer_id),
        "before": _as_uuid(after[0]) if after else _LAST_ID,
        "limit": window.limit + 1,
    }
    rows = session.rows(statement, where, into=dict_row)
    found = page(rows, window, lambda row: [str(row["evaluation_id"])])
    return Page([_dated(row, zone) for row in found.data], found.next)


def _dated(row: dict[str, Any], zone: str) -> dict[str, Any]:
    """Days as the instants at which they begin."""
    window_from, valid_to = row.pop("window_from"), row.pop("valid_to")
    return {**row, "window_from": _instant(window_from, zone), "valid_until": _instant(valid_to, zone)}


def _instant(day: date | None, zone: str) -> datetime | None:
    return None if day is None else terms.instant(day, zone)


def _as_uuid(text: str) -> UUID:
    """A UUID out of a cursor; the start of the list for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return _LAST_ID
