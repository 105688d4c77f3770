"""Reading entries of the ledger: with the lots that they changed, their orders' channels, and rewards they were for."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.events.following import LoggedFact
from loyalty.payments.domain import payment_id_of
from loyalty.rewards.domain import hold_id_of
from loyalty.rollups.cells import Counting
from loyalty.rollups.told import Booked, Ordered

_ENTRIES = """
SELECT w.member_id, e.seq, e.unit, e.kind, e.available, e.pending, e.held, e.debt, e.occurred_at, e.order_id,
    e.rule_code, e.reference, e.reason
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS w (member_id, after, upto)
CROSS JOIN LATERAL (
    SELECT * FROM entries b WHERE b.member_id = w.member_id AND b.seq > w.after AND b.seq <= w.upto
    ORDER BY b.seq OFFSET 0) e
"""
# The lots that entries opened, and those that they took from, or gave back to.
_LOTS = """
WITH w AS MATERIALIZED (SELECT * FROM unnest(%s::uuid[], %s::bigint[]) AS w (member_id, seq))
SELECT w.member_id, w.seq, l.earned_at, l.points FROM w
CROSS JOIN LATERAL (SELECT * FROM lots b WHERE b.member_id = w.member_id AND b.seq = w.seq LIMIT 1) l
UNION ALL
SELECT w.member_id, w.seq, l.earned_at, a.held - a.points FROM w
CROSS JOIN LATERAL (SELECT * FROM allocations b WHERE b.member_id = w.member_id AND b.seq = w.seq OFFSET 0) a
CROSS JOIN LATERAL (SELECT * FROM lots b WHERE b.member_id = a.member_id AND b.seq = a.lot_seq LIMIT 1) l
WHERE a.held <> a.points
"""

# Of these the order was there before, or came with them. What is on hold may name one that never comes.
_OF_AN_ORDER = frozenset(("earn", "reverse", "debt", "debt_paid", "return_spent"))
_TAKEN_BACK = "redemption cancelled"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry, as far as it is looked at."""

    member_id: UUID
    seq: int
    unit: str
    kind: str
    available: int
    pending: int
    held: int
    debt: int
    occurred_at: datetime
    order_id: str | None
    rule_code: str | None
    reference: str | None
    reason: str | None

    @property
    def redemption(self) -> str | None:
        """The redemption that it may be for, by its id."""
        if self.kind == "redeem" and self.reference is not None:
            return self.reference.removeprefix(hold_id_of(""))
        return self.reference if self.kind == "return_spent" and self.reason == _TAKEN_BACK else None


def entries(
    session: Session, facts: Iterable[LoggedFact], numbers: Mapping[UUID, int], counting: Counting
) -> list[Entry]:
    """The entries that facts tell of and that were not counted, in their order."""
    upto: dict[UUID, int] = {}
    for fact in facts:
        if fact.type.startswith("points."):
            upto[fact.owner_id] = max(upto.get(fact.owner_id, 0), fact.data["seq"])
    if not upto:
        return []
    after = (counting.standings[numbers[member_id]].seq for member_id in upto)
    where = (array_of(upto), array_of(after), array_of(upto.values()))
    return session.rows(_ENTRIES, where, into=_as_entry)


def _as_entry(_cursor: Any) -> Callable[[Sequence[Any]], Entry]:
    return lambda row: Entry(*row)


def may_name(entry: Entry) -> bool:
    """Whether the order that an entry names was there by then, for sure."""
    return entry.kind in _OF_AN_ORDER or (entry.kind == "redeem" and payment_id_of(entry.reference) is not None)


def lots(session: Session, entries: Iterable[Entry]) -> dict[tuple[UUID, int], list[tuple[datetime, int]]]:
    """The lots that entries changed. What was earned opened a lot of its own, earned when it was."""
    wanted = [
        (entry.member_id, entry.seq)
        for entry in entries
        if entry.kind not in ("earn", "mature") and (entry.available or entry.pending or entry.held)
    ]
    found: dict[tuple[UUID, int], list[tuple[datetime, int]]] = defaultdict(list)
    if wanted:
        members, seqs = zip(*wanted, strict=True)
        for member_id, seq, earned_at, change in session.rows(
            _LOTS, (array_of(members), array_of(seqs)), into=tuple_row
        ):
            found[member_id, seq].append((earned_at, change))
    return found


def booked(
    entries: Iterable[Entry],
    orders: Mapping[str, Ordered],
    redemptions: Mapping[str, tuple[UUID, int, str]],
    lots: Mapping[tuple[UUID, int], Sequence[tuple[datetime, int]]],
) -> dict[UUID, list[Booked]]:
    """Entries by member, with the channels of their orders and the rewards they were for."""
    found: dict[UUID, list[Booked]] = defaultdict(list)
    for entry in entries:
        order = orders.get(entry.order_id) if entry.order_id is not None and may_name(entry) else None
        channel = order.channel if order is not None and _is_of(entry, order) else None
        reward = None
        if entry.redemption is not None and (made := redemptions.get(entry.redemption)) is not None:
            reward = made[2] if entry.kind != "redeem" or made[:2] == (entry.member_id, entry.seq) else None
        changed = lots.get((entry.member_id, entry.seq), ())
        if entry.kind == "earn":
            changed = ((entry.occurred_at, entry.available + entry.pending),)
        found[entry.member_id].append(
            Booked(
                entry.seq, entry.unit, entry.kind, entry.available, entry.pending, entry.held, entry.debt,
                entry.occurred_at, channel, entry.rule_code, reward, changed,
            )
        )  # fmt: skip
    return found


def _is_of(entry: Entry, order: Ordered) -> bool:
    return entry.kind != "redeem" or payment_id_of(entry.reference) == order.payment_id
