"""Points of a payment that go back: by refunds, by returns of the order, or both, and never more than were captured."""

from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.payments.checkout import capture, hold, order, pay, payment, refund
from tests.shop import adjust, at, buckets, configure, configure_units, entries, give_back, lots, refused, replayed

JUNE, JULY = "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"
AT_ONCE = {"mode": "immediate"}


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with 100 points to the end of May, and 100 to the end of June; orders earn nothing."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    shop.publish_rules(api)
    for dates in (["05-31"], ["06-30"]):
        configure_units(api, points=(AT_ONCE, {"mode": "calendar", "dates": dates}))
        adjust(api, 100)


def test_a_refund_gives_points_back_to_the_lots_they_came_from(api: Api):
    pay(api, 150, order_id="A-1")
    assert lots(api) == [(50, JULY)]

    answer = refund(api, refund_id="rf-1")

    assert answer.status_code == 201
    assert answer.json == {
        "refund_id": "rf-1", "payment_id": "p-1", "customer_id": "c-42", "order_id": "A-1", "points": 150,
        "amount": 150, "currency": "EUR", "returned_to_member": 150, "forfeited": 0,
        "lots": [
            {"outcome": "returned", "points": 50, "lot": 2, "expires_at": JULY},
            {"outcome": "returned", "points": 100, "lot": 1, "expires_at": JUNE},
        ],
        "left_points": 0, "balance": {"available": 200, "pending": 0, "held": 0, "debt": 0},
    }  # fmt: skip
    assert lots(api) == [(100, JUNE), (100, JULY)]
    assert api.balance()["lifetime_spent"] == 0
    entry = entries(api)[-1]
    assert (entry["kind"], entry["points"], entry["order_id"]) == ("return_spent", 150, "A-1")
    assert (entry["reference"], entry["reason"]) == ("rf-1", "refund rf-1")


def test_refunds_in_parts_give_back_what_lapses_last_first_and_add_up(api: Api):
    configure(api, pay={"points": 3, "amount": 2})
    pay(api, 150)

    parts = [refund(api, points).json for points in (40, 20, None)]

    assert [(part["points"], part["amount"], part["left_points"]) for part in parts] == [
        (40, 26, 110), (20, 14, 90), (90, 60, 0),
    ]  # fmt: skip
    assert [[(lot["lot"], lot["points"]) for lot in part["lots"]] for part in parts] == [
        [(2, 40)], [(2, 10), (1, 10)], [(1, 90)],
    ]  # fmt: skip
    found = payment(api)
    assert found["status"] == "captured"
    assert (found["captured_amount"], found["refunded_amount"]) == (100, 100)
    assert (found["captured_points"], found["refunded_points"], found["given_back_points"]) == (150, 150, 150)


def test_more_than_is_left_is_not_refunded(api: Api):
    pay(api, 150)
    refund(api, 100)

    answer = refund(api, 51)

    assert refused(answer) == (422, "refund-exceeds-payment")
    facts = {name: answer.json[name] for name in ("required", "captured", "given_back", "left")}
    assert facts == {"required": 51, "captured": 150, "given_back": 100, "left": 50}
    refund(api, 50)
    assert refused(refund(api)) == (422, "refund-exceeds-payment")
    assert buckets(api) == {"available": 200}


def test_only_what_was_captured_is_refunded(api: Api):
    hold(api, 150)
    capture(api, points=110)

    assert refund(api).json["points"] == 110


def test_the_same_refund_again_is_answered_with_the_first_answer(api: Api):
    pay(api, 150)
    first = refund(api, 50, refund_id="rf-1")

    again = refund(api, 50, refund_id="rf-1")

    assert again.data == first.data
    assert replayed(again)
    assert refused(refund(api, 51, refund_id="rf-1")) == (409, "idempotency-conflict")
    pay(api, 10, "p-2")
    assert refused(refund(api, 50, "p-2", refund_id="rf-1")) == (409, "idempotency-conflict")
    assert buckets(api) == {"available": 90}


def test_only_a_captured_payment_is_refunded(api: Api, monkeypatch: pytest.MonkeyPatch):
    hold(api, 50, "p-1")
    hold(api, 50, "p-2", hold_seconds=1)
    assert refused(refund(api)) == (409, "payment-not-captured")
    api.post("/v1/point-payments/p-1/release")
    assert refused(refund(api)) == (409, "payment-resolved")
    it_is(monkeypatch, NOW + shop.A_DAY)
    late = refund(api, None, "p-2")
    assert refused(late) == (409, "payment-resolved")
    assert late.json["payment_status"] == "expired"
    assert refused(refund(api, None, "p-9")) == (404, "payment-not-found")


# Lots that lapsed, debts, merges


@pytest.mark.parametrize(
    ("grace_days", "outcome", "available"), [(10, ("extended", 100, "2026-06-21T00:00:00Z"), 200), (0, None, 100)]
)
def test_what_lapsed_meanwhile_lives_for_the_grace_or_is_forfeited(
    api: Api, monkeypatch: pytest.MonkeyPatch, grace_days: int, outcome: tuple[Any, ...] | None, available: int
):
    configure(api, returns={"grace_days": grace_days})
    pay(api, 150)
    it_is(monkeypatch, NOW.replace(month=6, day=10))

    answer = refund(api).json

    said = [(lot["outcome"], lot["points"], lot["expires_at"]) for lot in answer["lots"]]
    assert said == [("returned", 50, JULY), outcome or ("forfeited", 100, None)]
    assert (answer["returned_to_member"], answer["forfeited"]) == ((150, 0) if outcome else (50, 100))
    assert buckets(api) == {"available": available}
    # What is forfeited was given back all the same: it is not given back twice.
    assert refused(refund(api)) == (422, "refund-exceeds-payment")


