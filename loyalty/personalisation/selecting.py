"""What a member is to be given now: gathered, judged, ranked, and chosen; nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.features.domain import Features
from loyalty.offers.domain import Assignment, Offer, OfferSets, Trigger, held_out
from loyalty.personalisation import gathering, ranking
from loyalty.personalisation.choosing import Chosen, Room, choose
from loyalty.personalisation.eligibility import Asking, Shelf, at_first_sight, groups_of, on_closer_look
from loyalty.personalisation.gathering import Holder
from loyalty.personalisation.ranking import InList, Ranked
from loyalty.programs.domain import Program


@dataclass(frozen=True, slots=True)
class Wish:
    """How many offers are asked for, and of which list."""

    places: int
    only: InList | None = None


@dataclass(frozen=True)
class Selection:
    """What a member holds, what they could be given as well, and how it all fits them today."""

    program: Program
    sets: OfferSets
    who: Holder
    withheld: bool
    room: Room
    shelf: Shelf | None = None
    ranked: Sequence[Ranked] = ()
    eligible: frozenset[str] = frozenset()
    now: datetime = field(kw_only=True)

    def chosen(self, spent: frozenset[str] = frozenset()) -> list[Chosen]:
        """What is given, or held out; nothing of what has nothing left."""
        if self.shelf is None or not self.eligible:
            return []
        fits = [each for each in self.ranked if each.offer.code in self.eligible - spent]
        day = calendar.local_date(self.now, self.program.time_zone)
        personalising = self.shelf.offers.personalising
        chosen = choose(
            fits, personalising, self.room, member_id=self.who.member_id, day=day, is_held_out=self._is_held_out
        )
        # Whoever is given nothing at all says nothing about a single offer.
        return [each for each in chosen if not each.held_out] if self.withheld else chosen

    def _is_held_out(self, each: Ranked) -> bool:
        scope = f"{self.program.program_id}:{each.offer.code}"
        return held_out(self.who.member_id, each.offer.holdout_percent, scope)


def is_withheld(program: Program, who: Holder) -> bool:
    """Whether a member is given nothing at all, so that it shows what offers bring."""
    return held_out(who.member_id, Decimal(program.holdout_percent), str(program.program_id))


def select(session: Session, program: Program, who: Holder, wish: Wish, *, now: datetime) -> Selection:
    """What a member holds and what they could be given, as of now."""
    sets = gathering.offer_sets(session, program)
    withheld = is_withheld(program, who)
    taken = [each for each in who.held if (each.holdout is None) or (withheld and each.holdout == "program")]
    of_list = [each for each in taken if wish.only is None or each.in_list == wish.only]
    groups = groups_of(sets.offer(each.offer_code, each.offer_version) for each in taken)
    room = Room(places=wish.places, taken=of_list, groups=groups, only=wish.only)
    on = gathering.shelf(session, program, sets, now=now)
    found: list[Offer] = []
    if on is not None and room.left:
        found = eligible(session, program, who, on, groups, now=now)
    ranked = _ranked(session, program, who, sets, found, with_held=not withheld, now=now)
    codes = frozenset(offer.code for offer in found)
    return Selection(program, sets, who, withheld, room, on, ranked, codes, now=now)


def eligible(
    session: Session, program: Program, who: Holder, on: Shelf, groups: frozenset[str], *,
    trigger: Trigger | None = None, now: datetime,
) -> list[Offer]:  # fmt: skip
    """The offers in force that a member could be given; one statement, if there are any at first sight."""
    held = frozenset(each.offer_code for each in who.held)
    asking = Asking(at=now, zone=program.time_zone, held=held, groups=groups)
    personalising = on.offers.personalising
    candidates = [offer for offer in on.offers.offers if at_first_sight(offer, personalising, asking, trigger) is None]
    if not candidates:
        return []
    asking = gathering.asking(session, program, who, on, candidates, at_sight=asking)
    return [offer for offer in candidates if on_closer_look(offer, on, asking) is None]


def rank_for(
    session: Session, program: Program, who: Holder, offers: Sequence[Offer], *, now: datetime
) -> list[Ranked]:
    """How offers fit a member today, the best first."""
    features: Features = gathering.features_of(session, who.member_id)
    return ranking.rank(features, gathering.statistics_of(session, program, now=now), offers, now=now)


def _ranked(
    session: Session, program: Program, who: Holder, sets: OfferSets, found: Sequence[Offer], *, with_held: bool,
    now: datetime,
) -> Sequence[Ranked]:  # fmt: skip
    shown: Sequence[Assignment] = who.shown if with_held else ()
    held = [sets.offer(each.offer_code, each.offer_version) for each in shown]
    offers = [*held, *found]
    # The order of a single one needs no ranking.
    if not found and len(held) < 2:  # noqa: PLR2004
        return ()
    return rank_for(session, program, who, offers, now=now)
