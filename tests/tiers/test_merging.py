"""Two members become one, with all that counted for either."""

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.ladders import evaluations, publish, recorded, standing
from tests.shop import buy, merge


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def test_what_counted_for_both_counts_for_the_one(api: Api):
    publish(api)
    for customer_id in ("c-42", "c-43"):
        api.enrol(customer_id)
        buy(api, f"{customer_id}-1", customer_id=customer_id)

    answer = merge(api, "c-43", "c-42").json

    assert answer["tier"] == {"code": "gold", "name": "Gold"}
    assert standing(api)["spend"] == 20_000
    assert evaluations(api)[-1]["cause"] == "merge"
    assert recorded(api, "tier_days", "c-43") == []
    assert standing(api, "c-43")["next_change_at"] is None


def test_what_comes_back_of_the_one_that_is_gone_counts_less_for_the_other(api: Api):
    publish(api)
    for customer_id in ("c-42", "c-43"):
        api.enrol(customer_id)
        buy(api, f"{customer_id}-1", customer_id=customer_id)
    merge(api, "c-43", "c-42")

    assert shop.cancel(api, "c-43-1").json["tier"] == {"code": "silver", "changed_from": "gold"}


def test_before_there_is_a_ladder_days_move_along(api: Api):
    for customer_id in ("c-42", "c-43"):
        api.enrol(customer_id)
        buy(api, f"{customer_id}-1", customer_id=customer_id)
    merge(api, "c-43", "c-42")
    publish(api)

    assert api.get("/v1/members/c-42").json["tier"]["code"] == "gold"
