"""What a member is offered: what they have, and what fits them best in the places that are free."""

from datetime import timedelta

import pytest

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.personalisation.shelf import (
    FIVE_OFF,
    Ranker,
    an_offer,
    assignments,
    codes,
    offers,
    one,
    publish,
    spent,
    told,
)
from tests.shop import at, buy, configure, in_days
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("ranker")


@pytest.fixture
def shop(api: Api) -> Api:
    api.enrol()
    return api


def test_a_member_is_given_what_fits_best_with_the_reasons(shop: Api, ranker: Ranker):
    ranker.scores |= {"coffee": 0.2, "tea": 0.9}
    publish(shop, an_offer("coffee"), an_offer("tea", titles={"pl": "Herbata"}))

    answer = shop.get("/v1/members/c-42/offers").json

    first = answer["data"][0]
    assert answer["holdout"] is False
    assert [each["offer"] for each in answer["data"]] == ["tea", "coffee"]
    assert first | {"assignment_id": ""} == {
        "offer": "tea",
        "assignment_id": "",
        "title": "Tea",
        "promise": {"kind": "bonus_points", "value": 100},
        "categories": ["tea"],
        "skus": [],
        "min_basis": 0,
        "status": "activated",
        "activation": "automatic",
        "assigned_at": at(NOW),
        "seen_at": None,
        "activated_at": at(NOW),
        "valid_to": in_days(28),
        "voucher": None,
        "list": "favourites",
        "trigger": "ranking",
        "rank": 1,
        "score": 0.9,
        "probability": 0.9,
        "reasons": [{"feature": "bought", "value": 14, "detail": first["reasons"][0]["detail"], "orders": ["A-1001"]}],
    }
    assert told(shop) == ["offer.assigned", "offer.activated"] * 2


def test_titles_are_in_the_language_that_is_asked_for(shop: Api):
    publish(shop, an_offer("tea", titles={"pl": "Herbata"}))

    assert offers(shop, locale="pl")[0]["title"] == "Herbata"
    assert offers(shop)[0]["title"] == "Tea"


def test_there_is_nothing_where_nothing_is_published(shop: Api):
    assert offers(shop) == []


def test_what_was_given_stays_and_is_ranked_anew(shop: Api, ranker: Ranker):
    ranker.scores |= {"coffee": 0.9, "tea": 0.2}
    publish(shop, an_offer("coffee"), an_offer("tea"))
    before = offers(shop)

    ranker.scores |= {"coffee": 0.1}
    publish(shop, an_offer("milk"))
    after = offers(shop, limit=2)

    assert [each["offer"] for each in after] == ["tea", "coffee"]
    assert {each["assignment_id"] for each in after} == {each["assignment_id"] for each in before}
    assert after[1]["probability"] == 0.9, "as it was given"


def test_no_more_are_given_than_there_are_places(shop: Api):
    publish(shop, *(an_offer(f"o-{number}") for number in range(8)))

    assert len(codes(shop, limit=3)) == 3
    assert len(assignments(shop)) == 3
    assert codes(shop, limit=5)[:3] == ["o-0", "o-1", "o-2"]
    assert len(codes(shop)) == 8


def test_of_a_list_that_is_asked_for_only_those_are_given(shop: Api, ranker: Ranker):
    ranker.lists |= {"tea": "discover", "milk": "win_back"}
    publish(shop, an_offer("coffee"), an_offer("tea"), an_offer("milk"))

    assert codes(shop, list="discover") == ["tea"]
    assert len(assignments(shop)) == 1
    assert sorted(codes(shop)) == ["coffee", "milk", "tea"]
    assert codes(shop, list="win_back") == ["milk"]


def test_once_all_are_given_nothing_is_written_and_nobody_locked(shop: Api):
    publish(shop, *(an_offer(f"o-{number}") for number in range(4)))
    offers(shop)

    with statements() as sent:
        offers(shop)

    own = [each for each in sent if "config_version FROM programs" not in each and "api_keys" not in each]
    assert not [each for each in sent if "FOR NO KEY UPDATE" in each or "INSERT" in each]
    assert len(own) <= 3, own


def test_members_who_left_or_are_suspended_are_given_nothing(shop: Api):
    publish(shop, an_offer())
    shop.post("/v1/members/c-42/suspend", {})

    assert shop.get("/v1/members/c-42/offers").json["code"] == "member-suspended"
    assert shop.get("/v1/members/c-99/offers").json["code"] == "member-not-found"
    shop.post("/v1/members/c-42/close", {})
    assert shop.get("/v1/members/c-42/offers").json["code"] == "member-closed"
    assert assignments(shop) == []


def test_an_offer_is_over_after_its_days_or_when_it_ends(shop: Api, monkeypatch: pytest.MonkeyPatch):
    publish(shop, an_offer(days=7, cooldown_days=2), an_offer("tea", valid_to=in_days(3)))

    assert {each["offer"]: each["valid_to"] for each in offers(shop)} == {"coffee": in_days(7), "tea": in_days(3)}
    it_is(monkeypatch, NOW + timedelta(days=7))
    assert codes(shop) == []
    it_is(monkeypatch, NOW + timedelta(days=9))
    assert codes(shop) == ["coffee"]


