"""Why a member cannot be given an offer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.earning.domain import Facts, Moment
from loyalty.earning.situation import Situation
from loyalty.offers.domain import Offer, OfferSet, Personalising
from loyalty.personalisation.eligibility import Asking, Had, Shelf, at_first_sight, on_closer_look, period_begin
from loyalty.programs.domain import Program
from loyalty.rules.expressions import condition
from tests.builders import NOW
from tests.personalisation.shelf import the_offer

A_DAY = timedelta(days=1)
ASKING = Asking(at=NOW, zone="UTC")
NEVER = Personalising(never_categories=("tobacco",), never_skus=("WINE-1",))
PROGRAM = Program(
    program_id=None, code="p", name="P", currency="EUR", time_zone="UTC", locale="en", sandbox=False, version=1,
    config_version=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("offer", "asking", "why"),
    [
        (the_offer(), ASKING, None),
        (the_offer(trigger="win_back"), ASKING, "trigger_only"),
        (the_offer(valid_from=NOW + A_DAY), ASKING, "not_started"),
        (the_offer(valid_from=NOW), ASKING, None),
        (the_offer(valid_to=NOW), ASKING, "ended"),
        (the_offer(valid_to=NOW + A_DAY), ASKING, None),
        (the_offer("tobacco"), ASKING, "never_personalise"),
        (the_offer(categories=["tobacco > cigars"]), ASKING, "never_personalise"),
        (the_offer(categories=[], skus=["WINE-1", "TEA-1"]), ASKING, "never_personalise"),
        (the_offer(categories=[]), ASKING, None),
        (the_offer(), replace(ASKING, held=frozenset({"coffee"})), "open"),
        (the_offer(group="g"), replace(ASKING, groups=frozenset({"g"})), "group"),
        (the_offer(group="h"), replace(ASKING, groups=frozenset({"g"})), None),
    ],
)
def test_at_first_sight(offer: Offer, asking: Asking, why: str | None):
    assert at_first_sight(offer, NEVER, asking, None) == why


def had(until: datetime, *redeemed: datetime) -> dict[str, Any]:
    return {"had": {"coffee": Had(until, redeemed)}}


@pytest.mark.parametrize(
    ("offer", "known", "why"),
    [
        (the_offer(), {}, None),
        (the_offer(), had(NOW + A_DAY), "cooldown"),
        (the_offer(), had(NOW), None),
        (the_offer(cooldown_days=3), had(NOW - 2 * A_DAY), "cooldown"),
        (the_offer(cooldown_days=3), had(NOW - 3 * A_DAY), None),
        (the_offer(caps={"month": 1}), had(NOW, NOW), "cap_reached"),
        (the_offer(caps={"month": 2}), had(NOW, NOW), None),
        # February is another month.
        (the_offer(caps={"month": 1}), had(NOW - A_DAY, NOW - A_DAY), None),
        (the_offer(caps={"year": 1}), had(NOW - A_DAY, NOW - A_DAY), "cap_reached"),
        (the_offer(caps={"ever": 1}), had(NOW - A_DAY, NOW - 999 * A_DAY), "cap_reached"),
        (the_offer(budget_points=100), {"spent": {"coffee": 99}}, None),
        (the_offer(budget_points=100), {"spent": {"coffee": 100}}, "budget_exhausted"),
        (the_offer(budget_points=100), {}, "budget_exhausted"),
        (the_offer(tiers=["gold"]), {"tier": "gold"}, None),
        (the_offer(tiers=["gold"]), {"tier": "silver"}, "tier"),
        (the_offer(tiers=["gold"]), {}, "tier"),
        (the_offer(segments=["polish", "german"]), {}, None),
        (the_offer(segments=["german"]), {}, "segment"),
        (the_offer(segments=["nobody-knows"]), {}, "segment"),
        (the_offer(when="member.locale == 'pl'"), {}, None),
        (the_offer(when="member.locale == 'de'"), {}, "condition"),
        (the_offer(when="member.attributes.shoe_size > 40"), {}, "condition"),
    ],
)
def test_on_closer_look(offer: Offer, known: dict[str, Any], why: str | None):
    segments = {"polish": condition("member.locale == 'pl'"), "german": condition("member.locale == 'de'")}
    shelf = Shelf(OfferSet(1, (offer,)), segments)
    seen = Situation(Moment(NOW), shelf, PROGRAM, Facts(locale="pl", enrolled_at=NOW))

    assert on_closer_look(offer, shelf, replace(ASKING, seen=seen, **known)) == why


@pytest.mark.parametrize(
    ("period", "begin"),
    [("day", (8, 15)), ("week", (8, 10)), ("month", (8, 1)), ("quarter", (7, 1)), ("year", (1, 1))],
)
def test_periods_are_those_of_the_calendar(period: Any, begin: tuple[int, int]):
    assert period_begin(period, datetime(2026, 8, 15, 12, tzinfo=UTC), "UTC") == datetime(2026, *begin, tzinfo=UTC)
    assert period_begin("ever", NOW, "UTC") is None
