"""The facts that points tell, from what a decision wrote into a book. The shapes of their data: `fact_schemas`.

All that a decision made of one kind, for one reason and at one moment, is told together: who earned by three rules at
once earned once, and what lapses at the end of a month lapses together, of however many orders it was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.events.domain import Fact, moment
from loyalty.ledger.domain import Account, Entry
from loyalty.ledger.settling import MISSED

# What an entry of each kind is told as.
TYPES = {
    "earn": "points.earned",
    "mature": "points.matured",
    "expire": "points.expired",
    "hold": "points.held",
    "release": "points.released",
    "redeem": "points.redeemed",
    "reverse": "points.reversed",
    "return_spent": "points.returned",
    "adjust": "points.adjusted",
    "transfer_in": "points.transferred_in",
    "transfer_out": "points.transferred_out",
    "debt": "points.owed",
    "debt_paid": "points.debt_paid",
    "reinstate": "points.reinstated",
}
# The reference of these is a lot or a debt of the ledger's own, which says nothing about why.
_OF_LOTS = ("mature", "expire", "debt_paid")

_BUCKETS = ("available", "pending", "held", "debt")


@dataclass(slots=True)
class _Told:
    """What is told together, as it adds up."""

    type: str
    occurred_at: datetime
    data: dict[str, Any]
    points: int = 0
    waiting: int = 0
    rules: dict[str, None] = field(default_factory=dict)
    matures: list[datetime] = field(default_factory=list)
    expires: list[datetime] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        self.points += entry.points
        self.waiting += max(entry.pending, 0)
        if entry.rule_code is not None:
            self.rules[entry.rule_code] = None
        if entry.matures_at is not None:
            self.matures.append(entry.matures_at)
        if entry.expires_at is not None:
            self.expires.append(entry.expires_at)

    def fact(self, member_id: UUID, customer_id: str) -> Fact:
        data = {
            **self.data,
            "points": self.points if self.type == "points.adjusted" else abs(self.points),
            "waiting": self.waiting,
            "rules": list(self.rules),
            "matures_at": moment(min(self.matures, default=None)),
            "expires_at": moment(min(self.expires, default=None)),
        }
        return Fact(
            type=self.type, version=1, occurred_at=self.occurred_at, data=data, member_id=member_id,
            customer_id=customer_id,
        )  # fmt: skip


def facts_of(entries: Iterable[Entry], read: Mapping[str, Account], member_id: UUID, customer_id: str) -> list[Fact]:
    """What new entries tell. `read`: the accounts as they were before them, by unit.

    Facts are in the order of the last entries they tell of, each with what the account holds after that one.
    """
    sums = {unit: [getattr(account, name) for name in _BUCKETS] for unit, account in read.items()}
    told: dict[tuple[object, ...], _Told] = {}
    for entry in entries:
        held = sums.setdefault(entry.unit, [0, 0, 0, 0])
        for place, name in enumerate(_BUCKETS):
            held[place] += getattr(entry, name)
        if not entry.points:
            # What was forgiven, or lived through before a merge: nobody's points became more or fewer.
            continue
        kind, reference = _type(entry), _reference(entry)
        key = (kind, entry.unit, entry.occurred_at, entry.order_id, reference)
        group = told.pop(key, None) or _Told(kind, entry.occurred_at, {})
        group.add(entry)
        group.data = {
            "unit": entry.unit, "seq": entry.seq, "order_id": entry.order_id, "reference": reference,
            **dict(zip(_BUCKETS, held, strict=True)),
        }  # fmt: skip
        told[key] = group
    return [group.fact(member_id, customer_id) for group in told.values()]


def _type(entry: Entry) -> str:
    # What somebody owes moves with a merge: the one owes it no more, the other does.
    if entry.debt and entry.kind in ("transfer_in", "transfer_out"):
        return "points.owed" if entry.debt > 0 else "points.debt_paid"
    return TYPES[entry.kind]


def _reference(entry: Entry) -> str | None:
    own = entry.kind in _OF_LOTS or entry.reason == MISSED
    return None if own else entry.reference
