"""What a member holds: now, as it was, as it was known, and as it will be.

Now and later is what is recorded, with what falls due until then settled in memory: one statement, or two. The past is
added up from entries (`past`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Account
from loyalty.ledger.errors import TimeUnknown, UnitUnknown
from loyalty.ledger.holdings import ACCOUNT, HOLDING, holdings_from, is_due
from loyalty.ledger.past import BUCKETS, read_past
from loyalty.ledger.settling import settle
from loyalty.members.errors import MemberNotFound
from loyalty.programs import queries as programs

# With `{account}` being the account alone, or the account with what is due.
_HELD = """
SELECT m.member_id AS owner_id, {account},
  (SELECT json_agg(c) FROM (
     SELECT u.at, u.maturing, u.expiring FROM upcoming u
     WHERE u.member_id = a.member_id AND u.unit = a.unit AND u.at > %(now)s AND (u.maturing > 0 OR u.expiring > 0)
     ORDER BY u.at LIMIT %(instants)s) c) AS coming
FROM natural_keys k JOIN members m ON m.member_id = k.member_id
LEFT JOIN accounts a ON a.member_id = m.member_id AND a.unit = %(unit)s
WHERE k.program_id = %(program_id)s AND k.kind = 'member' AND k.key = %(customer_id)s
"""

_ACCOUNT, _HOLDING = _HELD.format(account=ACCOUNT), _HELD.format(account=HOLDING)

# How many coming instants a balance lists. A year of weekly orders, rounded to month ends, has twelve.
INSTANTS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a member holds in one unit at an instant, and what becomes of it."""

    unit: str
    as_of: datetime
    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    lifetime_spent: int
    maturing: list[dict[str, Any]]
    expiring: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a balance is asked for: as it was or will be at `as_of`, by what was known at `known_at`.

    None: now, and by what is known now.
    """

    now: datetime
    as_of: datetime | None = None
    known_at: datetime | None = None


def balance(session: Session, program_id: UUID, customer_id: str, unit: str, moment: Moment) -> Balance:
    """What a member holds, exactly, whether or not any job has run.

    Refuses: MemberNotFound, UnitUnknown, TimeUnknown.
    """
    as_of = moment.as_of or moment.known_at or moment.now
    if moment.known_at is not None and as_of > moment.known_at:
        raise TimeUnknown("as_of must not be later than known_at: what was expected then is not kept.")
    where = {"program_id": program_id, "customer_id": customer_id, "unit": unit, "now": as_of, "instants": INSTANTS_MAX}
    row = session.row(_ACCOUNT, where, into=dict_row)
    if row is None:
        raise MemberNotFound(customer_id)
    if row["unit"] is None:
        if unit not in programs.current(session, program_id).units:
            raise UnitUnknown(unit)
        return _shown(unit, dict.fromkeys(BUCKETS, 0), as_of, {}, {})
    # Nothing is recorded that was known later than the account knows; what is known only since counts from then on.
    asked_of_the_past = moment.as_of is not None or moment.known_at is not None
    if asked_of_the_past and min(as_of, moment.known_at or as_of) < row["known_at"]:
        past = read_past(session, row["owner_id"], unit, as_of=as_of, known_at=moment.known_at)
        return _shown(unit, past.sums, as_of, past.maturing, past.expiring)
    if not is_due(row, as_of):
        return _present(row, as_of)
    # Read anew as a whole, so that all of it is of one moment.
    row = session.row(_HOLDING, where, into=dict_row)
    assert row is not None, "who was there is there"
    return _present(row, as_of, zone=programs.current(session, program_id).time_zone)


def _present(row: dict[str, Any], as_of: datetime, *, zone: str = "UTC") -> Balance:
    """The balance from what is recorded, settled as of `as_of` if something is due."""
    book = Book(holdings_from(row["owner_id"], [row]), zone=zone, now=as_of)
    unit = row["unit"]
    settle(book, as_of)
    account = book.account(unit)
    maturing: dict[datetime, int] = {}
    expiring: dict[datetime, int] = {}
    for coming in row["coming"] or ():
        at = datetime.fromisoformat(coming["at"])
        maturing[at], expiring[at] = coming["maturing"], coming["expiring"]
    for (_, at), (matures, expires) in book.upcoming.items():
        maturing[at] = maturing.get(at, 0) + matures
        expiring[at] = expiring.get(at, 0) + expires
    for idle in account.idle.values():
        expiring[idle.at] = expiring.get(idle.at, 0) + idle.points
    return _shown(unit, _sums(account), as_of, maturing, expiring)


def _shown(
    unit: str, sums: Mapping[str, int], as_of: datetime, maturing: dict[datetime, int], expiring: dict[datetime, int]
) -> Balance:
    return Balance(
        unit=unit,
        as_of=as_of,
        maturing=_listed(maturing, as_of),
        expiring=_listed(expiring, as_of),
        **{name: sums[name] for name in BUCKETS},
    )


def _sums(account: Account) -> dict[str, int]:
    return {name: getattr(account, name) for name in BUCKETS}


def _listed(points_at: dict[datetime, int], as_of: datetime) -> list[dict[str, Any]]:
    coming = sorted((at, points) for at, points in points_at.items() if points > 0 and at > as_of)
    return [{"points": points, "at": at} for at, points in coming[:INSTANTS_MAX]]
