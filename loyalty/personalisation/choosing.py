"""Which of the offers that fit a member are given: by score, by list, by lot, and one of each group. Pure.

Whoever is in an offer's holdout is noted where they would have been given it, and the next offer moves up: without that
offer, it would have. What is held out takes no place and keeps no group, so that those in the holdout see what they
would see if there were no such offer.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from loyalty.offers.domain import Assignment, Personalising
from loyalty.personalisation.ranking import InList, Ranked

EXPLORATION = "exploration"
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Chosen:
    """An offer that is given, or held out; `explored`: by lot, not by rank."""

    ranked: Ranked
    held_out: bool = False
    explored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many places there are in all, and what is in them already.

    `only`: the one list that is asked for; then nothing but the score decides.
    """

    places: int
    taken: Sequence[Assignment] = ()
    groups: frozenset[str] = frozenset()
    only: InList | None = None

    @property
    def left(self) -> int:
        """How many places are free."""
        return max(0, self.places - len(self.taken))


def choose(
    ranked: Iterable[Ranked], personalising: Personalising, room: Room, *, member_id: UUID, day: date,
    is_held_out: Callable[[Ranked], bool] = lambda _: False,
) -> list[Chosen]:  # fmt: skip
    """What a member is given, and what is held out from them. `day`: by which lots are drawn, the member's own."""
    fits = [each for each in ranked if room.only is None or each.in_list == room.only]
    to_explore = 0 if room.only else min(room.left, _to_explore(personalising, room, member_id, day))
    favourites = room.places if room.only else _favourites_left(personalising, room)
    taking = _Taking(groups=set(room.groups), favourites=favourites, is_held_out=is_held_out)
    pool = {each.offer.code for each in fits if each.in_list == "discover"} if to_explore else set()
    taking.take(fits, room.left - min(to_explore, len(pool)))
    rest = [each for each in fits if each.offer.code in pool - taking.codes]
    taking.take(_by_lot(rest, member_id, day), room.left - taking.given, explored=True, most=to_explore)
    # What no lot was drawn for goes by rank.
    taking.take([each for each in fits if each.offer.code not in taking.codes], room.left - taking.given)
    return taking.chosen


class _Taking:
    """Places being filled."""

    def __init__(self, *, groups: set[str], favourites: int, is_held_out: Callable[[Ranked], bool]) -> None:
        self.groups, self.favourites, self.is_held_out = groups, favourites, is_held_out
        self.chosen: list[Chosen] = []
        self.codes: set[str] = set()
        self.given = 0

    def take(self, offers: Iterable[Ranked], places: int, *, explored: bool = False, most: int | None = None) -> None:
        """Fill so many places, in the order of the offers."""
        end = self.given + min(places, places if most is None else most)
        for each in offers:
            if self.given >= end:
                return
            if each.offer.code in self.codes or not self._fits(each):
                continue
            held_out = self.is_held_out(each)
            self.codes.add(each.offer.code)
            self.chosen.append(Chosen(each, held_out, explored))
            if not held_out:
                self.given += 1
                self.favourites -= each.in_list == "favourites"
                self.groups |= {each.offer.group} if each.offer.group is not None else set()

    def _fits(self, each: Ranked) -> bool:
        return each.offer.group not in self.groups and (each.in_list != "favourites" or self.favourites > 0)


def share(percent: float, places: int, lot: float) -> int:
    """So many percent of some places: what is less than one place is a chance of one, decided by a lot below 1.

    >>> share(10, 10, 0.5), share(15, 10, 0.4), share(15, 10, 0.6)
    (1, 2, 1)
    """
    whole, rest = divmod(percent * places, HUNDRED)
    return int(whole) + (lot * HUNDRED < rest)


def lot(member_id: UUID, day: date, of: str) -> float:
    """A number below 1 that is the same whenever it is drawn on that day."""
    digest = hashlib.sha256(f"{of}:{day}:{member_id}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _by_lot(offers: Collection[Ranked], member_id: UUID, day: date) -> Iterator[Ranked]:
    yield from sorted(offers, key=lambda each: (lot(member_id, day, each.offer.code), each.offer.code))


def _to_explore(personalising: Personalising, room: Room, member_id: UUID, day: date) -> int:
    explored = sum(each.trigger == EXPLORATION for each in room.taken)
    return max(0, share(personalising.exploration_percent, room.places, lot(member_id, day, EXPLORATION)) - explored)


def _favourites_left(personalising: Personalising, room: Room) -> int:
    if personalising.favourites_percent is None:
        return room.places
    had = sum(each.in_list == "favourites" for each in room.taken)
    return max(0, personalising.favourites_percent * room.places // HUNDRED - had)
