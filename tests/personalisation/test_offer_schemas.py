"""An offer as it is written, stored, shown, and judged by: the same in each form."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from loyalty.offers.domain import Budget, Offer, OfferSet, Personalising, Promise
from loyalty.offers.storing import set_from
from loyalty.personalisation.admin_examples import NEW_OFFERS
from loyalty.personalisation.set_schemas import DraftOffersSchema, ShownOffersSchema
from tests.personalisation.offering import cheaper, double, gift, off, points, promising

TAKEN, SHOWN = DraftOffersSchema(), ShownOffersSchema()

EVERYTHING: dict[str, Any] = {
    "code": "tea", "title": "Tea", "titles": {"pl": "Herbata", "pt-BR": "Chá"},
    "promise": {"kind": "discount_percent", "value": "20", "least_value": "7.5", "most": 1_000},
    "categories": ["tea"], "skus": ["T-1"], "exclude_categories": ["tea > green"], "exclude_skus": ["T-2"],
    "min_basis": 2_000, "tiers": ["gold"], "segments": ["regulars"], "when": "history.orders > 1",
    "valid_from": "2026-03-01T00:00:00Z", "valid_to": "2026-06-01T00:00:00Z", "days": 14, "activation": "opt_in",
    "caps": {"day": 1, "ever": 3}, "cooldown_days": 7, "budget_amount": 90_000, "priority": 0,
    "holdout_percent": "12.5", "group": "drinks", "trigger": "win_back",
}  # fmt: skip
PERSONALISING = {
    "exploration_percent": 10, "favourites_percent": 0,
    "never_personalise": {"categories": ["tobacco"], "skus": ["X-1"]},
}  # fmt: skip


def stored(*offers: dict[str, Any], **given: Any) -> dict[str, Any]:
    return TAKEN.load({"offers": list(offers), **given})


def judged(*offers: dict[str, Any], **given: Any) -> OfferSet:
    return set_from(**stored(*offers, **given), version=3)


def refused(offer: dict[str, Any]) -> Any:
    with pytest.raises(ValidationError) as refusal:
        stored(offer)
    return refusal.value.normalized_messages()["offers"][0]


def test_an_offer_says_all_that_it_can_say():
    assert judged(EVERYTHING, personalising=PERSONALISING) == OfferSet(
        3,
        (
            Offer(
                code="tea", version=3, title="Tea", titles={"pl": "Herbata", "pt-BR": "Chá"},
                promise=Promise("discount_percent", Decimal(20), Decimal("7.5"), 1_000),
                categories=("tea",), skus=("T-1",), exclude_categories=("tea > green",), exclude_skus=("T-2",),
                min_basis=2_000, tiers=("gold",), segments=("regulars",), when="history.orders > 1",
                valid_from=datetime(2026, 3, 1, tzinfo=UTC), valid_to=datetime(2026, 6, 1, tzinfo=UTC),
                days=14, activation="opt_in", caps=(("day", 1), ("ever", 3)), cooldown_days=7,
                budget=Budget(amount=90_000), priority=0, holdout_percent=Decimal("12.5"), group="drinks",
                trigger="win_back",
            ),
        ),
        Personalising(10, 0, ("tobacco",), ("X-1",)),
    )  # fmt: skip


def test_every_field_of_an_offer_can_be_written():
    says_otherwise = {"version", "budget"}  # budget_points and budget_amount

    assert set(Offer.__dataclass_fields__) - says_otherwise == set(EVERYTHING) - {"budget_amount"}


def test_the_least_that_an_offer_says_is_who_it_is_and_what_it_promises():
    (found,) = judged(promising("bonus_points", 100)).offers

    assert found == Offer(code="o", version=3, title="O", promise=Promise("bonus_points", Decimal(100)))
    assert judged().personalising == Personalising()


def test_what_is_shown_can_be_sent_again_and_is_the_same():
    for offers in ([EVERYTHING], [points(), double(), off(), cheaper(), gift()], NEW_OFFERS["offers"]):
        first = stored(*offers, personalising=PERSONALISING)
        assert TAKEN.load(SHOWN.dump(first)) == first


def test_defaults_are_shown_and_nothing_that_says_nothing_is_stored():
    nothing = {
        "titles": {}, "categories": [], "exclude_skus": [], "min_basis": 0, "tiers": [], "when": None, "caps":
        {"day": None}, "cooldown_days": 0, "budget_points": None, "budget_amount": None, "holdout_percent": "0.00",
        "group": None, "trigger": None, "valid_from": None, "days": 28, "activation": "automatic", "priority": 10,
    }  # fmt: skip
    plain = promising("bonus_points", 100)

    assert stored({**plain, **nothing}, personalising={"exploration_percent": 0, "never_personalise": None}) == {
        "offers": [plain], "personalising": {}
    }  # fmt: skip
    assert SHOWN.dump(stored(plain)) == {
        "offers": [{**plain, "days": 28, "activation": "automatic", "priority": 10}],
        "personalising": {
            "exploration_percent": 0, "favourites_percent": None, "never_personalise": {"categories": [], "skus": []},
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("bonus_points", "200", 200), ("bonus_points", 200, 200), ("discount_amount", "500.00", 500),
        ("multiplier", 2, "2"), ("multiplier", "1.5000", "1.5"), ("multiplier", "100", "100"),
        ("discount_percent", "7.50", "7.5"), ("discount_percent", 100, "100"),
    ],
)  # fmt: skip
def test_whole_things_are_numbers_and_what_may_have_decimals_is_written(kind: str, value: Any, kept: Any):
    assert stored(promising(kind, value))["offers"][0]["promise"]["value"] == kept


def test_a_free_product_is_one_piece_unless_it_says_how_many():
    one = {"code": "o", "title": "O", "promise": {"kind": "free_product", "sku": "CUP-1"}}

    assert judged(one).offers[0].promise == Promise("free_product", Decimal(1), sku="CUP-1")
    assert judged(promising("free_product", 3, sku="CUP-1")).offers[0].promise.value == Decimal(3)


@pytest.mark.parametrize(
    ("offer", "field"),
    [
        (promising("bonus_points", 0), "value"), (promising("bonus_points", "0.5"), "value"),
        (promising("bonus_points", True), "value"), (promising("bonus_points", 100.0), "value"),
        (promising("bonus_points", -1), "value"), (promising("bonus_points", None), "value"),
        (promising("bonus_points", "1e3"), "value"), (promising("bonus_points", "٣"), "value"),
        (promising("bonus_points", 10**12 + 1), "value"), (promising("bonus_points", "1\n"), "value"),
        (promising("multiplier", 1), "value"), (promising("multiplier", "100.1"), "value"),
        (promising("multiplier", "1.00001"), "value"), (promising("discount_amount", "4.99"), "value"),
        (promising("discount_percent", "0.99"), "value"), (promising("discount_percent", "100.01"), "value"),
        (promising("discount_percent", "20.001"), "value"), (promising("free_product", 0, sku="X"), "value"),
        (promising("free_product", 1), "sku"), (promising("bonus_points", 1, sku="X"), "sku"),
        (promising("bonus_points", 1, most=5), "most"), (promising("discount_amount", 500, most=5), "most"),
        (promising("multiplier", 2, least_value="2.1"), "least_value"),
        (promising("multiplier", 2, least_value=1), "least_value"),
        (promising("free_product", 1, sku="X", least_value=2), "least_value"),
        (promising("free", 1), "kind"), ({"code": "o", "title": "O", "promise": {"kind": "multiplier"}}, "value"),
    ],
)  # fmt: skip
def test_a_promise_that_makes_no_sense_is_refused_where_it_stands(offer: dict[str, Any], field: str):
    assert list(refused(offer)["promise"]) == [field]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": "Tea!"}, "code"), ({"title": ""}, "title"), ({"titles": {"Polish": "x"}}, "titles"),
        ({"days": 0}, "days"), ({"activation": "never"}, "activation"), ({"caps": {"day": 0}}, "caps"),
        ({"caps": {"hour": 1}}, "caps"), ({"holdout_percent": "100.5"}, "holdout_percent"),
        ({"holdout_percent": "1.255"}, "holdout_percent"), ({"priority": -1}, "priority"),
        ({"trigger": "birthday"}, "trigger"), ({"group": ""}, "group"), ({"budget_points": 0}, "budget_points"),
        ({"budget_amount": 5}, "budget_amount"), ({"when": ""}, "when"), ({"discount": 5}, "discount"),
        ({"valid_from": "2027-01-01T00:00:00+01:00"}, "valid_to"), ({"skus": [""]}, "skus"),
        ({"skus": ["x"] * 10_001}, "skus"), ({"categories": ["x"] * 1_001}, "categories"),
    ],
)  # fmt: skip
def test_an_offer_that_makes_no_sense_is_refused_where_it_stands(given: dict[str, Any], field: str):
    assert list(refused(points(**given))) == [field]


def test_a_budget_is_in_what_the_offer_costs():
    in_percent = {"kind": "discount_percent", "value": "20"}

    assert list(refused(points(budget_amount=5))) == ["budget_amount"]
    assert list(refused(off(budget_amount=None, budget_points=5))) == ["budget_points"]
    assert list(refused(off(promise=in_percent))["promise"]) == ["most"]
    assert list(refused(gift(promise={"kind": "free_product", "sku": "CUP-1"}))["promise"]) == ["most"]
    assert stored(off(promise=in_percent, budget_amount=None), points(budget_points=5), cheaper())


@given(kind=st.sampled_from(["multiplier", "discount_percent"]), hundredths=st.integers(101, 10_000))
def test_a_number_survives_every_form(kind: str, hundredths: int):
    value = Decimal(hundredths).scaleb(-2)
    kept = stored(promising(kind, str(value)))

    assert set_from(**TAKEN.load(SHOWN.dump(kept)), version=1).offers[0].promise.value == value
