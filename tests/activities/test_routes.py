"""Activities over HTTP: what they earn, how often and how much, and who is refused."""

from datetime import timedelta

import pytest

from loyalty.activities.domain import RESERVED
from tests import shop
from tests.api import Api
from tests.builders import NOW, activity_json
from tests.clocks import it_is
from tests.shop import A_DAY, a_bonus, at, buckets, in_days, pointers, publish_rules, refused, replayed, report


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


# What it earns


def test_a_review_earns_what_the_bonus_for_reviews_gives(api: Api):
    publish_rules(api, {"points": "1"}, a_bonus("review"))

    answer = report(api, "review-77", properties={"stars": 4})

    assert answer.status_code == 201
    assert answer.json == {
        "activity_id": "review-77", "customer_id": "c-42", "type": "review", "status": "recorded",
        "points": {"awarded": 50, "pending": 0, "available": 50},
        "awards": [{
            "rule": {"code": "review", "version": 1}, "unit": "points", "points": 50, "matures_at": None,
            "expires_at": "2027-03-02T00:00:00Z", "lines": [], "reason": "50 for review",
        }],
        "refused": [], "balance": {"available": 50, "pending": 0, "held": 0, "debt": 0}, "tier": None,
    }  # fmt: skip
    assert [(entry["kind"], entry["points"], entry["reference"]) for entry in shop.entries(api)] == [
        ("earn", 50, "review-77")
    ]


def test_an_activity_without_a_rule_is_recorded_and_earns_nothing(api: Api):
    answer = report(api, "nl-1", "newsletter")

    assert (answer.status_code, answer.json["awards"], answer.json["refused"]) == (201, [], [])
    assert api.get("/v1/activities/nl-1").json["points"] == {"awarded": 0, "pending": 0, "available": 0}
    assert buckets(api) == {}


def test_an_activity_is_read_as_it_was_told(api: Api):
    publish_rules(api, a_bonus("review"))
    told = report(api, "review-77", properties={"stars": 4}).json

    read = api.get("/v1/activities/review-77").json

    assert read == {
        "activity_id": "review-77", "customer_id": "c-42", "type": "review", "status": "recorded",
        "occurred_at": at(NOW), "recorded_at": at(NOW), "cancelled_at": None, "properties": {"stars": 4},
        "points": told["points"], "awards": told["awards"],
    }  # fmt: skip


def test_a_condition_sees_what_the_shop_says_of_the_activity(api: Api):
    publish_rules(api, a_bonus("review", when="activity.properties.stars >= 4"))

    awarded = [
        report(api, f"review-{stars}", properties={"stars": stars}).json["points"]["awarded"] for stars in (3, 4)
    ]

    assert awarded == [0, 50]


def test_an_activity_does_not_count_as_an_order(api: Api):
    first = {"code": "first", "kind": "bonus", "points": 10, "milestone": {"first": 1}}
    publish_rules(api, a_bonus("review"), first)
    report(api, "review-77")

    assert shop.buy(api, "A-1").json["points"]["awarded"] == 10


def test_an_order_earns_nothing_by_a_rule_for_activities_nor_an_activity_by_one_for_orders(api: Api):
    publish_rules(api, {"code": "base", "points": "1"}, a_bonus("review"))

    order, activity = shop.buy(api, "A-1").json, report(api, "review-77").json

    assert [award["rule"]["code"] for award in order["awards"]] == ["base"]
    assert [award["rule"]["code"] for award in activity["awards"]] == ["review"]


