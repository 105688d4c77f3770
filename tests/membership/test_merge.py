"""Two members who turn out to be one: all that the one holds and owes goes to the other, and both histories stay."""

from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import adjust, buckets, buy, cancel, confirm, give_back, lots, merge, pointers, refused, story, told

AT_ONCE, NEVER = {"mode": "immediate"}, {"mode": "never"}


@pytest.fixture(autouse=True)
def members(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("old")
    api.enrol("new")


def earn(api: Api, customer_id: str, order_id: str = "A-1", **given: Any) -> None:
    buy(api, order_id, customer_id=customer_id, **given)


def test_the_one_who_stays_is_shown_and_the_other_is_closed_and_names_who_took_over(api: Api):
    earn(api, "old")

    answer = merge(api, "old", "new")

    assert (answer.status_code, answer.json["customer_id"], answer.json["status"]) == (200, "new", "active")
    assert answer.json["balance"] == {"available": 100, "pending": 0, "held": 0, "debt": 0}
    gone = api.get("/v1/members/old").json
    assert (gone["status"], gone["merged_into"]) == ("closed", "new")
    assert gone["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}


# What moves


def test_lots_keep_the_dates_on_which_they_were_earned_and_on_which_they_lapse(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    for day, terms in enumerate([{"mode": "rolling", "days": 30}, {"mode": "calendar", "dates": ["12-31"]}, NEVER]):
        it_is(monkeypatch, NOW + day * shop.A_DAY)
        shop.configure_units(api, points=(AT_ONCE, terms))
        earn(api, "old", f"A-{day}", placed_at=shop.in_days(day))
    before = api.get("/v1/members/old/lots").json["data"]
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)

    merge(api, "old", "new")

    after = api.get("/v1/members/new/lots").json["data"]
    kept = ("points", "remaining", "pending", "earned_at", "expires_at")
    assert sorted(str([lot[name] for name in kept]) for lot in after) == sorted(
        str([lot[name] for name in kept]) for lot in before
    )
    assert lots(api, "old") == []


def test_points_that_wait_go_on_waiting_for_their_day(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure_units(api, points=({"mode": "delay", "days": 14}, {"mode": "rolling", "days": 10}))
    earn(api, "old")
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)

    merge(api, "old", "new")

    assert buckets(api, "new") == {"pending": 100}
    assert api.balance("new")["maturing"] == [{"points": 100, "at": shop.in_days(14)}]
    it_is(monkeypatch, NOW + 14 * shop.A_DAY)
    assert lots(api, "new") == [(100, "2026-03-26T00:00:00Z")]


def test_points_that_wait_for_a_confirmation_get_it_from_the_order_of_the_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    shop.configure_units(api, points=({"mode": "on_event", "deadline_days": 10}, {"mode": "rolling", "days": 10}))
    earn(api, "old", "A-1")
    earn(api, "old", "A-2")
    merge(api, "old", "new")
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)

    answer = confirm(api, "A-1")

    assert answer.json["points"] == {"matured": 100}
    assert answer.json["balance"] == {"available": 100, "pending": 100, "held": 0, "debt": 0}
    assert lots(api, "new") == [(100, "2026-03-17T00:00:00Z"), (100, None)]
    it_is(monkeypatch, NOW.replace(day=12, hour=0))
    assert buckets(api, "new") == {"available": 100}


@pytest.mark.parametrize(("first", "second"), [("old", "new"), ("new", "old")])
def test_points_that_lapse_through_inactivity_live_as_long_as_the_livelier_of_the_two(
    api: Api, monkeypatch: pytest.MonkeyPatch, first: str, second: str
):
    shop.configure_units(api, points=(AT_ONCE, {"mode": "inactivity", "days": 30}))
    earn(api, first, "A-1")
    it_is(monkeypatch, NOW + 10 * shop.A_DAY)
    earn(api, second, "A-2", placed_at=shop.in_days(10))

    merge(api, "old", "new")

    assert api.balance("new")["expiring"] == [{"points": 200, "at": "2026-04-11T00:00:00Z"}]
    it_is(monkeypatch, NOW + 35 * shop.A_DAY)
    assert buckets(api, "new") == {"available": 200}


def test_each_unit_moves_by_itself(api: Api):
    shop.configure_units(api, points=(AT_ONCE, NEVER), miles=(AT_ONCE, NEVER))
    adjust(api, 5, "old")
    adjust(api, 7, "old", unit="miles")

    merge(api, "old", "new")

    assert (buckets(api, "new"), buckets(api, "new", unit="miles")) == ({"available": 5}, {"available": 7})
    assert (buckets(api, "old"), buckets(api, "old", unit="miles")) == ({}, {})


# Debts


def owe(api: Api, customer_id: str, points: int, order_id: str) -> None:
    earn(api, customer_id, order_id, amount=points * 100)
    shop.pay(api, points, customer_id)
    give_back(api, order_id, {"1": 1}, return_id=f"of-{order_id}")
    assert buckets(api, customer_id) == {"debt": points}


def test_what_the_one_owes_the_other_pays(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    owe(api, "old", 100, "A-1")
    earn(api, "new", "A-2", amount=15_000)

    merge(api, "old", "new")

    assert (buckets(api, "old"), buckets(api, "new")) == ({}, {"available": 50})
    assert story(api, "new")[-1] == ("debt_paid", -100)


def test_what_the_one_brings_pays_what_the_other_owes(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    owe(api, "new", 100, "A-1")
    earn(api, "old", "A-2", amount=15_000)

    merge(api, "old", "new")

    assert buckets(api, "new") == {"available": 50}


def test_what_both_owe_the_one_who_stays_owes(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    owe(api, "old", 100, "A-1")
    owe(api, "new", 50, "A-2")

    merge(api, "old", "new")

    assert (buckets(api, "old"), buckets(api, "new")) == ({}, {"debt": 150})
    adjust(api, 160, "new")
    assert buckets(api, "new") == {"available": 10}


# Histories


def test_both_histories_stay_readable_and_name_each_other(api: Api):
    earn(api, "old")
    earn(api, "new", "A-2")

    merge(api, "old", "new")

    assert story(api, "old") == [("earn", 100), ("transfer_out", -100)]
    assert story(api, "new") == [("earn", 100), ("transfer_in", 100)]
    given, got = shop.entries(api, "old")[-1], shop.entries(api, "new")[-1]
    assert (given["reference"], given["reason"]) == ("new", "merged into new")
    assert (got["reference"], got["reason"]) == ("old", "merged from old")


def test_the_past_of_both_is_as_it_was(api: Api, monkeypatch: pytest.MonkeyPatch):
    earn(api, "old")
    it_is(monkeypatch, NOW + 2 * shop.A_DAY)
    merge(api, "old", "new")

    assert buckets(api, "old", as_of=shop.in_days(1)) == {"available": 100}
    assert buckets(api, "new", as_of=shop.in_days(1)) == {}


# Orders of the one who is gone


def test_what_the_one_ordered_is_returned_at_the_cost_of_the_other(api: Api):
    earn(api, "old", lines=[shop.a_line("1", 5000, quantity=2)])
    merge(api, "old", "new")

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(reversed=50)
    assert answer.json["balance"] == {"available": 50, "pending": 0, "held": 0, "debt": 0}
    assert cancel(api, "A-1").json["points"] == told(reversed=50)
    assert (buckets(api, "old"), buckets(api, "new")) == ({}, {})


def test_points_that_wait_are_taken_first_after_a_merge_too(api: Api):
    adjust(api, 500, "new")
    shop.configure_units(api, points=({"mode": "delay", "days": 14}, NEVER))
    earn(api, "old")
    merge(api, "old", "new")

    assert give_back(api, "A-1", {"1": 1}).json["points"] == told(reversed=100)
    assert buckets(api, "new") == {"available": 500}


def test_what_the_one_spent_on_an_order_goes_to_the_other_with_its_date(api: Api):
    shop.configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 30}))
    adjust(api, 100, "old")
    shop.publish_rules(api)
    earn(api, "old")
    shop.pay(api, 80, "old", order_id="A-1")
    merge(api, "old", "new")

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(returned_to_member=80)
    assert [(back["outcome"], back["expires_at"]) for back in answer.json["spent"]] == [
        ("returned", "2026-04-01T00:00:00Z")
    ]
    assert lots(api, "new") == [(20, "2026-04-01T00:00:00Z"), (80, "2026-04-01T00:00:00Z")]


def test_what_lapsed_with_the_one_is_not_asked_of_the_other(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure(api, returns={"policy": "debt"})
    shop.configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 10}))
    earn(api, "old")
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)
    adjust(api, 500, "new")
    merge(api, "old", "new")

    assert give_back(api, "A-1", {"1": 1}).json["points"] == told(expired=100)
    assert buckets(api, "new") == {"available": 500}


