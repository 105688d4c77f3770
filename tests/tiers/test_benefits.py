"""What a tier gives: more points for what was paid, and another date on which points lapse."""

from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.ladders import a_tier, pin, publish
from tests.shop import a_line, buy


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def a_club(api: Api, multiplier: str = "1.5", **benefits: Any) -> None:
    """A member pinned at a tier of these benefits."""
    publish(api, tiers=[a_tier("bronze", 0), a_tier("silver", 10_000_000, multiplier, **benefits)])
    api.enrol()
    pin(api, "silver")


def by_rule(answer: Any) -> dict[str, int]:
    return {award["rule"]["code"]: award["points"] for award in answer.json["awards"]}


def test_the_multiplier_is_an_award_of_its_own_with_lines_and_a_reason(api: Api):
    a_club(api)

    answer = buy(api, "A-1", a_line("1", 3000), a_line("2", 1000))

    base, tier = answer.json["awards"]
    assert (base["points"], tier["points"]) == (40, 20)
    assert tier["rule"] == {"code": "tier:silver", "version": 1}
    assert tier["lines"] == [{"line_id": "1", "points": 15}, {"line_id": "2", "points": 5}]
    assert tier["reason"] == "x1.5 for the tier 'silver'"
    told = api.get("/v1/orders/A-1/explanation").json
    assert [award["rule"]["code"] for award in told["awards"]] == ["base", "tier:silver"]
    assert told["refused"] == []


@pytest.mark.parametrize(("rounding", "points"), [("floor", 4), ("ceil", 5), ("half_up", 5)])
def test_the_sum_is_rounded_once(api: Api, rounding: str, points: int):
    shop.configure(api, rounding=rounding)
    a_club(api)

    assert buy(api, "A-1", amount=300).json["points"]["awarded"] == points


@pytest.mark.parametrize(("stacking", "points"), [("product", 300), ("best", 200)])
def test_it_stacks_with_other_multipliers_as_the_program_says(api: Api, stacking: str, points: int):
    shop.configure(api, stacking={"base": "sum", "multiplier": stacking})
    shop.publish_rules(api, {"points": "1"}, {"code": "double", "kind": "multiplier", "factor": "2"})
    a_club(api)

    assert buy(api, "A-1").json["points"]["awarded"] == points


def test_a_bonus_is_not_multiplied(api: Api):
    shop.publish_rules(api, {"points": "1", "code": "base"}, {"code": "gift", "kind": "bonus", "points": 10})
    a_club(api)

    assert by_rule(buy(api, "A-1")) == {"base": 100, "gift": 10, "tier:silver": 50}


def test_partial_returns_take_back_to_the_point_what_the_tier_gave_also_under_another_ladder(api: Api):
    a_club(api, "1.37")
    given = buy(api, "A-1", a_line("1", 999, 3), a_line("2", 777, 2)).json["points"]["awarded"]
    publish(api, 2, tiers=[a_tier("basic", 0, "5")], effective_from=NOW)

    taken = [
        shop.give_back(api, "A-1", lines, return_id=f"R-{number}").json["points"]["reversed"]
        for number, lines in enumerate(({"1": 1}, {"2": 1}, {"1": 2}, {"2": 1}))
    ]

    assert all(taken)
    assert sum(taken) == given
    assert shop.buckets(api) == {}


def test_the_expiry_of_a_tier_goes_between_that_of_the_rule_and_that_of_the_unit(api: Api):
    of_rule, of_tier = ({"mode": "rolling", "days": days} for days in (10, 20))
    shop.publish_rules(
        api,
        {"points": "1", "code": "plain"},
        {"code": "own", "kind": "bonus", "points": 5, "expiry": of_rule},
    )
    a_club(api, expiry=of_tier)
    api.enrol("c-43")

    dates = {award["rule"]["code"]: award["expires_at"] for award in buy(api, "A-1").json["awards"]}
    others = buy(api, "B-1", customer_id="c-43").json["awards"]

    assert dates == {
        "plain": "2026-03-22T00:00:00Z", "own": "2026-03-12T00:00:00Z", "tier:silver": "2026-03-22T00:00:00Z",
    }  # fmt: skip
    assert next(a["expires_at"] for a in others if a["rule"]["code"] == "plain") == "2027-03-02T00:00:00Z"
