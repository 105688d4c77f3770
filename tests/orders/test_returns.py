"""Returns over HTTP: exact by line and quantity, by the awards that were given, and told to the point."""

from datetime import timedelta

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import a_line, buckets, buy, give_back, pointers, refused, story, told

NEVER = {"mode": "never"}
AT_ONCE = {"mode": "immediate"}


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


# By line and quantity


def test_a_return_is_answered_with_what_it_took_line_by_line_and_award_by_award(api: Api):
    buy(api, "A-1", a_line("1", 1500, quantity=2), a_line("2", 2000))

    answer = give_back(api, "A-1", {"1": 1, "2": 1})

    assert answer.status_code == 201
    assert not shop.replayed(answer)
    assert answer.json == {
        "return_id": "R-1",
        "order_id": "A-1",
        "points": told(reversed=35),
        "lines": [{"line_id": "1", "quantity": 1, "points": 15}, {"line_id": "2", "quantity": 1, "points": 20}],
        "awards": [
            {
                "rule": {"code": "base", "version": 1}, "unit": "points", "reversed": 35, "expired": 0, "debt": 0,
                "forgiven": 0,
            }
        ],
        "spent": [],
        "balance": {"available": 15, "pending": 0, "held": 0, "debt": 0}, "tier": None,
    }  # fmt: skip


def test_a_return_stands_in_the_history_with_its_order_its_rule_and_its_id(api: Api):
    buy(api, "A-1")
    give_back(api, "A-1", {"1": 1})

    entry = shop.entries(api)[-1]

    assert (entry["kind"], entry["points"], entry["available_after"]) == ("reverse", -100, 0)
    assert (entry["order_id"], entry["reference"], entry["reason"]) == ("A-1", "R-1", "return R-1")
    assert entry["rule"] == {"code": "base", "version": 1}


def test_an_order_shows_what_came_back_of_it(api: Api):
    buy(api, "A-1", a_line("1", 1500, quantity=2), a_line("2", 2000))
    give_back(api, "A-1", {"1": 1})
    give_back(api, "A-1", {"1": 1}, return_id="R-2")

    order = api.get("/v1/orders/A-1").json

    assert order["returned"] == [{"line_id": "1", "quantity": 2}]
    assert (order["status"], order["points"]["awarded"]) == ("recorded", 50)


def test_an_item_of_20_out_of_70_less_10_takes_17_and_the_rest_takes_43(api: Api):
    buy(api, "A-1", a_line("1", 5000), a_line("2", 2000), discount=1000)

    first = give_back(api, "A-1", {"2": 1})
    second = give_back(api, "A-1", {"1": 1}, return_id="R-2")

    assert (first.json["points"], second.json["points"]) == (told(reversed=17), told(reversed=43))
    assert story(api) == [("earn", 60), ("reverse", -17), ("reverse", -43)]


@pytest.mark.parametrize("steps", [[1, 1, 1], [2, 1], [1, 2], [3]])
def test_three_units_that_earned_ten_points_take_ten_however_they_come_back(api: Api, steps: list[int]):
    buy(api, "A-1", a_line("1", 350, quantity=3))

    taken = [
        give_back(api, "A-1", {"1": units}, return_id=f"R-{number}").json["points"]["reversed"]
        for number, units in enumerate(steps)
    ]

    assert sum(taken) == 10
    assert buckets(api) == {}
    assert api.balance()["lifetime_earned"] == 0


def test_a_line_that_earned_nothing_takes_nothing_and_leaves_no_trace_in_the_history(api: Api):
    buy(api, "A-1", a_line("1", 1000), a_line("gift", 0))

    answer = give_back(api, "A-1", {"gift": 1})

    assert (answer.json["points"], answer.json["awards"]) == (told(), [])
    assert story(api) == [("earn", 10)]


