"""Segments: members who meet a condition; those that every program has, and those it has written itself. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from loyalty.rules.expressions import Condition, condition


@dataclass(frozen=True, slots=True)
class Segment:
    """Members who meet a condition. `description` is that of a segment every program has; its own have none."""

    code: str
    name: str
    when: str
    description: str | None = None


# Later than twice the usual gap is late, later than five times is gone; but nobody is missed within four weeks, however
# often they came, nor given up within three months. Who came once is missed after two months, given up after six.
_USUAL = "features.overdue_percent"
_SINCE = "history.days_since_last_order"
_LATE = f"{_USUAL} != null ? {_USUAL} >= 200 && {_SINCE} > 28 : {_SINCE} > 60"
_GONE = f"{_USUAL} != null ? {_USUAL} >= 500 && {_SINCE} > 90 : {_SINCE} > 180"
_BOUGHT = f"history.orders > 0 && {_SINCE} != null"

# What they mean stays: orders that were judged by them are explained by them. One that means something else gets
# another code.
BUILT_IN = (
    Segment("never_bought", "Never bought", "history.orders == 0", "Members without an order that they kept."),
    Segment(
        "new", "New", "features.tenure_days != null && features.tenure_days <= 30",
        "Whose first order is no more than 30 days old.",
    ),
    Segment("one_time", "Bought once", "history.orders == 1", "Members with one order."),
    Segment(
        "active", "Active", f"{_BOUGHT} && !({_LATE})",
        "Who bought, and is not late: within twice the usual gap, or 28 days; 60 days after a single order.",
    ),
    Segment(
        "at_risk", "At risk", f"{_BOUGHT} && ({_LATE}) && !({_GONE})",
        "Who is late: past twice the usual gap and 28 days, or 60 days after a single order; and has not lapsed.",
    ),
    Segment(
        "lapsed", "Lapsed", f"{_BOUGHT} && ({_GONE})",
        "Who is gone: past five times the usual gap and 90 days, or 180 days after a single order.",
    ),
    Segment(
        "regular", "Regular", f"history.orders >= 4 && {_USUAL} != null && {_USUAL} < 200",
        "With four orders or more, and not later than twice the usual gap.",
    ),
    Segment(
        "high_value", "High value", "features.monetary_quintile != null && features.monetary_quintile == 5",
        "The fifth of the members who spend most of late.",
    ),
    Segment(
        "champions", "Champions",
        " && ".join(
            f"features.{by}_quintile != null && features.{by}_quintile >= 4"
            for by in ("recency", "frequency", "monetary")
        ),
        "In the upper two fifths by how lately they bought, how often, and how much.",
    ),
    Segment(
        "bargain_hunters", "Bargain hunters",
        "history.orders >= 3 && features.discount_percent != null && features.discount_percent >= 30",
        "With three orders or more, of whose price discounts took 30 percent or more.",
    ),
    Segment(
        "redeemers", "Redeemers", "features.redemptions > 0",
        "Who used a reward or an offer before: they are the likeliest to use another.",
    ),
)  # fmt: skip
BUILT_IN_CODES = frozenset(segment.code for segment in BUILT_IN)


def registry(own: Iterable[Segment]) -> Mapping[str, Segment]:
    """All segments of a program by code: its own, and those that every program has, unless it has written another."""
    return MappingProxyType({**{each.code: each for each in BUILT_IN}, **{each.code: each for each in own}})


def conditions(own: Iterable[Segment]) -> dict[str, Condition]:
    """The conditions of all segments, compiled."""
    return {**_built_in(), **{each.code: condition(each.when) for each in own}}


@cache
def _built_in() -> dict[str, Condition]:
    return {each.code: condition(each.when) for each in BUILT_IN}
