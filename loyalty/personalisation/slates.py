"""Where the goods of offers stand among a program's goods, worked out once for many members. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from loyalty.core.categories import lineage
from loyalty.features.statistics import Numbers, Statistics
from loyalty.offers.domain import Offer

# Offers are published rarely, but not every member may have each of them: few slates come again, their offers do.
SLATES_MAX = 64
OFFERS_MAX = 20_000

# Of equal offers the one with the smaller priority comes first, then by code.
_FIRST = attrgetter("priority", "code")

Places = npt.NDArray[np.int64]
Unknown = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Slate:
    """Offers, by priority and code: `places` of their goods one after another, from `begins`, so many as `lengths` say.

    `unknown` are goods of some of them that the statistics do not know; `baskets` are those on the whole basket.
    `listed` are the offers once more, as a column; `ends` are the instants until which they are there.
    """

    offers: tuple[Offer, ...]
    places: Places
    begins: Places
    lengths: Places
    unknown: dict[int, Unknown]
    baskets: tuple[int, ...]
    days: Numbers
    ends: Numbers
    listed: npt.NDArray[np.object_]

    def goods(self, number: int) -> Places:
        """Where the goods of an offer stand."""
        begin = self.begins[number]
        return self.places[begin : begin + self.lengths[number]]


_slates: WeakKeyDictionary[Statistics, dict[tuple[int, ...], Slate]] = WeakKeyDictionary()
# What is found of an offer's goods; with the offer itself, so that nobody else can be who it is.
_found: WeakKeyDictionary[Statistics, dict[int, tuple[Offer, Places, Unknown]]] = WeakKeyDictionary()


def slate_of(statistics: Statistics, offers: Sequence[Offer]) -> Slate:
    """The slate of some offers. They are told by who they are: comparing hundreds would cost more than ranking them."""
    known = _slates.setdefault(statistics, {})
    key = tuple(map(id, offers))
    found = known.get(key)
    if found is None:
        if len(known) >= SLATES_MAX:
            known.clear()
        # It holds on to its offers, so nobody else can be who they are.
        found = known[key] = _slate(statistics, offers)
    return found


def _slate(statistics: Statistics, offers: Sequence[Offer]) -> Slate:
    ordered = tuple(sorted(offers, key=_FIRST))
    found = _found.setdefault(statistics, {})
    if len(found) > OFFERS_MAX:
        found.clear()
    goods = [(found.get(id(offer)) or _remembered(found, statistics, offer))[1:] for offer in ordered]
    lengths = np.array([len(places) for places, _ in goods], np.int64)
    return Slate(
        offers=ordered,
        places=np.concatenate([np.zeros(0, np.int64), *(places for places, _ in goods)]),
        begins=np.cumsum(lengths) - lengths,
        lengths=lengths,
        unknown={number: unknown for number, (_, unknown) in enumerate(goods) if unknown},
        baskets=tuple(number for number, offer in enumerate(ordered) if not offer.names_goods),
        days=np.array([offer.days for offer in ordered], np.float64),
        ends=np.array([np.inf if (end := offer.valid_to) is None else end.timestamp() for offer in ordered]),
        listed=np.array([*ordered, None], object)[:-1],
    )


def _remembered(
    found: dict[int, tuple[Offer, Places, Unknown]], statistics: Statistics, offer: Offer
) -> tuple[Offer, Places, Unknown]:
    places, unknown = _goods(statistics, offer)
    made = found[id(offer)] = (offer, np.array(places, np.int64), unknown)
    return made


def _goods(statistics: Statistics, offer: Offer) -> tuple[list[int], Unknown]:
    """Goods that lie in another category of the same offer say nothing more, and what it excludes says nothing."""
    wide = set(offer.categories)
    categories = [
        each for each in dict.fromkeys(offer.categories)
        if not wide.intersection(lineage(each)[:-1]) and not set(offer.exclude_categories).intersection(lineage(each))
    ]  # fmt: skip
    lies_in = statistics.sku_categories
    skus = [
        each for each in dict.fromkeys(offer.skus)
        if each not in offer.exclude_skus and not wide.intersection(lineage(lies_in.get(each)))
    ]  # fmt: skip
    after = len(statistics.categories.codes)
    places = [statistics.place[each] for each in categories if each in statistics.place]
    places += [after + statistics.sku_place[each] for each in skus if each in statistics.sku_place]
    unknown = [("category", each) for each in categories if each not in statistics.place]
    return places, (*unknown, *(("sku", each) for each in skus if each not in statistics.sku_place))