def test_a_return_takes_from_the_lot_the_order_made_then_from_those_that_lapse_first(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    shop.configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 10}))
    buy(api, "A-1")
    it_is(monkeypatch, NOW + shop.A_DAY)
    buy(api, "A-2", placed_at=shop.in_days(1))
    it_is(monkeypatch, NOW + 2 * shop.A_DAY)
    buy(api, "A-3", placed_at=shop.in_days(2))
    shop.pay(api, 50)

    own = give_back(api, "A-2", {"1": 1})
    assert shop.lots(api) == [(50, "2026-03-12T00:00:00Z"), (100, "2026-03-14T00:00:00Z")]
    others = give_back(api, "A-1", {"1": 1}, return_id="R-2")

    assert (own.json["points"], others.json["points"]) == (told(reversed=100), told(reversed=100))
    assert shop.lots(api) == [(50, "2026-03-14T00:00:00Z")]


def test_points_that_still_wait_are_taken_where_they_wait_and_the_others_are_left_alone(api: Api):
    shop.adjust(api, 500)
    shop.configure_units(api, points=({"mode": "delay", "days": 14}, NEVER))
    buy(api, "A-1", a_line("1", 5000, quantity=2))

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(reversed=50)
    assert buckets(api) == {"available": 500, "pending": 50}
    assert api.balance()["maturing"] == [{"points": 50, "at": "2026-03-15T12:00:00Z"}]


def test_points_that_lapsed_before_the_return_are_gone_already_and_owed_by_nobody(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    shop.configure(api, returns={"policy": "debt", "grace_days": 30})
    shop.configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 10}))
    buy(api, "A-1", a_line("1", 5000, quantity=2))
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)
    shop.adjust(api, 30)

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(expired=50)
    assert buckets(api) == {"available": 30}


# By the awards that were given


@pytest.mark.parametrize("rules", [[{"points": "2"}], []], ids=["2 per 1.00", "none"])
def test_a_return_takes_what_was_earned_whatever_the_rules_say_today(api: Api, rules: list[dict[str, str]]):
    buy(api, "A-1", a_line("1", 5000), a_line("2", 2000))
    shop.publish_rules(api, *(dict(rule) for rule in rules))

    first = give_back(api, "A-1", {"2": 1})
    second = give_back(api, "A-1", {"1": 1}, return_id="R-2")

    assert (first.json["points"]["reversed"], second.json["points"]["reversed"]) == (20, 50)
    assert first.json["awards"][0]["rule"] == {"code": "base", "version": 1}


def test_a_return_takes_what_was_earned_whatever_the_settings_say_today(api: Api):
    buy(api, "A-1", a_line("1", 1999))
    shop.configure(api, rounding="ceil", earn={"tax": "excluded"}, time_zone="Asia/Tokyo")

    assert give_back(api, "A-1", {"1": 1}).json["points"] == told(reversed=19)


def test_several_rules_take_each_its_own_and_several_units_each_by_its_own_dates(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    shop.configure_units(
        api,
        points=(AT_ONCE, {"mode": "rolling", "days": 10}),
        miles=({"mode": "delay", "days": 3}, {"mode": "rolling", "days": 30}),
    )
    shop.publish_rules(
        api,
        {"code": "base", "points": "1"},
        {"code": "coffee", "points_per_unit": 5, "categories": ["coffee"]},
        {"code": "miles", "points": "2", "unit": "miles"},
    )
    buy(api, "A-1", a_line("1", 1000, quantity=2, category="coffee"), a_line("2", 500))
    assert (buckets(api), buckets(api, unit="miles")) == ({"available": 35}, {"pending": 50})

    first = give_back(api, "A-1", {"1": 1})
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)
    second = give_back(api, "A-1", {"1": 1, "2": 1}, return_id="R-2")

    assert first.json["points"] == told(reversed=15)
    assert first.json["lines"] == [{"line_id": "1", "quantity": 1, "points": 15}]
    shown = [(a["rule"]["code"], a["unit"], a["reversed"], a["expired"]) for a in first.json["awards"]]
    assert shown == [("base", "points", 10, 0), ("coffee", "points", 5, 0), ("miles", "miles", 20, 0)]
    shown = [(a["rule"]["code"], a["unit"], a["reversed"], a["expired"]) for a in second.json["awards"]]
    assert shown == [("base", "points", 0, 15), ("coffee", "points", 0, 5), ("miles", "miles", 30, 0)]
    assert (buckets(api), buckets(api, unit="miles")) == ({}, {})


