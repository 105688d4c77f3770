"""Ladders as frozen values: what counts, over which time, how long a tier is kept, and what it gives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from loyalty.programs.terms import Expiry

Basis = Literal["spend", "points_earned", "orders"]
WindowMode = Literal["lifetime", "rolling", "calendar_year", "calendar_quarter", "membership_year"]
ValidityMode = Literal["forever", "end_of_period", "end_of_next_period", "months"]
Downgrade = Literal["none", "one_step", "full"]
# What publishing a ladder does to the members there are.
Moving = Literal["now", "upgrades_only", "at_validity_end"]

BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What counts for tiers: `spend` in minor units after discounts, `points` given by rules in the unit points."""

    spend: int = 0
    points: int = 0
    orders: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(self.spend + other.spend, self.points + other.points, self.orders + other.orders)

    def __neg__(self) -> "Amounts":
        return Amounts(-self.spend, -self.points, -self.orders)

    def of(self, basis: Basis) -> int:
        """What counts by a basis."""
        if basis == "spend":
            return self.spend
        return self.points if basis == "points_earned" else self.orders


NOTHING = Amounts()


@dataclass(frozen=True, slots=True)
class Window:
    """Over which time is counted: all time, the last so many months or days, or the period that has begun."""

    mode: WindowMode = "lifetime"
    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a tier that was reached is kept."""

    mode: ValidityMode = "forever"
    months: int = 0


@dataclass(frozen=True, slots=True)
class Grace:
    """For how many days more, when that time is over; rounded up to the end of a month if asked."""

    days: int = 0
    round_to: Literal["day", "month"] | None = None


@dataclass(frozen=True, slots=True)
class Benefits:
    """What a tier gives. `perks` are for people to read; `early_access_hours` is for rewards and offers."""

    multiplier: Decimal = Decimal(1)
    expiry: Expiry | None = None
    perks: tuple[str, ...] = ()
    early_access_hours: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of a ladder. `translations`: by language, other words for `name`, `description` and `perks`."""

    code: str
    name: str
    threshold: int
    benefits: Benefits = Benefits()
    description: str | None = None
    color: str | None = None
    icon: str | None = None
    translations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The tiers of a program, published together. `effective_from` None: from the beginning of time."""

    version: int
    basis: Basis
    window: Window
    validity: Validity
    downgrade: Downgrade
    grace: Grace
    tiers: tuple[Tier, ...]
    moving: Moving = "now"
    effective_from: datetime | None = None
    published_at: datetime | None = None
    published_by: str | None = None

    def rank(self, code: str | None) -> int | None:
        """Where a tier stands, 0 being the lowest; None for one that is not of this ladder."""
        return next((n for n, tier in enumerate(self.tiers) if tier.code == code), None)

    def rank_for(self, value: int) -> int:
        """The highest tier that so much reaches."""
        return max((n for n, tier in enumerate(self.tiers) if tier.threshold <= value), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A tier that a member has from an instant on, until another, whatever was bought.

    `pinned` by hand; `imported` from another program, which counts as if it had been reached; or `kept`: what the
    ladder's downgrade leaves of a tier that was reached with what came back.
    """

    kind: Literal["pinned", "imported", "kept"]
    tier: str
    since: datetime
    until: datetime | None
    reason: str
    granted_at: datetime
    granted_by: str = ""
    grant_id: UUID | None = None

    def holds(self, ladders: "Ladders", at: datetime) -> bool:
        """Whether it gives its tier at an instant. What was kept under another ladder ends where all are moved."""
        if self.kind == "imported" or not self.since <= at or (self.until is not None and self.until <= at):
            return False
        moved = (each.effective_from or BEGINNING for each in ladders.published if each.moving == "now")
        return self.kind != "kept" or not any(self.since < begun <= at for begun in moved)


@dataclass(frozen=True, slots=True)
class Ladders:
    """All ladders that a program ever published, oldest first, and its time zone."""

    published: tuple[Ladder, ...]
    zone: str

    @classmethod
    def of(cls, published: Iterable[Ladder], zone: str) -> "Ladders":
        """The ladders that are, were, or will be in force, in that order: a newer one is not undone by an older."""
        found: list[Ladder] = []
        for ladder in sorted(published, key=lambda each: (each.effective_from or BEGINNING, each.version)):
            if not found or ladder.version > found[-1].version:
                found.append(ladder)
        return cls(tuple(found), zone)

    def at(self, instant: datetime) -> Ladder | None:
        """The ladder in force."""
        begun = [each for each in self.published if (each.effective_from or BEGINNING) <= instant]
        return begun[-1] if begun else None

    def after(self, version: int) -> Ladder | None:
        """The ladder that follows one."""
        return next((each for each in self.published if each.version > version), None)

    def of_version(self, version: int) -> Ladder:
        """The ladder of a version that is, was, or will be in force."""
        return next(each for each in self.published if each.version == version)

    @property
    def any(self) -> bool:
        """Whether there is any ladder."""
        return bool(self.published)


def alone(ladder: Ladder, zone: str) -> Ladders:
    """A ladder as if there had never been another."""
    from_the_beginning = {**_fields(ladder), "effective_from": None}
    return Ladders((Ladder(**from_the_beginning),), zone)


def _fields(ladder: Ladder) -> dict[str, Any]:
    return {name: getattr(ladder, name) for name in ladder.__dataclass_fields__}


def highest(ladder: Ladder, codes: Sequence[str | None]) -> Tier:
    """The highest of some tiers; those that the ladder does not have do not count. The lowest tier for none at all."""
    ranks = [rank for code in codes if (rank := ladder.rank(code)) is not None]
    return ladder.tiers[max(ranks, default=0)]
