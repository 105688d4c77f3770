"""What a draft of offers would bring, member by member, and what that comes to. Pure.

Who could be given what, how it fits them, and what they are given is for `loyalty.personalisation` to say, as it does
when offers are published.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import heappush, heapreplace

from loyalty.features.domain import Features
from loyalty.offers.domain import Offer, OfferSet
from loyalty.offers.promising import promised, reserved
from loyalty.personalisation.choosing import Chosen
from loyalty.personalisation.eligibility import Why
from loyalty.personalisation.ranking import InList, Ranked
from loyalty.programs.domain import Program
from loyalty.rehearsals.offer_costs import Average, Costing, Rates
from loyalty.rehearsals.results import SHOWN

# As many offers as a member is shown unless the shop asks for more or fewer.
PLACES = 10
TOP = 3

# Members named in all: of a thousand offers each names a few.
NAMED_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Looked:
    """A member who was looked at: why offers are not for them, how the others fit, and what they would be given.

    `withheld`: they are in the program's holdout, and are given nothing.
    """

    customer_id: str
    features: Features
    refused: Mapping[str, Why]
    ranked: Sequence[Ranked]
    chosen: Sequence[Chosen]
    withheld: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A member named in the result. `value`: what they are promised; `why` they are not given it."""

    customer_id: str
    rank: int
    probability: float
    in_list: InList
    value: str | None = None
    why: str | None = None


class Shortlist:
    """The first few by a key, largest first, who came first on a tie. It never holds more than that."""

    def __init__(self, most: int) -> None:
        self._most, self._seen = most, 0
        self._found: list[tuple[tuple[float, ...], int, Named]] = []

    def wants(self, key: tuple[float, ...]) -> bool:
        """Whether somebody with this key would be among them."""
        return len(self._found) < self._most or key > self._found[0][0]

    def add(self, key: tuple[float, ...], named: Named) -> None:
        """One more; whoever comes later stands behind."""
        if not self.wants(key):
            return
        self._seen += 1
        entry = (key, -self._seen, named)
        (heappush if len(self._found) < self._most else heapreplace)(self._found, entry)

    def shown(self) -> list[Named]:
        """Those it holds, first things first."""
        return [named for *_, named in sorted(self._found, reverse=True)]


@dataclass(slots=True)
class OfferFindings:
    """The sums of one offer.

    `spent`: of its budget, by whoever had an offer of the same code. `ruled_out`: why it is for nobody, if so.
    """

    offer: Offer
    costing: Costing
    best: Shortlist
    overlooked: Shortlist
    refused: Counter[str] = field(default_factory=Counter)
    eligible: int = 0
    in_top_3: int = 0
    in_top_10: int = 0
    given: int = 0
    explored: int = 0
    held_out: int = 0
    withheld: int = 0
    redemptions: float = 0.0
    reserved: int = 0
    spent: int = 0
    ruled_out: Why | None = None
    begins_later: bool = False


class Findings:
    """The sums so far. `program` is whose points they are."""

    def __init__(self, program: Program, draft: OfferSet, rates: Rates) -> None:
        named = max(1, min(SHOWN, NAMED_MAX // (2 * max(1, len(draft.offers)))))
        self.program = program
        self.members = self.with_offers = self.withheld = 0
        self.places: Counter[InList] = Counter()
        self.by_offer = {
            offer.code: OfferFindings(offer, Costing(offer, rates), Shortlist(named), Shortlist(named))
            for offer in draft.offers
        }

    def look_at(self, looked: Looked) -> None:
        """Count a member in."""
        self.members += 1
        self.withheld += looked.withheld
        for code, why in looked.refused.items():
            self.by_offer[code].refused[why] += 1
        given: dict[str, Chosen] = {}
        for chosen in looked.chosen:
            found = self.by_offer[chosen.ranked.offer.code]
            if looked.withheld:
                found.withheld += 1
            elif chosen.held_out:
                found.held_out += 1
            else:
                given[found.offer.code] = chosen
        self.with_offers += bool(given)
        noted = {chosen.ranked.offer.code for chosen in looked.chosen}
        groups = {chosen.ranked.offer.group for chosen in given.values()} - {None}
        for ranked in looked.ranked:
            code = ranked.offer.code
            found = self.by_offer[code]
            average = found.costing.meet(looked.features)
            found.eligible += 1
            found.in_top_3 += ranked.rank <= TOP
            found.in_top_10 += ranked.rank <= PLACES
            if code in given:
                self._give(found, looked.customer_id, given[code], average)
            elif code not in noted and not looked.withheld:
                self._overlook(found, looked.customer_id, ranked, groups)

    def _give(self, found: OfferFindings, customer_id: str, chosen: Chosen, average: Average | None) -> None:
        ranked, offer = chosen.ranked, chosen.ranked.offer
        promise = promised(offer.promise, ranked.probability)
        found.given += 1
        found.explored += chosen.explored
        found.redemptions += ranked.probability
        found.costing.expect(Decimal(promise["value"]), ranked.probability, average)
        if offer.activation == "automatic":
            found.reserved += reserved(offer, promise)
        self.places[ranked.in_list] += 1
        if found.best.wants(key := (ranked.probability,)):
            named = Named(customer_id, ranked.rank, ranked.probability, ranked.in_list, value=promise["value"])
            found.best.add(key, named)

    def _overlook(self, found: OfferFindings, customer_id: str, ranked: Ranked, groups: set[str | None]) -> None:
        if not found.overlooked.wants(key := (-ranked.rank, ranked.probability)):
            return
        why = "group" if ranked.offer.group in groups else "rank" if ranked.rank > PLACES else "places"
        found.overlooked.add(key, Named(customer_id, ranked.rank, ranked.probability, ranked.in_list, why=why))
