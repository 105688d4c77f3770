"""What a rehearsal is asked for, and what it looks at: values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from loyalty.earning.domain import Purchase
from loyalty.tiers.domain import Moving

# Of what there are drafts.
Kind = Literal["earning_rules", "ladder", "offers"]

# By this name, and under this lock, rehearsals wait in the queue: one is done at a time.
JOB = "rehearsals.rehearse"
LOCK = "rehearsals"

# A quarter of a year has seen most of a program's members.
DAYS = 90

# Offers are for those who buy, and most of them buy within four weeks.
OFFER_DAYS = 28

# Whoever dies five times over the same orders would die a sixth time.
ATTEMPTS_MAX = 5

# Told again and again how many orders, or members, of how many are done; answers whether to go on.
Told = Callable[[int, int], bool]


class Interrupted(Exception):
    """Somebody said not to go on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many orders, guests' too, or members were looked at, and what came out."""

    done: int
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """Orders placed from an instant on, and before another; of offers, those who placed any."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRehearsal:
    """A wish for a rehearsal: of the draft given (without `rules`: of the stored one), on the orders of some days."""

    days: int = DAYS
    begin: datetime | None = None
    end: datetime | None = None
    rules: list[dict[str, Any]] | None = None
    segments: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLadderRehearsal:
    """A wish for a rehearsal: of the ladder given, or of the stored draft; `members`: what publishing does to them."""

    ladder: dict[str, Any] | None = None
    members: Moving = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOfferRehearsal:
    """A wish for a rehearsal: of the offers given, or of the stored draft, on whoever bought in some days."""

    days: int = OFFER_DAYS
    offers: list[dict[str, Any]] | None = None
    personalising: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A rehearsal as it is read."""

    rehearsal_id: UUID
    status: str
    placed_from: datetime | None
    placed_to: datetime | None
    attempts: int
    done: int
    total: int | None
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    result: dict[str, Any] | None = None

    @property
    def progress(self) -> dict[str, int | None]:
        """How many orders, or members, of how many are done."""
        return {"done": self.done, "total": self.total}


@dataclass(frozen=True, slots=True)
class Task:
    """A rehearsal that has begun, for the `attempt`th time."""

    rehearsal_id: UUID
    program_id: UUID
    kind: Kind
    draft: dict[str, Any]
    span: Span | None
    attempt: int


@dataclass(slots=True)
class Placed:
    """An order that was placed, whose it was, and what it was given then, by unit. `purchase` None: a guest's."""

    order_id: str
    member_id: UUID
    customer_id: str | None
    placed_at: datetime
    total: int
    came_back: bool
    given: dict[str, int]
    purchase: Purchase | None
