"""What members spent after something, as frozen values. Pure.

An *experiment* is an offer, or the program's offers all together. Each of its members is in one *arm* from an *anchor*
on: they were given it, or it was held out from them. What counts is what they bought in the *window* that begins there,
beside what they had bought before, as of the orders as they are now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from loyalty.rules.history import costs

# What all offers do together, and the beginning of what one of them is called: "offer:coffee".
PROGRAM = "program"
OFFER = "offer:"
# What members bought after they answered a question of a kind is called "answers:nps"; its arms are classes of answers.
ANSWERS = "answers:"

TREATMENT, HOLDOUT = "treatment", "holdout"

# All windows of an experiment are as long, whatever a single offer says: what is spent in 28 and in 14 days is not to
# be compared. As much again, twice, is what a member bought before.
WINDOW = timedelta(days=28)
BEFORE = timedelta(days=56)

# Shares are whole millionths, so that sums of them are exact.
MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """From when on a member is in an arm, until when it counts what they buy, and what counts as bought before.

    `day` is that of the anchor in the program's zone; `share`: how many in a million were meant to be in the holdout.
    """

    member_id: UUID
    experiment: str
    arm: str
    day: date
    at: datetime
    ends_at: datetime
    before_from: datetime
    before_to: datetime
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a member bought: minor units less what came back, orders of which something was kept; what offers gave.

    `before`: minor units, in the time before. `redeemed`: how many offers.
    """

    spend: int = 0
    orders: int = 0
    before: int = 0
    points: int = 0
    amount: int = 0
    redeemed: int = 0


NOTHING = Measured()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it for one member."""

    anchor: Anchor
    measured: Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Everything that statistics need of the members of an arm: sums, of squares, and of products. All are exact."""

    members: int = 0
    share: int = 0
    buyers: int = 0
    redeemers: int = 0
    orders: int = 0
    orders_2: int = 0
    spend: int = 0
    spend_2: int = 0
    spend_3: int = 0
    before: int = 0
    before_2: int = 0
    spend_before: int = 0
    points: int = 0
    amount: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in TOTALS})

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(**{name: getattr(self, name) - getattr(other, name) for name in TOTALS})


TOTALS = tuple(each.name for each in fields(Totals))
NONE = Totals()

# An experiment's totals are kept by the day of the anchor and the arm.
Place = tuple[str, date, str]
ByPlace = dict[Place, Totals]


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The totals of one arm, of the members whose anchor is on a day."""

    experiment: str
    day: date
    arm: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of a program's experiments, by the day of the anchor and by arm."""

    days: tuple[DayTotals, ...] = ()

    @property
    def experiments(self) -> list[str]:
        """What there is: the program first, then its offers."""
        return sorted({each.experiment for each in self.days}, key=lambda name: (name != PROGRAM, name))

    def of(self, experiment: str, first: date, last: date) -> "Outcomes":
        """Those of one experiment, from a day until before another."""
        return Outcomes(tuple(each for each in self.days if each.experiment == experiment and first <= each.day < last))


def place_of(anchor: Anchor) -> Place:
    """Where a member's outcome is added up."""
    return anchor.experiment, anchor.day, anchor.arm


def totals_of(anchor: Anchor, measured: Measured) -> Totals:
    """What one member adds."""
    spend, before = measured.spend, measured.before
    return Totals(
        members=1, share=anchor.share, buyers=int(measured.orders > 0), redeemers=int(measured.redeemed > 0),
        orders=measured.orders, orders_2=measured.orders**2, spend=spend, spend_2=spend**2, spend_3=spend**3,
        before=before, before_2=before**2, spend_before=spend * before, points=measured.points, amount=measured.amount,
    )  # fmt: skip


def added(outcomes: Iterable[Outcome]) -> ByPlace:
    """What outcomes that are new add."""
    return changed((None, each) for each in outcomes)


def changed(outcomes: Iterable[tuple[Outcome | None, Outcome | None]]) -> ByPlace:
    """What outcomes that became others add, and take away: what each was, and what it is now."""
    sums: dict[Place, dict[str, int]] = {}
    for was, now in outcomes:
        for each, sign in ((was, -1), (now, 1)):
            if each is not None:
                into = sums.setdefault(place_of(each.anchor), dict.fromkeys(TOTALS, 0))
                for name, number in asdict(totals_of(each.anchor, each.measured)).items():
                    into[name] += sign * number
    return {place: Totals(**names) for place, names in sums.items() if any(names.values())}


def kept(lines: Sequence[Mapping[str, Any]], discount: int, returned: Mapping[str, int]) -> int | None:
    """What an order comes to without what came back of it, in minor units, without shipping; None if all of it did.

    >>> kept([{"line_id": "1", "quantity": 2, "unit_price": 500, "discount": 0}], 100, {"1": 1})
    450
    """
    nets = [line["quantity"] * line["unit_price"] - line["discount"] for line in lines]
    left = [line["quantity"] - returned.get(line["line_id"], 0) for line in lines]
    if not any(left):
        return None
    paid = costs(nets, discount, [line["line_id"] for line in lines])
    return int(sum(cost * n // line["quantity"] for cost, n, line in zip(paid, left, lines, strict=True)))


def share_of(percent: Decimal | int) -> int:
    """A share in percent, in millionths."""
    return int(Decimal(percent) * (MILLION // 100))
