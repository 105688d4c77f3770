"""Stretches of time that are searched for what falls due, and how far ahead members are told of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from loyalty.notifications.domain import Settings

NOBODY = UUID(int=0)
# Behind every member.
LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Due:
    """Something of a member that ends, and when."""

    at: datetime
    member_id: UUID
    program_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What falls due after (`begin`, `after`) and until `end`, in that order of instants and members.

    `alone`: the one program that is searched, by its own index, because its clock is its own.
    """

    begin: datetime
    after: UUID
    end: datetime
    programs: Sequence[UUID]
    alone: UUID | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """So many days ahead a program tells; what is due within `shorter` of its own is left to a later notice."""

    days: int
    shorter: int
    now: datetime
    settings: Settings

    @property
    def lead(self) -> timedelta:
        """How far ahead."""
        return timedelta(days=self.days)

    def is_for(self, at: datetime) -> bool:
        """Whether it is this notice that tells of what ends at an instant, not the next one."""
        return at > self.now + timedelta(days=self.shorter)

    def days_left(self, at: datetime) -> int:
        """In how many days, begun ones counted, it will be `at`: as many as wanted, unless the notice is late."""
        return -((max(self.now, at - self.lead) - at) // timedelta(days=1))


def notices(leads: Sequence[int], settings: Settings, *, now: datetime) -> Mapping[int, Notice]:
    """The notices of a program, by how many days ahead they come."""
    ordered = sorted(set(leads))
    return {days: Notice(days, shorter, now, settings) for shorter, days in zip([0, *ordered], ordered, strict=False)}
