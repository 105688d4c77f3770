"""Paying in two phases over HTTP: points are held, then captured, released, or freed when their time is over."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import adjust, buckets, capture, hold, lots, pointers, refused, release, replayed, story

TEN_DAYS = ({"mode": "immediate"}, {"mode": "rolling", "days": 10})


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with 1000 points for ten days."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    shop.configure_units(api, points=TEN_DAYS)
    adjust(api, 1000)


def in_minutes(minutes: float) -> str:
    return shop.at(NOW + timedelta(minutes=minutes))


# Held


def test_points_on_hold_are_not_available_and_not_spent_yet(api: Api):
    answer = hold(api, "h-1", 300, hold_seconds=60, order_id="A-1", reason="checkout")

    assert answer.status_code == 201
    assert answer.json == {
        "hold_id": "h-1", "customer_id": "c-42", "unit": "points", "status": "held", "points": 300, "captured": 0,
        "held_at": shop.at(NOW), "expires_at": in_minutes(1), "resolved_at": None, "order_id": "A-1",
        "reason": "checkout", "balance": {"available": 700, "pending": 0, "held": 300, "debt": 0},
    }  # fmt: skip
    assert {**api.get("/v1/holds/h-1").json, "balance": answer.json["balance"]} == answer.json
    assert api.balance()["lifetime_spent"] == 0


def test_a_hold_lasts_a_quarter_of_an_hour_unless_said_otherwise(api: Api):
    assert hold(api, "h-1", 1).json["expires_at"] == in_minutes(15)
    assert hold(api, "h-2", 1, hold_seconds=31 * 86_400).json["expires_at"] == shop.in_days(31)


def test_more_than_is_available_is_refused_with_what_is_missing(api: Api):
    hold(api, "h-1", 900)

    answer = hold(api, "h-2", 101)

    assert refused(answer) == (422, "insufficient-points")
    facts = {name: answer.json[name] for name in ("required", "available", "missing", "unit")}
    assert facts == {"required": 101, "available": 100, "missing": 1, "unit": "points"}
    assert hold(api, "h-2", 100).status_code == 201


def test_points_that_wait_cannot_be_held(api: Api):
    shop.configure_units(api, points=({"mode": "delay", "days": 1}, {"mode": "never"}))
    shop.buy(api, "A-1")

    assert refused(hold(api, "h-1", 1001)) == (422, "insufficient-points")


def test_the_points_that_lapse_first_are_held_first_and_the_last_are_released(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    it_is(monkeypatch, NOW + shop.A_DAY)
    adjust(api, 1000)
    hold(api, "h-1", 1500)
    assert lots(api) == [(500, "2026-03-13T00:00:00Z")]

    capture(api, "h-1", points=1200)

    assert lots(api) == [(800, "2026-03-13T00:00:00Z")]


# Captured


def test_what_is_captured_is_spent_and_the_rest_is_released(api: Api):
    hold(api, "h-1", 123)

    answer = capture(api, "h-1", points=100)

    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["captured"], answer.json["resolved_at"]) == (
        "captured", 100, shop.at(NOW),
    )  # fmt: skip
    assert buckets(api) == {"available": 900}
    assert story(api)[1:] == [("hold", -123), ("redeem", -100), ("release", 23)]
    assert api.balance()["lifetime_spent"] == 100


@pytest.mark.parametrize("given", [{}, {"points": None}, {"points": 123}])
def test_all_is_captured_unless_said_otherwise(api: Api, given: dict[str, Any]):
    hold(api, "h-1", 123)

    assert capture(api, "h-1", **given).json["captured"] == 123
    assert buckets(api) == {"available": 877}


def test_a_capture_needs_no_body_at_all(api: Api):
    hold(api, "h-1", 123)

    assert api.post("/v1/holds/h-1/capture").json["captured"] == 123


def test_more_than_is_held_is_not_captured(api: Api):
    hold(api, "h-1", 100)

    answer = capture(api, "h-1", points=101)

    assert refused(answer) == (422, "capture-exceeds-hold")
    assert (answer.json["held"], answer.json["required"]) == (100, 101)
    assert capture(api, "h-1").status_code == 200


def test_what_is_held_can_be_captured_though_its_lot_has_lapsed(api: Api, monkeypatch: pytest.MonkeyPatch):
    hold(api, "h-1", 300, hold_seconds=20 * 86_400)
    it_is(monkeypatch, NOW + 15 * shop.A_DAY)
    assert buckets(api) == {"held": 300}

    answer = capture(api, "h-1", points=200)

    assert (answer.status_code, answer.json["balance"]["available"]) == (200, 0)
    assert story(api)[2:] == [("expire", -700), ("redeem", -200), ("release", 100), ("expire", -100)]


# Released, timed out


def test_a_release_gives_the_points_back_to_the_lots_they_came_from(api: Api, monkeypatch: pytest.MonkeyPatch):
    hold(api, "h-1", 300)
    it_is(monkeypatch, NOW + timedelta(minutes=1))

    answer = release(api, "h-1")

    assert (answer.status_code, answer.json["status"], answer.json["captured"]) == (200, "released", 0)
    assert lots(api) == [(1000, "2026-03-12T00:00:00Z")]


def test_a_hold_that_nobody_resolved_is_over_with_no_job_running(api: Api, monkeypatch: pytest.MonkeyPatch):
    hold(api, "h-1", 300)
    it_is(monkeypatch, NOW + timedelta(minutes=20))

    shown = api.get("/v1/holds/h-1").json

    assert (shown["status"], shown["resolved_at"]) == ("expired", in_minutes(15))
    assert buckets(api) == {"available": 1000}
    entry = shop.entries(api)[-1]
    assert (entry["kind"], entry["points"], entry["occurred_at"]) == ("release", 300, in_minutes(15))


@pytest.mark.parametrize("resolve", [capture, release])
@pytest.mark.parametrize(("moment", "status"), [(-1, 200), (0, 409)])
def test_a_hold_is_over_at_the_very_instant_of_its_end(
    api: Api, monkeypatch: pytest.MonkeyPatch, resolve: Any, moment: int, status: int
):
    hold(api, "h-1", 300)
    it_is(monkeypatch, NOW + timedelta(minutes=15, microseconds=moment))

    answer = resolve(api, "h-1")

    assert answer.status_code == status
    if status == 409:
        assert (answer.json["code"], answer.json["hold_status"]) == ("hold-resolved", "expired")
        assert answer.json["resolved_at"] == in_minutes(15)


def test_what_lapsed_while_it_was_held_lapses_when_it_is_free(api: Api, monkeypatch: pytest.MonkeyPatch):
    hold(api, "h-1", 300, hold_seconds=20 * 86_400)
    it_is(monkeypatch, NOW + 30 * shop.A_DAY)

    assert buckets(api) == {}
    assert [(e["kind"], e["points"], e["occurred_at"]) for e in shop.entries(api)[2:]] == [
        ("expire", -700, "2026-03-12T00:00:00Z"),
        ("release", 300, shop.in_days(20)),
        ("expire", -300, shop.in_days(20)),
    ]


# Resolved once


@pytest.mark.parametrize(
    ("first", "named"), [(capture, "already captured"), (release, "already released")], ids=["captured", "released"]
)
@pytest.mark.parametrize("second", [capture, release])
def test_a_second_resolution_names_the_first(api: Api, first: Any, named: str, second: Any):
    hold(api, "h-1", 300)
    first(api, "h-1")
    before = buckets(api)

    answer = second(api, "h-1")

    assert refused(answer) == (409, "hold-resolved")
    assert named in answer.json["detail"]
    assert buckets(api) == before


def test_a_capture_that_is_tried_again_under_its_key_is_answered_as_it_was(api: Api):
    hold(api, "h-1", 300)
    key = {"headers": {"Idempotency-Key": "k-1"}}
    first = api.post("/v1/holds/h-1/capture", {"points": 200}, **key)

    again = api.post("/v1/holds/h-1/capture", {"points": 200}, **key)
    other = api.post("/v1/holds/h-1/capture", {"points": 201}, **key)

    assert (again.status_code, again.data, replayed(again)) == (200, first.data, True)
    assert refused(other) == (409, "idempotency-conflict")
    assert buckets(api) == {"available": 800}


def test_the_same_hold_again_is_answered_with_the_first_answer(api: Api):
    first = hold(api, "h-1", 300)
    capture(api, "h-1")

    again = hold(api, "h-1", 300)

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)
    assert buckets(api) == {"available": 700}


@pytest.mark.parametrize("changed", [{"points": 301}, {"hold_seconds": 60}, {"order_id": "A-1"}, {"reason": "x"}])
def test_the_same_id_with_other_content_is_a_conflict(api: Api, changed: dict[str, Any]):
    hold(api, "h-1", 300)

    answer = hold(api, "h-1", **{"points": 300, **changed})

    assert (*refused(answer), answer.json["hold_id"]) == (409, "idempotency-conflict", "h-1")


def test_the_id_of_a_hold_belongs_to_one_member(api: Api):
    api.enrol("c-43")
    adjust(api, 1000, "c-43")
    hold(api, "h-1", 300)

    assert refused(hold(api, "h-1", 300, "c-43")) == (409, "idempotency-conflict")


def test_a_refused_hold_leaves_its_id_free(api: Api):
    assert refused(hold(api, "h-1", 1001)) == (422, "insufficient-points")

    assert hold(api, "h-1", 1000).status_code == 201


# At once


def test_sixty_four_holds_at_once_against_what_suffices_for_ten(api: Api):
    answers = in_parallel(64, lambda number: hold(api, f"h-{number}", 100))

    assert Counter(answer.status_code for answer in answers) == {201: 10, 422: 54}
    assert {answer.json["code"] for answer in answers if answer.status_code == 422} == {"insufficient-points"}
    assert buckets(api) == {"held": 1000}


def test_of_captures_and_releases_at_once_one_wins_and_the_others_are_told_which(api: Api):
    hold(api, "h-1", 300)

    answers = in_parallel(6, lambda number: (capture if number % 2 else release)(api, "h-1"))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    winner = next(answer for answer in answers if answer.status_code == 200).json["status"]
    assert {answer.json["hold_status"] for answer in answers if answer.status_code == 409} == {winner}
    assert buckets(api) == {"available": 700 if winner == "captured" else 1000}


# Refused


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"hold_id": "a b"}, "/hold_id"),
        ({"hold_id": None}, "/hold_id"),
        ({"points": 0}, "/points"),
        ({"points": -1}, "/points"),
        ({"points": 1.5}, "/points"),
        ({"points": "1"}, "/points"),
        ({"points": None}, "/points"),
        ({"points": 10**12 + 1}, "/points"),
        ({"hold_seconds": 0}, "/hold_seconds"),
        ({"hold_seconds": 31 * 86_400 + 1}, "/hold_seconds"),
        ({"hold_seconds": None}, "/hold_seconds"),
        ({"unit": ""}, "/unit"),
        ({"order_id": "a b"}, "/order_id"),
        ({"reason": "x" * 501}, "/reason"),
        ({"reason": "a\u0000"}, "/reason"),
        ({"ttl": 60}, "/ttl"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], at: str):
    answer = api.post("/v1/members/c-42/holds", {"hold_id": "h-1", "points": 1, **changed})

    assert pointers(answer) == [at]


@pytest.mark.parametrize(
    ("given", "at"), [({"points": 0}, "/points"), ({"order_id": ""}, "/order_id"), ({"amount": 1}, "/amount")]
)
def test_a_capture_that_makes_no_sense_is_refused_where_it_stands(api: Api, given: dict[str, Any], at: str):
    hold(api, "h-1", 300)

    assert pointers(capture(api, "h-1", **given)) == [at]
    assert buckets(api) == {"available": 700, "held": 300}


def test_what_is_unknown_is_not_found(api: Api):
    assert refused(hold(api, "h-1", 1, "nobody")) == (404, "member-not-found")
    assert refused(hold(api, "h-1", 1, unit="miles")) == (422, "unit-unknown")
    for answer in (api.get("/v1/holds/h-404"), capture(api, "h-404"), release(api, "h-404")):
        assert (*refused(answer), answer.json["hold_id"]) == (404, "hold-not-found", "h-404")


@pytest.mark.parametrize(("status", "code"), [("suspend", "member-suspended"), ("close", "member-closed")])
def test_who_is_suspended_or_closed_holds_nothing_more_but_ends_what_is_under_way(api: Api, status: str, code: str):
    hold(api, "h-1", 100)
    hold(api, "h-2", 100)
    api.post(f"/v1/members/c-42/{status}")

    assert refused(hold(api, "h-3", 100)) == (422, code)
    assert replayed(hold(api, "h-1", 100))
    assert capture(api, "h-1").status_code == 200
    assert release(api, "h-2").status_code == 200
    assert buckets(api) == {"available": 900}


def test_each_unit_is_held_by_itself(api: Api):
    shop.configure_units(api, points=TEN_DAYS, miles=TEN_DAYS)
    adjust(api, 50, unit="miles")

    assert refused(hold(api, "h-1", 51, unit="miles")) == (422, "insufficient-points")
    answer = hold(api, "h-1", 50, unit="miles")

    assert (answer.json["unit"], answer.json["balance"]["held"]) == ("miles", 50)
    assert (buckets(api), buckets(api, unit="miles")) == ({"available": 1000}, {"held": 50})
