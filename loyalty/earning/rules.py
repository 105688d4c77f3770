"""Earning rules as frozen values, and their stored form."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Literal, Protocol

from loyalty.earning.naming import named_by
from loyalty.earning.segments import Segment, conditions, registry
from loyalty.programs.domain import POINTS
from loyalty.programs.terms import Activation, Expiry
from loyalty.rules.expressions import Condition, condition

Kind = Literal["base", "multiplier", "bonus"]
Period = Literal["day", "week", "month", "quarter", "year", "ever"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class PointsPer:
    """`points` for every `amount` minor units of basis."""

    amount: int
    points: Decimal


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Hours of some weekdays (none: of every day) on the clocks of the program's zone; from 22:00 to 02:00 is a night.

    A night belongs to the day on which it begins. A window without an end lasts to midnight.
    """

    weekdays: tuple[str, ...] = ()
    begin: time = time.min
    end: time | None = None

    def covers(self, local: datetime) -> bool:
        """Whether the clock on the wall stands within the window."""
        day, clock = local.weekday(), local.time()
        if self.end is None or self.begin < self.end:
            return self._on(day) and self.begin <= clock and (self.end is None or clock < self.end)
        return (self._on(day) and self.begin <= clock) or (self._on((day - 1) % 7) and clock < self.end)

    def _on(self, day: int) -> bool:
        return not self.weekdays or WEEKDAYS[day] in self.weekdays


@dataclass(frozen=True, slots=True)
class Milestone:
    """Which of a member's orders count: the `first` so many, the `nth`, or `every` so many."""

    first: int | None = None
    nth: int | None = None
    every: int | None = None

    def is_met(self, number: int) -> bool:
        """Whether the order is one of them; `number` is 1 for a member's first."""
        if self.first is not None:
            return number <= self.first
        return number == self.nth if self.nth is not None else number % (self.every or 1) == 0


@dataclass(frozen=True, slots=True)
class BirthdayWindow:
    """Days around a member's birthday; 29 February is the 28th where there is none."""

    days_before: int = 0
    days_after: int = 0


@dataclass(frozen=True, slots=True)
class Caps:
    """How many points a rule gives at the most: for one order, to a member in a period, to all members together."""

    per_order: int | None = None
    per_member: tuple[tuple[Period, int], ...] = ()
    budget: int | None = None


