"""What is looked at of facts, and of what they tell of. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from pyroaring import BitMap

from loyalty.rules.history import costs


class Told(Protocol):
    """A fact, as far as it is looked at."""

    @property
    def owner_id(self) -> UUID:
        """The member, or the program."""

    @property
    def event_id(self) -> UUID:
        """Its id."""

    @property
    def type(self) -> str:
        """What happened."""

    @property
    def customer_id(self) -> str | None:
        """The member as the shop says; None: it is about none."""

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""

    @property
    def data(self) -> Mapping[str, Any]:
        """What else it tells."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order as it was placed."""

    placed_at: datetime
    channel: str | None
    payment_id: str | None
    points_paid: int
    discount: int
    lines: Sequence[Mapping[str, Any]]

    def goods(self) -> list[tuple[str, int, int, str | None]]:
        """Of each line: its id, its units, what they cost after all discounts, and their category."""
        nets = [line["quantity"] * line["unit_price"] - line["discount"] for line in self.lines]
        paid = costs(nets, self.discount, [line["line_id"] for line in self.lines])
        return [
            (line["line_id"], line["quantity"], cost, line["category"])
            for line, cost in zip(self.lines, paid, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry of the ledger, with its order's channel and the reward it was for, if any.

    `lots` are the lots that it changed: when they were earned, and by how much remaining and held changed together.
    """

    seq: int
    unit: str
    kind: str
    available: int
    pending: int
    held: int
    debt: int
    occurred_at: datetime
    channel: str | None
    rule: str | None
    reward: str | None
    lots: Sequence[tuple[datetime, int]]


@dataclass(slots=True)
class Standing:
    """What is known of a member before a fact: up to which entry all is counted, and the tier that was told last."""

    seq: int = 0
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What facts tell of: members' numbers, orders, units by order and return, entries by member.

    `confirmed`: redemptions that were confirmed once. `undone`: by fact, the points and the amount that an offer gave
    which is used no more. `segments`: the members of each, as they were when a day began.
    """

    numbers: Mapping[UUID, int] = field(default_factory=dict)
    orders: Mapping[str, Ordered] = field(default_factory=dict)
    returns: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    entries: Mapping[UUID, Sequence[Booked]] = field(default_factory=dict)
    enrolled: Mapping[UUID, datetime] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    undone: Mapping[UUID, tuple[int, int]] = field(default_factory=dict)
    segments: Callable[[date], Sequence[tuple[str, BitMap]]] = lambda _: ()
