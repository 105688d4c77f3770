"""Whether a member can be given an offer, and if not, why not. Pure.

What costs nothing to know is asked first; only for what is left must more be read of the member.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from loyalty.core import calendar
from loyalty.core.categories import lineage
from loyalty.earning.rules import Needs, needs_of
from loyalty.earning.situation import Situation
from loyalty.offers.domain import Offer, OfferSet, Period, Personalising, Trigger
from loyalty.rules.expressions import Condition, Unanswerable, condition

Why = Literal[
    "trigger_only", "not_started", "ended", "never_personalise", "open", "group", "cap_reached", "cooldown",
    "budget_exhausted", "tier", "segment", "condition",
]  # fmt: skip


@dataclass(frozen=True)
class Shelf:
    """The offers in force at a moment, with what their conditions ask; `segments` are those that there are by then."""

    offers: OfferSet
    segments: Mapping[str, Condition] = field(default_factory=dict)

    @cached_property
    def conditions(self) -> Mapping[str, Condition]:
        """The offers' own conditions, compiled, by code."""
        return {offer.code: condition(offer.when) for offer in self.offers.offers if offer.when is not None}

    @property
    def segment_conditions(self) -> Mapping[str, Condition]:
        """The conditions of all segments."""
        return self.segments

    @cached_property
    def needs(self) -> Needs:
        """What must be known of a member to answer all conditions."""
        named = {code for offer in self.offers.offers for code in offer.segments if code in self.segments}
        return needs_of({*self.conditions.values(), *(self.segments[code] for code in named)})

    @cached_property
    def by_tier(self) -> bool:
        """Whether the member's tier makes a difference to any of them."""
        of_member = self.needs.named.get("member", frozenset())
        return any(offer.tiers for offer in self.offers.offers) or of_member is None or "tier" in of_member


@dataclass(frozen=True, slots=True)
class Had:
    """What a member had of an offer: until when the last one keeps the next away, and when any were redeemed."""

    until: datetime
    redeemed: tuple[datetime, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What is known of a member who might be given offers.

    `held`: the offers that are open, held out ones included; `groups`: those taken. `had`: by code; `spent`: of
    budgets, by the offer's code. `seen`: the member as conditions see them; None where nothing asks.
    """

    at: datetime
    zone: str
    held: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    had: Mapping[str, Had] = field(default_factory=dict)
    spent: Mapping[str, int] = field(default_factory=dict)
    tier: str | None = None
    seen: Situation | None = None


def at_first_sight(offer: Offer, personalising: Personalising, asking: Asking, trigger: Trigger | None) -> Why | None:
    """Why a member cannot be given an offer, as far as that is known from what is open for them."""
    if offer.trigger != trigger:
        return "trigger_only"
    if offer.valid_from is not None and asking.at < offer.valid_from:
        return "not_started"
    if offer.valid_to is not None and asking.at >= offer.valid_to:
        return "ended"
    if is_never_offered(offer, personalising):
        return "never_personalise"
    if offer.code in asking.held:
        return "open"
    return "group" if offer.group is not None and offer.group in asking.groups else None


def on_closer_look(offer: Offer, shelf: Shelf, asking: Asking) -> Why | None:
    """Why a member cannot be given an offer that nothing keeps away at first sight."""
    return _history(offer, asking) or _person(offer, shelf, asking)


def is_never_offered(offer: Offer, personalising: Personalising) -> bool:
    """Whether an offer is on anything that nobody is personally offered."""
    if not personalising.never_categories and not personalising.never_skus:
        return False
    named = {path for category in offer.categories for path in lineage(category)}
    return not named.isdisjoint(personalising.never_categories) or not set(offer.skus).isdisjoint(
        personalising.never_skus
    )


def _history(offer: Offer, asking: Asking) -> Why | None:
    had = asking.had.get(offer.code)
    if had is not None:
        for period, most in offer.caps:
            begin = period_begin(period, asking.at, asking.zone)
            if sum(begin is None or at >= begin for at in had.redeemed) >= most:
                return "cap_reached"
        if asking.at < had.until + timedelta(days=offer.cooldown_days):
            return "cooldown"
    if offer.limit is not None and asking.spent.get(offer.code, offer.limit) >= offer.limit:
        # A budget that nobody counts has nothing to give.
        return "budget_exhausted"
    return None


def _person(offer: Offer, shelf: Shelf, asking: Asking) -> Why | None:
    if offer.tiers and asking.tier not in offer.tiers:
        return "tier"
    if offer.segments and (asking.seen is None or not asking.seen.belongs(offer.segments)):
        return "segment"
    asked = shelf.conditions.get(offer.code)
    if asked is None:
        return None
    assert asking.seen is not None, "whatever is asked has been read"
    try:
        return None if asked.holds(asking.seen.environment) else "condition"
    except Unanswerable:
        return "condition"  # What cannot be answered does not hold, as with earning rules.


def period_begin(period: Period, at: datetime, zone: str) -> datetime | None:
    """The first instant of the calendar period that contains an instant; None: from the beginning of time."""
    today = calendar.local_date(at, zone)
    match period:
        case "day":
            first = today
        case "week":
            first = today - timedelta(days=today.weekday())
        case "month":
            first = today.replace(day=1)
        case "quarter":
            first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            first = today.replace(month=1, day=1)
        case "ever":
            return None
    return calendar.midnight(first, zone)


def groups_of(offers: Iterable[Offer]) -> frozenset[str]:
    """The groups that some offers are of."""
    return frozenset(offer.group for offer in offers if offer.group is not None)
