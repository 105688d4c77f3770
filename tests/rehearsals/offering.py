"""Orders and offers for rehearsals of offers; chances to buy are simple enough to be worked out by hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from loyalty.db.session import reading
from loyalty.features.domain import Features
from loyalty.features.statistics import Statistics
from loyalty.offers.domain import Offer
from loyalty.personalisation.ranking import InList, Ranked
from loyalty.programs import queries as programs
from loyalty.rehearsals import offers
from loyalty.rehearsals.domain import Outcome, Told
from tests.api import Api
from tests.builders import NOW
from tests.rehearsals.builders import DAY
from tests.shop import a_line, at, buy

_numbers = count(1)


class Chances:
    """Ranks offers by chances: of goods that a member bought, the share of their orders; of others, 0.01.

    `by_code` overrules this. Whoever bought them has favourites; others discover.
    """

    def __init__(self, **by_code: float) -> None:
        self.by_code: Mapping[str, float] = {code.replace("_", "-"): chance for code, chance in by_code.items()}

    def __call__(
        self, features: Features, _statistics: Statistics, offers: Sequence[Offer], *, now: datetime, **_how: Any
    ) -> list[Ranked]:
        assert now.tzinfo is not None
        chances = {offer.code: self.by_code.get(offer.code, _share(offer, features)) for offer in offers}
        ordered = sorted(offers, key=lambda offer: (-chances[offer.code], offer.code))
        return [
            Ranked(offer, place, chances[offer.code], chances[offer.code], _list(offer, features), ())
            for place, offer in enumerate(ordered, 1)
        ]


def _share(offer: Offer, features: Features) -> float:
    counts = [goods.orders for path in offer.categories if (goods := features.categories.get(path)) is not None]
    return max(counts) / features.buying.orders if counts else 0.01


def _list(offer: Offer, features: Features) -> InList:
    return "favourites" if any(path in features.categories for path in offer.categories) else "discover"


def an_offer(code: str = "coffee", kind: str = "bonus_points", value: Any = 100, **given: Any) -> dict[str, Any]:
    """An offer as it is stored: 100 points on goods of its name unless said otherwise."""
    promise = {"kind": kind, "value": value}
    promise |= {name: given.pop(name) for name in ("least_value", "most", "sku") if name in given}
    return {"code": code, "title": code.title(), "promise": promise, "categories": [code.partition("-")[0]], **given}


def order(api: Api, customer_id: str, days_ago: float, **prices: int) -> None:
    """Record an order of one line of each category."""
    number = next(_numbers)
    lines = [a_line(category, price, category=category, sku=f"{category}-1") for category, price in prices.items()]
    buy(api, f"o-{number}", *lines, customer_id=customer_id, placed_at=at(NOW - days_ago * DAY))


def rehearsed(
    api: Api, *drafted: dict[str, Any], days: int = 28, now: datetime = NOW,
    told: Told = lambda _done, _total: True, **personalising: Any,
) -> Outcome:  # fmt: skip
    """A rehearsal of offers, on the members of a shop who bought in some days."""
    with api.app.app_context():
        with reading() as session:
            program = programs.load(session, api.program.program_id)
        draft = offers.drafted({"offers": list(drafted), "personalising": personalising})
        return offers.perform(program, draft, now - days * DAY, told=told, now=now)


def the_offer(result: Mapping[str, Any], code: str) -> dict[str, Any]:
    """What became of one offer."""
    return next(each for each in result["offers"] if each["code"] == code)
