"""What earns points, what is known of who earns them, and what they get: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from loyalty.features.domain import Habits
from loyalty.programs.terms import Dates, Expiry
from loyalty.rules.history import NO_HISTORY, History

NO_HABITS = Habits()

# Clocks of shops run ahead by seconds, not by minutes.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order. Amounts are minor units; `discount` and `tax` are of the whole line."""

    line_id: str
    sku: str
    category: str | None = None
    quantity: int = 1
    unit_price: int
    discount: int = 0
    tax: int = 0

    @property
    def net(self) -> int:
        """What the line costs before the order's own discount."""
        return self.quantity * self.unit_price - self.discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What of an order matters to what it earns."""

    lines: tuple[Line, ...]
    placed_at: datetime
    shipping: int = 0
    discount: int = 0
    points_paid: int = 0
    channel: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """The instant it is judged for."""
        return self.placed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Anything a member did that is not an order, such as a review."""

    type: str
    occurred_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """The instant it is judged for."""
        return self.occurred_at


Occasion = Purchase | Activity


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant at which a member is asked about, whatever they do."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What a rule gave a member in one period: points, how often, and when last (by what it was given for)."""

    points: int = 0
    times: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TierTerms:
    """What a tier changes about what its members earn, as the ladder of a version says."""

    ladder_version: int
    multiplier: Decimal = Decimal(1)
    expiry: Expiry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """An offer that a member has and that an order's points keep, as far as it is about an order.

    Of the goods that it names, those of the order are here or, where the order has none of them, the first it names.
    `value`: points of a bonus, or the factor of a multiplier. It counts for orders from `begins` until `ends`.
    """

    assignment_id: UUID
    code: str
    version: int
    kind: Literal["bonus_points", "multiplier"]
    value: Decimal
    begins: datetime
    ends: datetime
    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    exclude_skus: tuple[str, ...] = ()
    min_basis: int = 0
    budget: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a member when an occasion is judged: no more than the rules in force ask for.

    `counts` are by rule code and period ("2026-03", "ever"; `earning.caps`). `budgets` is the room left in the budgets
    that members share, by rule code; a budget that is not there has room enough.
    """

    enrolled_at: datetime | None = None
    birth_date: date | None = None
    locale: str | None = None
    referred: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tier: str | None = None
    tier_terms: TierTerms | None = None
    offers: tuple[OfferTerms, ...] = ()
    history: History = NO_HISTORY
    habits: Habits = NO_HABITS
    counts: Mapping[tuple[str, str], Count] = field(default_factory=dict)
    budgets: Mapping[str, int] = field(default_factory=dict)


UNKNOWN = Facts()


@dataclass(frozen=True, slots=True)
class Cut:
    """An award was cut to the room that a cap had left.

    `cap`: "per_order", "budget", or the period of a cap per member ("day" … "ever"). `limit` is the cap's, `points`
    what the award would have come to, rounded down.
    """

    cap: str
    limit: int
    room: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """Points that a rule gives for an occasion, with the lines they came from and the dates they live by."""

    rule_code: str
    rule_version: int
    unit: str
    points: int
    lines: tuple[tuple[str, int], ...]
    reason: str
    dates: Dates
    cut: Cut | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Awarded:
    """An award that was given: the entry, and how many points came from which line."""

    seq: int
    unit: str
    points: int
    rule_code: str
    rule_version: int
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an occasion earns.

    `refused`: by code, the rules that gave nothing, and the first of its conditions that did not hold
    (`earning.conditions`). `failures`: conditions that could not be evaluated, and why, by code of their rule.
    """

    awards: tuple[Award, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """Rules and segments being edited. `version` moves with every edit; not `begun`, it shows what is in force."""

    version: int
    rules: list[dict[str, Any]] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)
    begun: bool = True