# Policies


def test_what_was_earned_and_spent_is_forgiven_where_the_program_clamps(api: Api):
    buy(api, "A-1", amount=15_000)
    shop.pay(api, 100)

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(reversed=50, forgiven=100)
    assert answer.json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    assert story(api)[-1] == ("reverse", -50)
    assert shop.entries(api)[-1]["detail"] == {"forgiven": 100}


def test_what_was_earned_and_spent_is_owed_where_the_program_says_so(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    buy(api, "A-1", amount=15_000)
    shop.pay(api, 100)

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(reversed=50, debt=100)
    assert answer.json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 100}
    assert story(api)[-2:] == [("reverse", -50), ("debt", -100)]


@pytest.mark.parametrize(
    ("max_debt", "debt", "forgiven"), [(0, 0, 100), (30, 30, 70), (100, 100, 0), (500, 100, 0), (None, 100, 0)]
)
def test_no_more_is_owed_than_the_program_allows(api: Api, max_debt: int | None, debt: int, forgiven: int):
    shop.configure(api, returns={"policy": "debt", "max_debt": max_debt})
    buy(api, "A-1")
    shop.pay(api, 100)

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(debt=debt, forgiven=forgiven)
    assert buckets(api) == ({"debt": debt} if debt else {})


def test_the_limit_of_what_may_be_owed_counts_what_is_owed_already(api: Api):
    shop.configure(api, returns={"policy": "debt", "max_debt": 120})
    for order_id in ("A-1", "A-2"):
        buy(api, order_id)
    shop.pay(api, 200)

    first = give_back(api, "A-1", {"1": 1})
    second = give_back(api, "A-2", {"1": 1}, return_id="R-2")

    assert (first.json["points"], second.json["points"]) == (told(debt=100), told(debt=20, forgiven=80))


def test_a_debt_is_paid_by_the_next_order_and_only_the_rest_becomes_a_lot(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    buy(api, "A-1", amount=8000)
    shop.pay(api, 30)
    give_back(api, "A-1", {"1": 1})
    assert buckets(api) == {"debt": 30}

    receipt = buy(api, "A-2")

    assert receipt.json["balance"] == {"available": 70, "pending": 0, "held": 0, "debt": 0}
    assert story(api)[-2:] == [("earn", 100), ("debt_paid", -30)]
    assert [remaining for remaining, _ in shop.lots(api)] == [70]


def test_points_on_hold_are_not_taken_and_pay_what_is_owed_when_they_are_free(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    buy(api, "A-1")
    shop.hold(api, "h-1", 60)

    answer = give_back(api, "A-1", {"1": 1})
    assert answer.json["points"] == told(reversed=40, debt=60)
    assert buckets(api) == {"held": 60, "debt": 60}
    shop.release(api, "h-1")

    assert buckets(api) == {}
    assert story(api)[-2:] == [("release", 60), ("debt_paid", -60)]


@pytest.mark.parametrize("returns", [{"policy": "clamp"}, {"policy": "debt", "max_debt": 10}])
def test_points_on_hold_are_owed_whatever_else_is_forgiven(api: Api, returns: dict):
    shop.configure(api, returns=returns)
    buy(api, "A-1")
    shop.hold(api, "h-1", 60)

    assert give_back(api, "A-1", {"1": 1}).json["points"] == told(reversed=40, debt=60)
    shop.release(api, "h-1")

    assert buckets(api) == {}


# Refused


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"return_id": "a b"}, "/return_id"),
        ({"return_id": None}, "/return_id"),
        ({"lines": []}, "/lines"),
        ({"lines": None}, "/lines"),
        ({"lines": ["1"]}, "/lines/0"),
        ({"lines": [{"line_id": "1"}]}, "/lines/0/quantity"),
        ({"lines": [{"line_id": "1", "quantity": 0}]}, "/lines/0/quantity"),
        ({"lines": [{"line_id": "1", "quantity": -1}]}, "/lines/0/quantity"),
        ({"lines": [{"line_id": "1", "quantity": "1"}]}, "/lines/0/quantity"),
        ({"lines": [{"line_id": "1", "quantity": 1.0}]}, "/lines/0/quantity"),
        ({"lines": [{"line_id": 1, "quantity": 1}]}, "/lines/0/line_id"),
        ({"lines": [{"line_id": "1", "quantity": 1}, {"line_id": "1", "quantity": 1}]}, "/lines"),
        ({"lines": [{"line_id": "1", "quantity": 1, "reason": "torn"}]}, "/lines/0/reason"),
        ({"returned_at": "yesterday"}, "/returned_at"),
        ({"returned_at": "2026-03-01T12:00:00"}, "/returned_at"),
        ({"amount": 100}, "/amount"),
    ],
)
def test_a_return_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, object], at: str):
    buy(api, "A-1", a_line("1", 5000, quantity=2))
    sensible = {"return_id": "R-1", "lines": [{"line_id": "1", "quantity": 1}]}

    answer = api.post("/v1/orders/A-1/returns", {**sensible, **changed})

    assert pointers(answer) == [at]
    assert buckets(api) == {"available": 100}


