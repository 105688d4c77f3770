"""What the rehearsal of offers came to, as it is kept and shown. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from math import floor
from typing import Any, get_args

from loyalty.personalisation.ranking import InList
from loyalty.rehearsals.offer_findings import PLACES, Findings, Named, OfferFindings
from loyalty.rehearsals.results import cost

ALWAYS = (
    "Members who bought something in these days, as they are now: what they bought, tier and segments. No back-test.",
    f"Everybody begins with {PLACES} free places: what members hold now is left out.",
    "Caps, cooldowns and budgets count what there was of an offer of the same code.",
    "Expected redemptions: the sum of the chances to buy those goods in the offer's days, whether offered or not.",
    "Costs are estimates, of an average order of the member with these goods; without one, of those who had one.",
    "A multiplier multiplies what base rules for anybody give; the multiplier of a tier is left out.",
)


def result_of(findings: Findings) -> dict[str, Any]:
    """The result, ready for JSON."""
    offers = list(findings.by_offer.values())
    places = sum(found.given for found in offers)
    points = [found.costing.total() for found in offers if found.offer.promise.in_points]
    amounts = [found.costing.total() for found in offers if not found.offer.promise.in_points]
    all_points = _whole(sum(each for each in points if each is not None))
    return {
        "members": findings.members,
        "with_offers": findings.with_offers,
        "without_offers": findings.members - findings.with_offers - findings.withheld,
        "held_out": findings.withheld,
        "currency": findings.program.currency,
        "places": places,
        "lists": [
            {"list": name, "places": findings.places[name], "percent": _percent(findings.places[name], places)}
            for name in get_args(InList)
        ],
        "expected_redemptions": round(sum(found.redemptions for found in offers), 2),
        "expected_points": all_points,
        "expected_points_worth": cost(all_points, findings.program),
        "expected_amount": _whole(sum(each for each in amounts if each is not None)),
        "offers": [_offer(found, findings, places) for found in offers],
        "notes": list(_notes(findings, offers)),
    }


def _offer(found: OfferFindings, findings: Findings, places: int) -> dict[str, Any]:
    offer, expected = found.offer, found.costing.total()
    refused = dict(sorted(found.refused.items()))
    if (why := found.ruled_out) is not None and findings.members:
        refused = {why: findings.members}
    return {
        "code": offer.code,
        "title": offer.title,
        "eligible": found.eligible,
        "refused": refused,
        "in_top_3": found.in_top_3,
        "in_top_10": found.in_top_10,
        "given": found.given,
        "explored": found.explored,
        "places_percent": _percent(found.given, places),
        "held_out": {"program": found.withheld, "offer": found.held_out},
        "expected_redemptions": round(found.redemptions, 2),
        "cost_in": "points" if offer.promise.in_points else "money",
        "expected_cost": None if expected is None else _whole(expected),
        "budget": _budget(found, expected),
        "best": [_named(each, "value") for each in found.best.shown()],
        "overlooked": [_named(each, "why") for each in found.overlooked.shown()],
    }


def _budget(found: OfferFindings, expected: float | None) -> dict[str, Any] | None:
    """How far a budget reaches: it has to hold what vouchers may cost at the most, as long as they are out."""
    limit = found.offer.limit
    if limit is None:
        return None
    left = max(0, limit - found.spent)
    needed = max(_whole(expected or 0), found.reserved)
    return {
        "limit": limit,
        "spent": found.spent,
        "reserved": found.reserved,
        "used_percent": None if expected is None or not left else round(100 * expected / left, 2),
        "runs_out": needed > left,
    }


def _named(each: Named, said: str) -> dict[str, Any]:
    return {
        "customer_id": each.customer_id,
        "rank": each.rank,
        "probability": round(each.probability, 4),
        "list": each.in_list,
        said: getattr(each, said),
    }


def _notes(findings: Findings, offers: Sequence[OfferFindings]) -> Iterator[str]:
    yield from ALWAYS
    if codes := _codes(found for found in offers if found.offer.trigger is not None):
        yield f"Offers that are given when something happens take no place, and are not rehearsed: {codes}."
    if codes := _codes(found for found in offers if found.begins_later):
        yield f"These begin later, and are looked at as if they had begun: {codes}."
    if codes := _codes(found for found in offers if found.costing.total() is None):
        yield f"None of these members ever bought the goods, so nobody knows what it costs: {codes}."
    if not findings.members:
        yield "Nobody bought anything in these days."


def _codes(found: Iterable[OfferFindings]) -> str:
    return ", ".join(sorted(each.offer.code for each in found))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _whole(number: float) -> int:
    return floor(number + 0.5)
