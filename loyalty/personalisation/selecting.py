"""What a member is to be given now: gathered, judged, ranked, and chosen; nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.features.counted import statistics
from loyalty.features.domain import Features
from loyalty.features.queries import features_of
from loyalty.features.statistics import Statistics
from loyalty.offers.domain import Offer, OfferSets, Trigger
from loyalty.offers.queries import sets_of
from loyalty.personalisation import gathering, ranking
from loyalty.personalisation.choosing import Chosen, Room, choose
from loyalty.personalisation.eligibility import Asking, Shelf, at_first_sight, groups_of, on_closer_look
from loyalty.personalisation.gathering import Holder
from loyalty.personalisation.holdouts import holdout_of, is_withheld
from loyalty.personalisation.ranking import InList, Ranked
from loyalty.programs.domain import Program


@dataclass(frozen=True, slots=True)
class Wish:
    """How many offers are asked for, and of which list."""

    places: int
    only: InList | None = None


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of how a member buys, by which offers are ranked and explained."""

    features: Features
    statistics: Statistics
    now: datetime

    def rank(self, offers: Sequence[Offer], *, limit: int) -> list[Ranked]:
        """How offers fit, the best first; so many are explained, for to explain costs more than to rank."""
        return ranking.rank(self.features, self.statistics, offers, now=self.now, limit=limit)

    def explained(self, chosen: Chosen) -> Chosen:
        """What was chosen, with its reasons if it came from further down."""
        if chosen.ranked.reasons:
            return chosen
        reasons = ranking.explain(self.features, self.statistics, chosen.ranked.offer, now=self.now)
        return replace(chosen, ranked=chosen.ranked._replace(reasons=reasons))


@dataclass(frozen=True)
class Selection:
    """What a member holds, what they could be given as well, and how it all fits them today."""

    program: Program
    sets: OfferSets
    who: Holder
    withheld: bool
    room: Room
    shelf: Shelf | None = None
    taste: Taste | None = None
    ranked: Sequence[Ranked] = ()
    eligible: frozenset[str] = frozenset()
    now: datetime = field(kw_only=True)

    def chosen(self, spent: frozenset[str] = frozenset()) -> list[Chosen]:
        """What is given, or held out; nothing of what has nothing left."""
        if self.shelf is None or self.taste is None or not self.eligible:
            return []
        fits = [each for each in self.ranked if each.offer.code in self.eligible - spent]
        day = calendar.local_date(self.now, self.program.time_zone)
        personalising = self.shelf.offers.personalising
        chosen = choose(
            fits,
            personalising,
            self.room,
            member_id=self.who.member_id,
            day=day,
            is_held_out=holdout_of(self.program, self.who.member_id),
        )
        # Whoever is given nothing at all says nothing about a single offer.
        given = [each for each in chosen if not (self.withheld and each.held_out)]
        return [self.taste.explained(each) for each in given]


def select(session: Session, program: Program, who: Holder, wish: Wish, *, now: datetime) -> Selection:
    """What a member holds and what they could be given, as of now."""
    sets = sets_of(session, program, who.held)
    withheld = is_withheld(program, who.member_id)
    taken = [each for each in who.held if (each.holdout is None) or (withheld and each.holdout == "program")]
    of_list = [each for each in taken if wish.only is None or each.in_list == wish.only]
    groups = groups_of(sets.offer(each.offer_code, each.offer_version) for each in taken)
    room = Room(places=wish.places, taken=of_list, groups=groups, only=wish.only)
    on = gathering.shelf(session, program, sets, now=now)
    found: list[Offer] = []
    if on is not None and room.left:
        found = eligible(session, program, who, on, groups, now=now)
    held = [] if withheld else [sets.offer(each.offer_code, each.offer_version) for each in who.shown]
    # The order of a single one needs no ranking.
    if not found and len(held) < 2:  # noqa: PLR2004
        return Selection(program, sets, who, withheld, room, on, now=now)
    if not found:
        return Selection(
            program, sets, who, withheld, room, on, ranked=_today(session, program, who, held, now), now=now
        )
    taste = taste_of(session, program, who, [*held, *found], now=now)
    ranked = taste.rank([*held, *found], limit=room.left)
    codes = frozenset(offer.code for offer in found)
    return Selection(program, sets, who, withheld, room, on, taste, ranked, codes, now=now)


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


# What members hold, as it was ranked today: until they buy, are given something else, or new statistics are there.
_ranked: dict[tuple[object, ...], Sequence[Ranked]] = {}
# Of each a few hundred bytes.
RANKED_REMEMBERED_MAX = 10_000


def _today(session: Session, program: Program, who: Holder, held: Sequence[Offer], now: datetime) -> Sequence[Ranked]:
    """How the offers that a member holds fit today. Most who ask have asked before, and have bought nothing since."""
    version = statistics(session, program.program_id).version
    day = calendar.local_date(now, program.time_zone)
    key = (who.member_id, who.bought, who.declines, version, day, *((offer.code, offer.version) for offer in held))
    found = _ranked.get(key)
    if found is None:
        if len(_ranked) >= RANKED_REMEMBERED_MAX:
            _ranked.clear()
        found = _ranked[key] = taste_of(session, program, who, held, now=now).rank(held, limit=0)
    return found


def taste_of(session: Session, program: Program, who: Holder, offers: Sequence[Offer], *, now: datetime) -> Taste:
    """How a member buys, as far as it matters to these offers."""
    skus = {sku for offer in offers for sku in offer.skus}
    features = Features() if who.declines else features_of(session, [who.member_id], skus=sorted(skus))[who.member_id]
    return Taste(features, statistics(session, program.program_id), now)