def test_a_line_that_the_order_does_not_have_is_refused_and_nothing_comes_back(api: Api):
    buy(api, "A-1")

    answer = give_back(api, "A-1", {"1": 1, "9": 1})

    assert refused(answer) == (422, "line-unknown")
    assert (answer.json["line_id"], pointers(answer)) == ("9", ["/lines/1/line_id"])
    assert api.get("/v1/orders/A-1").json["returned"] == []


def test_more_than_was_ordered_is_refused_with_what_is_left(api: Api):
    buy(api, "A-1", a_line("1", 1000, quantity=3))
    give_back(api, "A-1", {"1": 2})

    answer = give_back(api, "A-1", {"1": 2}, return_id="R-2")

    assert refused(answer) == (422, "over-return")
    assert (answer.json["ordered"], answer.json["returned"], pointers(answer)) == (3, 2, ["/lines/0/quantity"])
    assert answer.json["detail"] == "3 of line '1' were ordered, 2 came back before: 1 are left."
    assert give_back(api, "A-1", {"1": 1}, return_id="R-2").status_code == 201


def test_a_return_before_its_order_is_told_to_come_again_when_the_order_is_there(api: Api):
    early = give_back(api, "A-1", {"1": 1})

    assert refused(early) == (404, "order-not-found")
    assert (early.json["order_id"], "Record the order first" in early.json["detail"]) == ("A-1", True)
    buy(api, "A-1")
    assert give_back(api, "A-1", {"1": 1}).status_code == 201


def test_a_return_is_not_older_than_its_order(api: Api):
    buy(api, "A-1", placed_at=shop.in_days(-1))

    refusal = give_back(api, "A-1", {"1": 1}, returned_at=shop.at(NOW - shop.A_DAY - timedelta(microseconds=1)))
    answer = give_back(api, "A-1", {"1": 1}, returned_at=shop.in_days(-1))

    assert refused(refusal) == (422, "before-order")
    assert refusal.json["placed_at"] == shop.in_days(-1)
    assert answer.status_code == 201


def test_a_return_may_be_dated_five_minutes_ahead_and_no_more(api: Api):
    buy(api, "A-1", a_line("1", 1000, quantity=2))

    ahead = give_back(api, "A-1", {"1": 1}, returned_at=shop.at(NOW + timedelta(minutes=5)))
    refusal = give_back(api, "A-1", {"1": 1}, return_id="R-2", returned_at=shop.at(NOW + timedelta(seconds=301)))

    assert ahead.status_code == 201
    assert refused(refusal) == (422, "dated-in-future")