def test_an_order_is_returned_through_a_chain_of_merges(api: Api):
    api.enrol("last")
    earn(api, "old", lines=[shop.a_line("1", 5000, quantity=2)])
    shop.pay(api, 30, "old", order_id="A-1")
    merge(api, "old", "new")
    merge(api, "new", "last")
    assert buckets(api, "last") == {"available": 70}

    answer = give_back(api, "A-1", {"1": 2})

    assert answer.json["points"] == told(reversed=100, returned_to_member=30)
    assert [buckets(api, who) for who in ("old", "new", "last")] == [{}, {}, {}]


def test_points_that_wait_for_a_confirmation_get_it_through_a_chain_of_merges(api: Api):
    shop.configure_units(api, points=({"mode": "on_event"}, NEVER))
    api.enrol("last")
    earn(api, "old")
    merge(api, "old", "new")
    merge(api, "new", "last")

    assert confirm(api, "A-1").json["points"] == {"matured": 100}
    assert buckets(api, "last") == {"available": 100}


def test_what_was_spent_or_lapsed_between_two_merges_is_remembered(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure(api, returns={"policy": "debt", "grace_days": 30})
    shop.configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 10}))
    api.enrol("last")
    earn(api, "old")
    merge(api, "old", "new")
    shop.pay(api, 30, "new", order_id="A-1")
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)
    merge(api, "new", "last")

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(returned_to_member=30, reversed=30, expired=70)
    assert buckets(api, "last") == {}