def test_an_activity_that_is_told_late_is_judged_and_dated_as_of_when_it_happened(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    publish_rules(api, a_bonus("review", 50))
    it_is(monkeypatch, NOW + 10 * A_DAY)
    publish_rules(api, a_bonus("review", 70))

    late, fresh = report(api, "late", occurred_at=in_days(9)), report(api, "fresh", occurred_at=in_days(10))

    assert (late.json["points"]["awarded"], fresh.json["points"]["awarded"]) == (50, 70)
    assert [entry["occurred_at"] for entry in shop.entries(api)] == [in_days(9), in_days(10)]


def test_points_of_an_activity_wait_as_those_of_an_order_do_but_not_for_a_confirmation(api: Api):
    shop.configure_units(api, points=({"mode": "on_event", "deadline_days": 10}, {"mode": "never"}))
    publish_rules(
        api, {"points": "1"}, a_bonus("review"), a_bonus("app_install", activation={"mode": "delay", "days": 3})
    )

    report(api, "a-1")
    report(api, "a-2", "app_install")
    shop.buy(api, "A-1")

    assert buckets(api) == {"available": 50, "pending": 150}
    assert api.balance()["maturing"] == [{"points": 50, "at": in_days(3)}]


# How often and how much


def test_a_review_earns_at_most_twice_a_month_seven_days_apart_and_so_many_points_a_year(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    rule = a_bonus(
        "review", 50, limits={"month": 2}, cooldown_days=7, caps={"per_member": {"year": 120}}
    )  # fmt: skip
    publish_rules(api, rule)
    told = []
    for day in (0, 6, 7, 20, 31, 40):
        it_is(monkeypatch, NOW + day * A_DAY)
        answer = report(api, f"review-{day}", occurred_at=in_days(day)).json
        told.append((day, answer["points"]["awarded"], [each["condition"] for each in answer["refused"]]))

    assert told == [
        (0, 50, []),
        (6, 0, ["cooldown"]),
        (7, 50, []),
        (20, 0, ["limits"]),
        (31, 20, []),
        (40, 0, ["caps"]),
    ]
    assert buckets(api) == {"available": 120}


def test_a_refusal_says_when_the_rule_gives_again(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish_rules(api, a_bonus("review", cooldown_days=7))
    report(api, "review-1")

    (again,) = report(api, "review-2").json["refused"]

    assert (again["condition"], again["missing"]) == ("cooldown", {"at": in_days(7)})
    it_is(monkeypatch, NOW + 7 * A_DAY)
    assert report(api, "review-3", occurred_at=in_days(7)).json["points"]["awarded"] == 50


def test_goodwill_for_a_support_case_goes_by_a_rule_with_caps_and_a_budget(api: Api):
    api.enrol("c-43")
    publish_rules(api, a_bonus("goodwill", 300, caps={"per_member": {"year": 500}, "budget": 700}))
    case = {"case": "case-88", "reason": "Parcel came late"}

    given = [
        report(api, f"case-{number}", "goodwill", customer, properties=case).json["points"]["awarded"]
        for number, customer in enumerate(["c-42", "c-42", "c-42", "c-43", "c-43"])
    ]

    assert given == [300, 200, 0, 200, 0]
    assert api.get("/v1/activities/case-0").json["properties"] == case


# Once


def test_the_same_activity_again_gets_the_first_answer(api: Api):
    publish_rules(api, a_bonus("review"))
    first = report(api, "review-77", properties={"b": 1, "a": 2})
    shop.buy(api, "A-1")

    again = report(api, "review-77", properties={"a": 2, "b": 1}, occurred_at="2026-03-01T13:00:00+01:00")

    assert (again.status_code, again.get_data(), replayed(again)) == (201, first.get_data(), True)
    assert not replayed(first)
    assert buckets(api) == {"available": 50}


@pytest.mark.parametrize(
    "other", [{"type": "survey"}, {"properties": {"stars": 1}}, {"customer_id": "c-43"}, {"occurred_at": in_days(-1)}]
)
def test_an_id_that_was_used_with_other_content_is_refused(api: Api, other: dict):
    api.enrol("c-43")
    report(api, "review-77")

    answer = api.post("/v1/activities", activity_json(**{"activity_id": "review-77", "occurred_at": at(NOW), **other}))

    assert (*refused(answer), answer.json["activity_id"]) == (409, "idempotency-conflict", "review-77")


def test_a_retry_gets_the_first_answer_even_when_the_member_has_left(api: Api):
    report(api, "review-77")
    api.post("/v1/members/c-42/close")

    assert replayed(report(api, "review-77"))


# Who is refused


def test_only_an_active_member_earns(api: Api):
    assert refused(report(api, "a-1", customer_id="nobody")) == (404, "member-not-found")
    api.post("/v1/members/c-42/suspend")
    assert refused(report(api, "a-1")) == (422, "member-suspended")
    api.post("/v1/members/c-42/resume")
    assert report(api, "a-1").status_code == 201
    api.post("/v1/members/c-42/close")
    assert refused(report(api, "a-2")) == (422, "member-closed")
    assert refused(api.get("/v1/activities/a-2")) == (404, "activity-not-found")


def test_what_has_not_happened_yet_is_refused_but_clocks_may_differ_by_five_minutes(api: Api):
    assert refused(report(api, "a-1", occurred_at=at(NOW + timedelta(minutes=6)))) == (422, "occurred-in-future")
    assert report(api, "a-1", occurred_at=at(NOW + timedelta(minutes=5))).status_code == 201


@pytest.mark.parametrize("reserved", sorted(RESERVED))
def test_what_the_engine_itself_sees_is_not_told_from_outside(api: Api, reserved: str):
    for answer in (report(api, "a-1", reserved), api.post("/v1/activities/preview", activity_json(type=reserved))):
        assert (*refused(answer), answer.json["type"]) == (422, "activity-reserved", reserved)
    # Nor is its id taken away.
    assert refused(report(api, f"{reserved}-c-42")) == (422, "activity-reserved")


def test_a_request_of_the_wrong_shape_is_told_where(api: Api):
    for wrong in (
        {"activity_id": "a b"}, {"customer_id": None}, {"type": "Review!"}, {"occurred_at": "yesterday"},
        {"properties": []}, {"points": 100},
    ):  # fmt: skip
        assert pointers(api.post("/v1/activities", activity_json(**wrong))) == [f"/{name}" for name in wrong]
    assert pointers(api.post("/v1/activities", {})) == ["/activity_id", "/customer_id", "/type", "/occurred_at"]


# Before and after


def test_a_preview_answers_what_recording_would_and_writes_nothing(api: Api):
    publish_rules(api, {"code": "base", "points": "1"}, a_bonus("review"))

    preview = api.post("/v1/activities/preview", activity_json(activity_id="a-1", occurred_at=at(NOW)))

    assert (preview.status_code, preview.json["status"], preview.json["rules_version"]) == (200, "preview", 1)
    assert [each["rule"]["code"] for each in preview.json["refused"]] == ["base"]
    assert buckets(api) == {}
    recorded = report(api, "a-1").json
    same = ("points", "awards", "balance")
    assert [preview.json[name] for name in same] == [recorded[name] for name in same]


def test_a_preview_refuses_what_recording_refuses(api: Api):
    for wrong, refusal in (
        ({"customer_id": "nobody"}, (404, "member-not-found")),
        ({"occurred_at": in_days(1)}, (422, "occurred-in-future")),
    ):
        assert refused(api.post("/v1/activities/preview", activity_json(**wrong))) == refusal


def test_an_explanation_says_why_by_the_rules_and_values_of_then(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish_rules(api, {"code": "base", "points": "1"}, a_bonus("review", limits={"month": 1}))
    report(api, "a-1")
    report(api, "a-2")
    it_is(monkeypatch, NOW + A_DAY)
    publish_rules(api, a_bonus("review", 99))

    first, second = (api.get(f"/v1/activities/{name}/explanation").json for name in ("a-1", "a-2"))

    assert [award["points"] for award in first["awards"]] == [50]
    assert (first["rules_version"], [each["condition"] for each in first["refused"]]) == (1, ["activity"])
    limit = next(each for each in second["refused"] if each["rule"]["code"] == "review")
    assert (second["awards"], limit["condition"], limit["values"]["times"]) == ([], "limits", 1)
