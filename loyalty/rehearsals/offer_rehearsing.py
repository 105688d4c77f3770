"""Giving members offers of a draft, one member after another, without giving them anything. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from loyalty.core import calendar
from loyalty.earning.rules import RuleSet
from loyalty.features.domain import Features
from loyalty.features.statistics import Statistics
from loyalty.offers.domain import Offer, OfferSet
from loyalty.personalisation import ranking
from loyalty.personalisation.choosing import Room, choose
from loyalty.personalisation.eligibility import Asking, Shelf, Why, at_first_sight, on_closer_look
from loyalty.personalisation.holdouts import holdout_of, is_withheld
from loyalty.programs.domain import Program
from loyalty.rehearsals.offer_costs import Rates
from loyalty.rehearsals.offer_findings import PLACES, Findings, Looked


@dataclass(frozen=True, slots=True)
class Guest:
    """A member who is looked at: who they are, how they buy, and what conditions and caps ask of them."""

    member_id: UUID
    customer_id: str
    features: Features
    asking: Asking


class OfferRehearsing:
    """A rehearsal under way. `spent`: of budgets, by the code of the offer."""

    def __init__(
        self, program: Program, draft: OfferSet, rules: RuleSet, statistics: Statistics, spent: Mapping[str, int], *,
        now: datetime,
    ) -> None:  # fmt: skip
        self.program, self.statistics, self.now = program, statistics, now
        begun = replace(draft, offers=tuple(_begun(offer, now) for offer in draft.offers))
        self.shelf = Shelf(begun, rules.segment_conditions)
        # A budget that nobody has opened yet has all of itself left.
        left = {offer.code: spent.get(offer.code, 0) for offer in draft.offers if offer.limit is not None}
        self.at_sight = Asking(at=now, zone=program.time_zone, spent=left)
        self.findings = Findings(program, begun, Rates(rules, program, at=now))
        self._day = calendar.local_date(now, program.time_zone)
        self._candidates = []
        for offer, was in zip(begun.offers, draft.offers, strict=True):
            found = self.findings.by_offer[offer.code]
            found.spent, found.begins_later = left.get(offer.code, 0), offer is not was
            found.ruled_out = at_first_sight(offer, begun.personalising, self.at_sight, None)
            if found.ruled_out is None:
                self._candidates.append(offer)

    def look_at(self, guest: Guest) -> None:
        """What a member would be given, and what is not for them."""
        refused: dict[str, Why] = {}
        fits: list[Offer] = []
        for offer in self._candidates:
            why = on_closer_look(offer, self.shelf, guest.asking)
            if why is None:
                fits.append(offer)
            else:
                refused[offer.code] = why
        # To say why would cost more than to rank, and nobody would read it.
        ranked = ranking.rank(guest.features, self.statistics, fits, now=self.now, limit=0) if fits else []
        withheld = is_withheld(self.program, guest.member_id)
        chosen = choose(
            ranked, self.shelf.offers.personalising, Room(places=PLACES), member_id=guest.member_id, day=self._day,
            is_held_out=holdout_of(self.program, guest.member_id),
        )  # fmt: skip
        if withheld:
            # Whoever is given nothing at all says nothing about a single offer.
            chosen = [each for each in chosen if not each.held_out]
        self.findings.look_at(Looked(guest.customer_id, guest.features, refused, ranked, chosen, withheld))


def _begun(offer: Offer, now: datetime) -> Offer:
    """An offer as it will be once it has begun."""
    if offer.valid_from is None or offer.valid_from <= now:
        return offer
    return replace(offer, valid_from=None)