def test_the_one_who_is_gone_earns_nothing_more(api: Api):
    merge(api, "old", "new")

    answer = api.post("/v1/orders", order_json(customer_id="old"))

    assert refused(answer) == (422, "member-closed")


# Again, at once, refused


def test_merging_again_changes_nothing(api: Api):
    earn(api, "old")
    merge(api, "old", "new")
    earn(api, "new", "A-2")

    answer = merge(api, "old", "new")

    assert (answer.status_code, answer.json["customer_id"]) == (200, "new")
    assert buckets(api, "new") == {"available": 200}


def test_who_was_merged_is_not_merged_into_somebody_else(api: Api):
    api.enrol("third")
    merge(api, "old", "new")

    assert refused(merge(api, "old", "third")) == (422, "member-closed")
    assert refused(merge(api, "third", "old")) == (422, "member-closed")
    assert refused(merge(api, "new", "old")) == (422, "member-closed")


def test_merged_six_times_at_once_is_merged_once(api: Api):
    earn(api, "old")

    answers = in_parallel(6, lambda _: merge(api, "old", "new"))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert story(api, "new") == [("transfer_in", 100)]


def test_merged_into_each_other_at_once_one_of_the_two_stays(api: Api):
    earn(api, "old")
    earn(api, "new", "A-2")

    answers = in_parallel(2, lambda number: merge(api, *(("old", "new"), ("new", "old"))[number]))

    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert sorted(str(buckets(api, who)) for who in ("old", "new")) == ["{'available': 200}", "{}"]


def test_a_merge_and_an_order_at_once_lose_no_points(api: Api):
    earn(api, "old")

    def act(number: int) -> int:
        if number == 0:
            return merge(api, "old", "new").status_code
        return api.post("/v1/orders", order_json(customer_id="old")).status_code

    statuses = in_parallel(4, act)

    assert statuses[0] == 200
    assert buckets(api, "new") == {"available": 100 + 30 * statuses[1:].count(201)}
    assert set(statuses[1:]) <= {201, 422}


def test_points_on_hold_are_resolved_first(api: Api):
    earn(api, "old")
    shop.hold(api, "h-1", 30, "old")

    answer = merge(api, "old", "new")

    assert refused(answer) == (422, "holds-open")
    assert answer.json["detail"] == "30 points are on hold; capture or release them first."
    shop.release(api, "h-1")
    assert merge(api, "old", "new").json["balance"]["available"] == 100


def test_holds_of_the_one_who_stays_stay(api: Api):
    earn(api, "new")
    shop.hold(api, "h-1", 30, "new")
    earn(api, "old", "A-2")

    merge(api, "old", "new")

    assert buckets(api, "new") == {"available": 170, "held": 30}
    assert shop.capture(api, "h-1").json["customer_id"] == "new"


def test_a_suspended_member_can_be_merged_into_an_active_one_and_not_the_other_way_round(api: Api):
    earn(api, "old")
    api.post("/v1/members/old/suspend")

    assert refused(merge(api, "new", "old")) == (422, "member-suspended")
    assert merge(api, "old", "new").json["balance"]["available"] == 100


@pytest.mark.parametrize(("source", "into"), [("old", "new"), ("new", "old")])
def test_a_closed_member_is_not_merged(api: Api, source: str, into: str):
    api.post("/v1/members/old/close")

    answer = merge(api, source, into)

    assert (*refused(answer), answer.json["customer_id"]) == (422, "member-closed", "old")


def test_a_member_is_merged_into_somebody_else_who_is_there(api: Api):
    assert refused(merge(api, "old", "old")) == (422, "self-merge")
    for source, into in (("old", "nobody"), ("nobody", "new")):
        answer = merge(api, source, into)
        assert (*refused(answer), answer.json["customer_id"]) == (404, "member-not-found", "nobody")
    assert pointers(api.post("/v1/members/old/merge", {})) == ["/into"]
    assert pointers(api.post("/v1/members/old/merge", {"into": "a b"})) == ["/into"]
    assert pointers(api.post("/v1/members/old/merge", {"into": "new", "force": True})) == ["/force"]
