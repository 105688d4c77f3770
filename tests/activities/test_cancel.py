"""Taking back what an activity earned: the review was not one."""

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import A_DAY, a_bonus, at, buckets, in_days, publish_rules, refused, replayed, report, story


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


def cancel(api: Api, activity_id: str):
    return api.post(f"/v1/activities/{activity_id}/cancel")


def test_what_a_fake_review_earned_is_taken_back(api: Api):
    publish_rules(api, a_bonus("review"))
    report(api, "review-77")

    answer = cancel(api, "review-77")

    taken = {"reversed": 50, "expired": 0, "debt": 0, "forgiven": 0}
    assert answer.status_code == 200
    assert answer.json == {
        "activity_id": "review-77", "status": "cancelled", "points": taken,
        "awards": [{"rule": {"code": "review", "version": 1}, "unit": "points", **taken}],
        "balance": {"available": 0, "pending": 0, "held": 0, "debt": 0}, "tier": None,
    }  # fmt: skip
    assert story(api) == [("earn", 50), ("reverse", -50)]
    entry = shop.entries(api)[-1]
    assert (entry["reference"], entry["reason"]) == ("review-77", "activity cancelled")
    read = api.get("/v1/activities/review-77").json
    assert (read["status"], read["cancelled_at"], read["points"]["awarded"]) == ("cancelled", at(NOW), 50)


def test_a_second_cancellation_gets_the_first_answer(api: Api):
    publish_rules(api, a_bonus("review"))
    report(api, "review-77")
    first = cancel(api, "review-77")

    again = cancel(api, "review-77")

    assert (again.get_data(), replayed(again)) == (first.get_data(), True)
    assert buckets(api) == {}


def test_an_activity_that_earned_nothing_can_be_cancelled_and_one_that_is_not_there_cannot(api: Api):
    report(api, "nl-1", "newsletter")

    assert cancel(api, "nl-1").json["awards"] == []
    assert refused(cancel(api, "nl-2")) == (404, "activity-not-found")
    assert replayed(report(api, "nl-1", "newsletter"))


@pytest.mark.parametrize(
    ("policy", "told", "left"),
    [("clamp", {"reversed": 20, "forgiven": 30}, {}), ("debt", {"reversed": 20, "debt": 30}, {"debt": 30})],
)
def test_what_is_spent_already_is_forgiven_or_owed_as_the_program_says(
    api: Api, policy: str, told: dict[str, int], left: dict[str, int]
):
    shop.configure(api, returns={"policy": policy})
    publish_rules(api, a_bonus("review"))
    report(api, "review-77")
    shop.pay(api, 30)

    answer = cancel(api, "review-77")

    assert {name: points for name, points in answer.json["points"].items() if points} == told
    assert buckets(api) == left


def test_points_that_wait_are_taken_back_before_they_mature(api: Api):
    publish_rules(api, a_bonus("review", activation={"mode": "delay", "days": 14}))
    report(api, "review-77")

    assert cancel(api, "review-77").json["points"]["reversed"] == 50
    assert buckets(api) == {}


def test_what_was_cancelled_counts_neither_for_limits_nor_for_caps_nor_for_the_budget(api: Api):
    rule = a_bonus("review", limits={"month": 2}, caps={"per_member": {"year": 100}, "budget": 100})
    publish_rules(api, rule)
    report(api, "a-1")
    report(api, "a-2")
    assert report(api, "a-3").json["points"]["awarded"] == 0

    cancel(api, "a-1")

    assert report(api, "a-4").json["points"]["awarded"] == 50
    assert report(api, "a-5").json["points"]["awarded"] == 0


def test_a_cooldown_runs_on_from_what_was_cancelled(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish_rules(api, a_bonus("review", cooldown_days=7))
    report(api, "a-1")
    cancel(api, "a-1")

    assert report(api, "a-2").json["points"]["awarded"] == 0
    it_is(monkeypatch, NOW + 7 * A_DAY)
    assert report(api, "a-3", occurred_at=in_days(7)).json["points"]["awarded"] == 50


def test_what_was_earned_before_a_merge_is_taken_back_from_who_stayed(api: Api):
    api.enrol("c-43")
    publish_rules(api, a_bonus("review"))
    report(api, "review-77")
    shop.merge(api, "c-42", "c-43")

    answer = cancel(api, "review-77")

    assert (answer.json["points"]["reversed"], buckets(api, "c-43")) == (50, {})
