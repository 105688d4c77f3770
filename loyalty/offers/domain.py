"""Offers, published sets of them, and assignments, as frozen values; the decisions on an assignment's life."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

PromiseKind = Literal["bonus_points", "multiplier", "discount_amount", "discount_percent", "free_product"]
Status = Literal["assigned", "seen", "activated", "redeemed", "expired", "dismissed", "held_out"]
Trigger = Literal["win_back", "referral"]
Period = Literal["day", "week", "month", "quarter", "year", "ever"]
Scope = Literal["program", "offer"]

# Promises that an order's points keep; a voucher keeps the others.
IN_POINTS: frozenset[PromiseKind] = frozenset({"bonus_points", "multiplier"})
# How long a member has an offer, where it does not say.
DAYS = 28
# No code of a rule has a colon, so no rule is mistaken for an offer's.
PREFIX = "offer:"

OPEN: frozenset[Status] = frozenset({"assigned", "seen", "activated"})


@dataclass(frozen=True, slots=True)
class Promise:
    """What an offer promises.

    `value`: points, a factor, minor units, percent, or pieces (of `sku`). With a `least_value` the promise falls in a
    straight line from `value`, for a member who would surely not buy, to `least_value`, for one who surely would.
    `most`: the most that percent come to, or that the pieces of a product cost, in minor units.
    """

    kind: PromiseKind
    value: Decimal
    least_value: Decimal | None = None
    most: int | None = None
    sku: str | None = None

    @property
    def in_points(self) -> bool:
        """Whether an order's points keep it."""
        return self.kind in IN_POINTS


@dataclass(frozen=True, slots=True)
class Budget:
    """What an offer may cost all in all: points of an offer in points, minor units of any other. None: no end."""

    points: int | None = None
    amount: int | None = None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One offer of a published set. Without categories and SKUs it is on the whole basket.

    `days`: how long a member has it, `valid_to` at the latest. `caps`: how often a member may redeem it in a period.
    `cooldown_days`: from the end of one assignment to the next. Of a `group` a member has one offer at a time.
    `trigger`: it is given by a job when that happens, and never by rank.
    """

    code: str
    version: int
    title: str
    promise: Promise
    titles: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    exclude_skus: tuple[str, ...] = ()
    min_basis: int = 0
    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    when: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    days: int = DAYS
    activation: Literal["automatic", "opt_in"] = "automatic"
    caps: tuple[tuple[Period, int], ...] = ()
    cooldown_days: int = 0
    budget: Budget = Budget()
    priority: int = 10
    holdout_percent: Decimal = Decimal(0)
    group: str | None = None
    trigger: Trigger | None = None

    @cached_property
    def names_goods(self) -> bool:
        """Whether it is on certain goods, not on the whole basket."""
        return bool(self.categories or self.skus)

    @cached_property
    def limit(self) -> int | None:
        """What its budget is, in what its promise is in."""
        return self.budget.points if self.promise.in_points else self.budget.amount


@dataclass(frozen=True, slots=True)
class Personalising:
    """How offers are chosen for members.

    `exploration_percent`: the share of places given to goods that a member never bought, by lot. `favourites_percent`:
    the most places that goods bought lately may have (None: as many as they earn). `never_categories` and
    `never_skus`: what nobody is personally offered, such as tobacco.
    """

    exploration_percent: int = 0
    favourites_percent: int | None = None
    never_categories: tuple[str, ...] = ()
    never_skus: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfferSet:
    """Offers published together. `effective_from` None: from the beginning of time."""

    version: int
    offers: tuple[Offer, ...] = ()
    personalising: Personalising = Personalising()
    effective_from: datetime | None = None
    published_at: datetime | None = None
    published_by: str | None = None

    @cached_property
    def by_code(self) -> dict[str, Offer]:
        """The offers by their code."""
        return {offer.code: offer for offer in self.offers}


@dataclass(frozen=True)
class OfferSets:
    """Every published set of offers of a program, the oldest first."""

    sets: tuple[OfferSet, ...] = ()

    @cached_property
    def any(self) -> bool:
        """Whether anybody can have been given an offer."""
        return any(found.offers for found in self.sets)

    @cached_property
    def by_version(self) -> dict[int, OfferSet]:
        """The sets by their version."""
        return {found.version: found for found in self.sets}

    def offer(self, code: str, version: int) -> Offer:
        """An offer as it was published."""
        return self.by_version[version].by_code[code]

    def at(self, instant: datetime) -> OfferSet | None:
        """The set in force: the newest whose time has come."""
        begun = (s for s in reversed(self.sets) if s.effective_from is None or s.effective_from <= instant)
        return next(begun, None)


NO_OFFERS = OfferSets()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An offer that was given to a member, or held out from them.

    It is over at `valid_to`, whether anybody wrote that down or not. `promise`: what was promised to this member.
    `earns`: an order's points keep it. `order_id`, `points` and `amount` say what redeemed it, and what that cost.
    """

    member_id: UUID
    assignment_id: UUID
    offer_code: str
    offer_version: int
    status: Status
    promise: Mapping[str, Any]
    earns: bool
    assigned_at: datetime
    valid_to: datetime
    seen_at: datetime | None = None
    activated_at: datetime | None = None
    closed_at: datetime | None = None
    voucher_code: str | None = None
    order_id: str | None = None
    points: int | None = None
    amount: int | None = None
    rank: int | None = None
    score: float | None = None
    probability: float | None = None
    in_list: str | None = None
    trigger: str = "ranking"
    reasons: tuple[Mapping[str, Any], ...] = ()
    holdout: Scope | None = None

    def status_at(self, now: datetime) -> Status:
        """What it is as of `now`: what is over has expired, recorded or not."""
        return "expired" if self.status in OPEN and self.valid_to <= now else self.status


def rule_code(offer_code: str) -> str:
    """The name of an offer among the rules that give points, and among their budgets."""
    return f"{PREFIX}{offer_code}"


def held_out(member_id: UUID, percent: Decimal, scope: str) -> bool:
    """Whether a member is in the holdout of a program or of an offer.

    The same for ever, and whoever is in a holdout of p percent is in each larger one of the same scope; those of two
    scopes are independent.
    """
    digest = hashlib.sha256(f"{scope}:{member_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 1_000_000 < percent * 10_000
