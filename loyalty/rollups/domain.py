"""What is counted, and how it is asked for. Pure.

Two things are kept by day: *sums* (orders, minor units, points …) and *sets* (who bought, who redeemed …), each in all
and by one dimension at a time. A set knows its members by number (`rollup_members`), so that any number of days make
one set without counting anybody twice. Days are those of the program's zone, of the instant at which something
happened; what is told late is added to the day on which it happened.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from pyroaring import BitMap

Span = Literal["day", "week", "month"]
# A span, by its first day.
Piece = tuple[Span, date]
Dimension = Literal[
    "all", "tier", "segment", "channel", "category", "rule", "reward", "offer", "cohort", "move", "touchpoint"
]

# Sums, and the dimensions by which each is counted beside "all". What a member was when it happened counts: `tier` is
# the one that was told last before it in the log, `segment` each one the member was in when the day began.
SUMS: Mapping[str, tuple[Dimension, ...]] = {
    # Orders of members. Sales are the goods after all discounts, without shipping, in minor units.
    "orders": ("tier", "segment", "channel", "category"),
    "sales": ("tier", "segment", "channel", "category"),
    "units": ("category",),
    "discount": ("tier", "segment", "channel"),
    "discounted_orders": ("tier", "segment", "channel"),
    "points_paid": ("tier", "segment", "channel"),
    # What came back, on the day it did: minor units, and orders of which the rest came back with it.
    "returned": ("tier", "segment", "channel", "category"),
    "returned_orders": ("tier", "segment", "channel"),
    # The same of orders without a member.
    "guest_orders": ("channel",),
    "guest_sales": ("channel",),
    "guest_returned": ("channel",),
    "guest_returned_orders": ("channel",),
    # Members.
    "enrolled": (),
    "left": ("tier",),  # closed or merged
    # Per unit, by kind of entry: by how much available + pending + held changed (signed), as `points.<kind>`; and what
    # is owed, as `debt.<kind>`. `cohort`: "2026-03", the month in which the lot was earned that it is about.
    # `rule`: of entries that name one. `reward`: of those for a redemption. `channel`: of those that name an order
    # which was there: of a payment, the order that was paid with it.
    "points.*": ("tier", "segment", "channel", "rule", "reward", "cohort"),
    "debt.*": (),
    "pending": (),  # changes of the bucket, signed
    "held": (),
    "awards": ("tier", "segment", "channel", "rule"),  # entries of the kind "earn"
    # Redemptions of rewards: confirmed; cancelled after that; and cancelled or expired before.
    "redemptions": ("tier", "segment", "reward"),
    "redemptions_cancelled": ("tier", "segment", "reward"),
    "redemptions_dropped": ("tier", "segment", "reward"),
    # Paying with points: captured and refunded, in minor units.
    "payments": ("tier", "segment"),
    "payments_refunded": ("tier", "segment"),
    # Offers, by what became of them (`offers.events.Became`), and what those redeemed gave (less reinstated ones).
    "offers.*": ("tier", "segment", "offer"),
    "offer_points": ("offer",),
    "offer_amount": ("offer",),
    # Tiers: moves from one to another: "silver>gold"; the first one a member is told to have is ">silver".
    "moves": ("move",),
    # Answers, by kind and score: "answers.nps.9".
    "answers.*": ("tier", "segment", "touchpoint"),
}

# Sets, and the dimensions by which each is kept beside "all".
SETS: Mapping[str, tuple[Dimension, ...]] = {
    "enrolled": (),
    "left": (),
    "active": ("tier", "segment", "channel"),  # earned or redeemed, in any unit
    "earners": ("tier", "segment", "channel", "rule"),
    "redeemers": ("tier", "segment", "reward"),
    "buyers": ("tier", "segment", "channel", "category"),
    "repeaters": ("tier", "segment", "channel", "category"),  # bought twice or more often within the span
    "offers.assigned": ("tier", "segment", "offer"),
    "offers.redeemed": ("tier", "segment", "offer"),
    "answered": ("tier", "segment", "touchpoint"),
}


class Rollups(Protocol):
    """What was counted of one program, up to `as_of`. Days are half-open: `first` counts, `last` does not.

    `first` None: from the beginning. Missing days and keys are zero, and are not in the answer.
    """

    @property
    def as_of(self) -> datetime:
        """Until when all that happened is counted."""

    def sums(
        self,
        measure: str,
        *,
        unit: str = "",
        dimension: Dimension = "all",
        key: str = "",
        first: date | None,
        last: date,
    ) -> Mapping[date, int]:
        """A sum by day."""

    def keyed(
        self,
        measures: Iterable[str],
        *,
        unit: str = "",
        dimension: Dimension = "all",
        key: str | None = None,
        first: date | None,
        last: date,
        cuts: Sequence[date] | None = None,
    ) -> Mapping[tuple[str, str], Mapping[date, int]]:
        """Sums of a key of a dimension, or of all (None), by (measure, key) and day. A measure may end in `*`.

        With `cuts`, which ascend, days of one month that no cut separates are one sum, as of the first of them.
        """

    def totals(
        self, measures: Iterable[str], *, unit: str = "", dimension: Dimension = "all", first: date | None, last: date
    ) -> Mapping[tuple[str, str], int]:
        """`keyed`, each over all days."""

    def sizes(
        self, name: str, *, dimension: Dimension = "all", key: str = "", span: Span, first: date | None, last: date
    ) -> Mapping[date, int]:
        """How many are in a set, by the first day of each span that begins within the days."""

    def members(
        self, name: str, *, dimension: Dimension = "all", key: str = "", first: date | None, last: date
    ) -> BitMap:
        """Who is in a set on any of the days."""

    def sets(
        self, name: str, *, dimension: Dimension = "all", key: str = "", span: Span, first: date | None, last: date
    ) -> Mapping[date, BitMap]:
        """Who is in a set, by the first day of each span that begins within the days."""

    def spans(
        self, names: Iterable[str], *, dimension: Dimension = "all", key: str = "", spans: Iterable[Piece]
    ) -> Mapping[tuple[str, Span, date], BitMap]:
        """Who is in sets, by name, span and its first day: of the very spans that are asked for."""

    def each(self, name: str, *, dimension: Dimension, first: date | None, last: date) -> Mapping[str, BitMap]:
        """`members` of every key of a dimension."""


@dataclass(frozen=True, slots=True)
class Place:
    """A sum of one day: the row it is kept in."""

    measure: str
    unit: str
    dimension: Dimension
    key: str
    day: date


@dataclass(frozen=True, slots=True)
class SetPlace:
    """A set of one span: the row it is kept in. `starts` is the first day of the day, ISO week or month."""

    name: str
    dimension: Dimension
    key: str
    span: Span
    starts: date


def starts_of(day: date) -> tuple[tuple[Span, date], ...]:
    """The spans that a day belongs to."""
    monday = day.fromordinal(day.toordinal() - day.weekday())
    return ("day", day), ("week", monday), ("month", day.replace(day=1))