def test_offers_are_for_those_who_meet_their_condition(shop: Api):
    publish(shop, an_offer(when="history.orders >= 1"), an_offer("tea", tiers=["gold"]), an_offer("milk"))

    assert codes(shop) == ["milk"]
    buy(shop, "A-1", customer_id="c-42")
    assert codes(shop) == ["coffee", "milk"]


def test_of_a_group_a_member_has_one_offer_at_a_time(shop: Api, ranker: Ranker):
    ranker.scores |= {"tea": 0.9}
    publish(shop, an_offer(group="drinks"), an_offer("tea", group="drinks"), an_offer("milk"))

    assert codes(shop) == ["tea", "milk"]
    assert codes(shop) == ["tea", "milk"]


def test_a_promise_falls_with_the_chance_that_it_is_bought_anyway(shop: Api, ranker: Ranker):
    ranker.scores |= {"coffee": 0.75, "tea": 0.0}
    falling = {"kind": "bonus_points", "value": "101", "least_value": "50"}
    publish(shop, an_offer(promise=falling), an_offer("tea", promise=falling))

    assert one(shop)["promise"] == {"kind": "bonus_points", "value": 62}
    assert one(shop, "tea")["promise"] == {"kind": "bonus_points", "value": 101}


def test_whoever_is_in_the_holdout_is_given_nothing_and_what_it_would_have_been_is_noted(shop: Api):
    configure(shop, holdout_percent=100)
    publish(shop, an_offer(), an_offer("tea", promise=FIVE_OFF, budget_amount=500))

    for _ in range(2):
        assert shop.get("/v1/members/c-42/offers").json | {"as_of": ""} == {
            "customer_id": "c-42", "as_of": "", "locale": "en", "data": [], "holdout": True,
        }  # fmt: skip

    rows = assignments(shop)
    assert [(row["offer_code"], row["status"], row["holdout"]) for row in rows] == [
        ("coffee", "held_out", "program"), ("tea", "held_out", "program"),
    ]  # fmt: skip
    assert told(shop) == told(shop, "voucher.") == []
    assert spent(shop, "tea") == 0
    for row in rows:
        for what in ("seen", "activate", "dismiss"):
            answer = shop.post(f"/v1/assignments/{row['assignment_id']}/{what}")
            assert (answer.status_code, answer.json["code"]) == (404, "assignment-not-found")


def test_an_offer_that_is_held_out_makes_room_for_the_next(shop: Api):
    publish(shop, an_offer(holdout_percent="100", group="drinks"), an_offer("tea", group="drinks"), an_offer("water"))

    assert codes(shop, limit=1) == ["tea"]
    assert codes(shop, limit=1) == ["tea"]
    assert [(row["offer_code"], row["holdout"]) for row in assignments(shop)] == [("coffee", "offer"), ("tea", None)]
    assert told(shop) == ["offer.assigned", "offer.activated"]


def test_a_discount_comes_with_a_voucher_that_its_budget_pays_for(shop: Api):
    publish(shop, an_offer(promise=FIVE_OFF, budget_amount=900))
    shop.enrol("c-43")

    offer = one(shop)

    found = shop.get("/v1/members/c-42/vouchers").json["data"]
    assert [(each["code"], each["origin"], each["value"], each["expires_at"]) for each in found] == [
        (offer["voucher"], "offer", {"type": "discount_amount", "amount": 500}, offer["valid_to"])
    ]
    assert found[0]["assignment_id"] == offer["assignment_id"]
    assert spent(shop, "coffee") == 500
    assert codes(shop, "c-43") == [], "400 are left, and 500 might be needed"
    assert spent(shop, "coffee") == 500


def test_whoever_does_not_want_offers_to_be_personal_is_ranked_as_if_new(shop: Api, ranker: Ranker):
    with shop.app.app_context(), transaction() as session:
        session.run(
            """INSERT INTO member_features SELECT member_id, program_id, 7, 0, 0, 0, 0, 0, NULL, NULL, 0, 0 FROM members
               WHERE program_id = %s""",
            (shop.program.program_id,),
        )
    publish(shop, an_offer("coffee"), an_offer("tea"))
    offers(shop, limit=1)
    known = ranker.known
    shop.enrol(consents={"personalisation": False})

    offers(shop)

    assert (known, ranker.known) == (7, 0)


def test_what_is_held_is_ranked_once_until_the_member_buys_or_another_day_begins(
    shop: Api, ranker: Ranker, monkeypatch: pytest.MonkeyPatch
):
    publish(shop, an_offer("coffee"), an_offer("tea"))
    for _ in range(3):
        offers(shop)
    assert ranker.asked == 2, "to give them, and to rank what was given"

    it_is(monkeypatch, NOW + timedelta(days=1))
    offers(shop)
    assert ranker.asked == 3