@dataclass(frozen=True, kw_only=True)
class EarningRule:
    """One rule of a published set. Empty filters match everything."""

    code: str
    version: int
    priority: int
    kind: Kind = "base"
    points_per: PointsPer | None = None
    points_per_unit: int | None = None
    factor: Decimal | None = None
    points: int | None = None
    activity: str | None = None
    categories: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    exclude_skus: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    time_windows: tuple[TimeWindow, ...] = ()
    milestone: Milestone | None = None
    birthday: BirthdayWindow | None = None
    min_basis: int = 0
    when: str | None = None
    caps: Caps = Caps()
    limits: tuple[tuple[Period, int], ...] = ()
    cooldown_days: int = 0
    unit: str = POINTS
    activation: Activation | None = None
    expiry: Expiry | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @cached_property
    def condition(self) -> Condition | None:
        """`when`, compiled."""
        return None if self.when is None else condition(self.when)

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The conditions on the occasion that the rule has (`earning.conditions`)."""
        given = {
            "validity": self.valid_from or self.valid_to, "channels": self.channels, "time_windows": self.time_windows,
            "tiers": self.tiers, "milestone": self.milestone, "birthday": self.birthday, "limits": self.limits,
            "cooldown": self.cooldown_days, "segments": self.segments,
        }  # fmt: skip
        return tuple(name for name, value in given.items() if value)

    @cached_property
    def is_capped(self) -> bool:
        """Whether the rule has any cap."""
        return self.caps != Caps()

    @cached_property
    def filters_lines(self) -> bool:
        """Whether the rule names or excludes any goods."""
        return bool(self.skus or self.categories or self.exclude_skus or self.exclude_categories)

    @cached_property
    def counted_periods(self) -> tuple[Period, ...]:
        """The periods in which it matters how much, or how often, the rule gave a member."""
        wanted: set[Period] = {period for period, _ in (*self.caps.per_member, *self.limits)}
        if self.cooldown_days:
            wanted.add("ever")
        return tuple(sorted(wanted))

    def covers(self, sku: str, lineage: tuple[str, ...]) -> bool:
        """Whether the rule covers goods: named by SKU or category (or nothing is named), and not excluded."""
        if sku in self._excluded_skus or not self._excluded_categories.isdisjoint(lineage):
            return False
        if not self._skus and not self._categories:
            return True
        return sku in self._skus or not self._categories.isdisjoint(lineage)

    @cached_property
    def _skus(self) -> frozenset[str]:
        return frozenset(self.skus)

    @cached_property
    def _categories(self) -> frozenset[str]:
        return frozenset(self.categories)

    @cached_property
    def _excluded_skus(self) -> frozenset[str]:
        return frozenset(self.exclude_skus)

    @cached_property
    def _excluded_categories(self) -> frozenset[str]:
        return frozenset(self.exclude_categories)


@dataclass(frozen=True)
class RuleSet:
    """The rules published together, with the segments they name. `effective_from` None: from the beginning of time."""

    version: int
    rules: tuple[EarningRule, ...]
    segments: tuple[Segment, ...] = ()
    effective_from: datetime | None = None
    published_at: datetime | None = None
    published_by: str | None = None

    @cached_property
    def by_priority(self) -> tuple[EarningRule, ...]:
        """The rules in the order in which they are applied."""
        return tuple(sorted(self.rules, key=lambda rule: rule.priority))

    @cached_property
    def by_code(self) -> dict[str, EarningRule]:
        """The rules by their code."""
        return {rule.code: rule for rule in self.rules}

    @cached_property
    def by_goods(self) -> dict[tuple[str, str], frozenset[str]]:
        """The codes of the rules that name an SKU, or a category."""
        found: dict[tuple[str, str], set[str]] = {}
        for rule in self.rules:
            for kind, names in (("sku", rule.skus), ("category", rule.categories)):
                for name in names:
                    found.setdefault((kind, name), set()).add(rule.code)
        return {name: frozenset(codes) for name, codes in found.items()}

    @cached_property
    def naming_goods(self) -> frozenset[str]:
        """The codes of the rules that are about certain goods."""
        return frozenset(rule.code for rule in self.rules if rule.skus or rule.categories)

    @cached_property
    def segment_conditions(self) -> dict[str, Condition]:
        """The conditions of all segments there are under these rules, compiled."""
        return conditions(self.segments)

    @cached_property
    def all_segments(self) -> Mapping[str, Segment]:
        """All segments there are under these rules, by code: the ones they name, and those every program has."""
        return registry(self.segments)

    @cached_property
    def needs(self) -> "Needs":
        """What must be known of a member to judge by these rules."""
        asking = [rule.condition for rule in self.rules if rule.condition is not None]
        named = {code for rule in self.rules for code in rule.segments}
        asking += [found for code, found in self.segment_conditions.items() if code in named]
        asked = needs_of(asking)
        return replace(
            asked,
            member=asked.member or any(rule.birthday or rule.tiers for rule in self.rules),
            history=asked.history or any(rule.milestone for rule in self.rules),
            counted=tuple(rule for rule in self.by_priority if rule.counted_periods),
            budgets={rule.code: rule.caps.budget for rule in self.by_priority if rule.caps.budget is not None},
        )


@dataclass(frozen=True, slots=True)
class Needs:
    """What a set of rules asks about a member; what conditions name (`naming`), and if they are asked of each line."""

    member: bool = False
    all_attributes: bool = False
    attributes: tuple[str, ...] = ()
    history: bool = False
    all_categories: bool = False
    categories: tuple[str, ...] = ()
    counted: tuple[EarningRule, ...] = ()
    budgets: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    lines: bool = False
    features: bool = False

    @property
    def anything(self) -> bool:
        """Whether the member has to be looked up at all."""
        return self.member or self.history or self.features or bool(self.counted)


class Asks(Protocol):
    """What asks about members: rules, or a catalogue."""

    @property
    def needs(self) -> Needs:
        """What must be known of a member."""

    @property
    def segment_conditions(self) -> Mapping[str, Condition]:
        """The conditions of the segments that are named, compiled."""


def needs_of(conditions: Collection[Condition]) -> Needs:
    """What conditions ask about a member."""
    roots = frozenset().union(*(found.roots for found in conditions))
    categories = {p for found in conditions for p in found.paths if p[:2] == ("history", "categories")}
    attributes = {p for found in conditions for p in found.paths if p[:2] == ("member", "attributes")}
    return Needs(
        named=named_by(conditions),
        lines=any(found.of_lines for found in conditions),
        all_attributes=any(len(path) == 2 for path in attributes),  # noqa: PLR2004
        attributes=tuple(sorted({path[2] for path in attributes if len(path) > 2})),  # noqa: PLR2004
        member="member" in roots,
        history="history" in roots,
        features="features" in roots,
        # One that is not named by a literal may be any.
        all_categories=any(len(path) == 2 for path in categories),  # noqa: PLR2004
        categories=tuple(sorted({path[2] for path in categories if len(path) > 2})),  # noqa: PLR2004
    )