def test_what_is_given_back_pays_what_is_owed_first(api: Api):
    shop.publish_rules(api, {"points": "1"})
    configure(api, returns={"policy": "debt"})
    shop.buy(api, "B-1")
    pay(api, 300)
    give_back(api, "B-1", {"1": 1})
    assert buckets(api) == {"debt": 100}

    assert refund(api, 250).json["balance"] == {"available": 150, "pending": 0, "held": 0, "debt": 0}


def test_the_payment_of_a_member_who_was_merged_is_refunded_to_who_stayed(api: Api):
    api.enrol("new")
    pay(api, 150, order_id="A-1")
    shop.merge(api, "c-42", "new")

    first = refund(api, 60).json
    assert (first["customer_id"], first["balance"]["available"]) == ("new", 110)
    assert refund(api).json["points"] == 90
    # What was moved, what came back of the one lot, in two parts, and of the other.
    assert lots(api, "new") == [(50, JULY), (50, JULY), (10, JUNE), (90, JUNE)]
    assert refused(capture(api)) == (409, "payment-resolved")
    assert payment(api)["given_back_points"] == 150


def test_points_on_hold_for_a_payment_stand_in_the_way_of_a_merge(api: Api):
    api.enrol("new")
    hold(api, 100)

    assert refused(shop.merge(api, "c-42", "new")) == (422, "holds-open")


# Refunds and returns of the order


def test_a_return_of_the_whole_order_after_a_partial_refund_gives_back_exactly_the_rest(api: Api):
    hold(api, 150)
    order(api, 150)
    refund(api, 60)

    answer = give_back(api, "A-1", {"1": 1, "2": 1})

    assert answer.json["points"]["returned_to_member"] == 90
    assert lots(api) == [(100, JUNE), (100, JULY)]
    found = payment(api)
    assert (found["refunded_points"], found["given_back_points"]) == (60, 150)
    assert refused(refund(api)) == (422, "refund-exceeds-payment")


def test_a_refund_after_a_return_gives_back_exactly_the_rest(api: Api):
    hold(api, 150)
    order(api, 150)
    assert give_back(api, "A-1", {"1": 1}).json["points"]["returned_to_member"] == 75

    assert refused(refund(api, 76)) == (422, "refund-exceeds-payment")
    assert refund(api).json["points"] == 75
    assert give_back(api, "A-1", {"2": 1}, return_id="R-2").json["points"]["returned_to_member"] == 0
    assert lots(api) == [(100, JUNE), (100, JULY)]


def test_what_was_refunded_counts_towards_what_a_return_gives_back(api: Api):
    hold(api, 150)
    order(api, 150)
    refund(api, 30)

    back = [
        give_back(api, "A-1", {line: 1}, return_id=f"R-{line}").json["points"]["returned_to_member"] for line in "12"
    ]

    assert back == [45, 75]


def test_a_cancelled_order_gives_back_what_is_left_of_its_payment(api: Api):
    hold(api, 150)
    order(api, 150)
    refund(api, 50)

    assert shop.cancel(api, "A-1").json["points"]["returned_to_member"] == 100
    assert payment(api)["given_back_points"] == 150
    assert buckets(api) == {"available": 200}


def test_an_order_paid_in_two_ways_from_one_lot_gives_all_of_it_back_once(api: Api):
    hold(api, 60)
    order(api, 60)
    shop.pay(api, 90, order_id="A-1")
    pay(api, 30, "p-2", order_id="A-1")
    assert lots(api) == [(20, JULY)]
    refund(api, 20)

    answer = give_back(api, "A-1", {"1": 1, "2": 1})

    assert answer.json["points"]["returned_to_member"] == 160
    assert sorted((back["lot"], back["points"]) for back in answer.json["spent"]) == [(1, 80), (2, 80)]
    assert lots(api) == [(100, JUNE), (100, JULY)]
    assert [payment(api, name)["given_back_points"] for name in ("p-1", "p-2")] == [60, 30]
    assert refused(refund(api, None, "p-2")) == (422, "refund-exceeds-payment")


def test_refunds_and_returns_of_a_merged_members_order_never_exceed_the_payment(api: Api):
    api.enrol("new")
    hold(api, 150)
    order(api, 150)
    refund(api, 30)
    shop.merge(api, "c-42", "new")

    assert give_back(api, "A-1", {"1": 1}).json["points"]["returned_to_member"] == 45
    assert refund(api).json["points"] == 75
    assert shop.cancel(api, "A-1").json["points"]["returned_to_member"] == 0
    assert buckets(api, "new") == {"available": 200}


def test_a_payment_captured_by_hand_for_the_order_goes_back_with_it(api: Api):
    order(api, 0, payment_id=None)
    pay(api, 40, order_id="A-1")

    assert shop.cancel(api, "A-1").json["points"]["returned_to_member"] == 40
    assert payment(api)["given_back_points"] == 40


def test_a_payment_for_no_order_is_no_orders(api: Api):
    order(api, 0, payment_id=None)
    pay(api, 40)

    assert shop.cancel(api, "A-1").json["points"]["returned_to_member"] == 0
    assert at(NOW) == payment(api)["resolved_at"]
    assert refund(api).json["points"] == 40
