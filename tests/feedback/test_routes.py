"""Giving feedback over HTTP: what is kept, what it earns, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row, scalar_row

from loyalty.db.session import transaction
from loyalty.tables import METADATA
from tests import shop
from tests.api import Api
from tests.builders import NOW, activity_json
from tests.clocks import it_is
from tests.feedback.asking import answer
from tests.shop import a_bonus, at, buckets, buy, in_days, merge, pointers, publish_rules, refused, replayed

ALL_OF_IT = {"comment": "Late, and wet.\nAsk for Ada.", "order_id": "A-1", "touchpoint": "delivery"}


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


def facts(api: Api) -> list[dict[str, Any]]:
    with api.app.app_context(), transaction() as session:
        statement = "SELECT type, customer_id, occurred_at, data FROM events WHERE program_id = %s ORDER BY xid, seq"
        return session.rows(statement, (api.program.program_id,), into=dict_row)


def of_feedback(api: Api) -> list[tuple[str, int]]:
    return [(each["type"], each["data"]["score"]) for each in facts(api) if each["type"].startswith("feedback.")]


# What is kept


def test_an_answer_is_read_as_it_was_told(api: Api):
    buy(api, "A-1")
    assert answer(api, score=4, **ALL_OF_IT).status_code == 201

    read = api.get("/v1/feedback/fb-1").json

    assert read == {
        "feedback_id": "fb-1", "customer_id": "c-42", "kind": "nps", "score": 4, **ALL_OF_IT,
        "comment_erased_at": None, "answered_at": at(NOW), "recorded_at": at(NOW), "activity_id": "feedback-fb-1",
    }  # fmt: skip
    assert api.get("/v1/members/c-42/feedback").json == {"data": [read], "next": None}
    assert refused(api.get("/v1/feedback/fb-2")) == (404, "feedback-not-found")
    assert refused(api.get("/v1/members/nobody/feedback")) == (404, "member-not-found")


def test_a_comment_stands_nowhere_but_with_the_answer(api: Api):
    answer(api, score=1, comment="Ask for Zuzannella.")

    with api.app.app_context(), transaction() as session:
        for table in METADATA.sorted_tables:
            found = f"SELECT count(*) FROM {table.name} t WHERE t::text LIKE '%%Zuzannella%%'"
            assert session.row(found, into=scalar_row) == (table.name == "feedback"), table.name


def test_members_list_what_they_and_those_merged_into_them_answered_newest_first(api: Api):
    api.enrol("old")
    answer(api, "fb-1", customer_id="old", answered_at=in_days(-2))
    answer(api, "fb-2", answered_at=in_days(-3))
    answer(api, "fb-3", answered_at=in_days(-1))
    assert merge(api, "old", "c-42").status_code == 200

    ids, after = [], ""
    for _ in range(3):
        page = api.get(f"/v1/members/c-42/feedback?limit=1{after}").json
        ids += [(each["feedback_id"], each["customer_id"]) for each in page["data"]]
        after = f"&after={page['next']}"

    assert (ids, page["next"]) == ([("fb-3", "c-42"), ("fb-1", "old"), ("fb-2", "c-42")], None)
    assert [each["feedback_id"] for each in api.get("/v1/members/old/feedback").json["data"]] == ["fb-1"]


FOUND = [
    ("", ["fb-5", "fb-4", "fb-3", "fb-2", "fb-1"]),
    ("kind=nps", ["fb-3", "fb-2", "fb-1"]),
    ("kind=nps&max_score=6", ["fb-3", "fb-1"]),
    ("touchpoint=delivery", ["fb-4", "fb-3", "fb-2"]),
    ("touchpoint=delivery&kind=nps&max_score=6", ["fb-3"]),
    (f"from={in_days(-4)}&to={in_days(-2)}", ["fb-3", "fb-2"]),
    (f"touchpoint=delivery&from={in_days(-2)}", ["fb-4"]),
]


@pytest.mark.parametrize(("query", "ids"), FOUND)
def test_the_shop_finds_answers_by_kind_score_touchpoint_and_time(api: Api, query: str, ids: list[str]):
    given = [
        ("nps", 0, None),
        ("nps", 7, "delivery"),
        ("nps", 6, "delivery"),
        ("csat", 1, "delivery"),
        ("ces", 7, "till"),
    ]
    for number, (kind, score, touchpoint) in enumerate(given, start=1):
        answer(api, f"fb-{number}", kind, score, touchpoint=touchpoint, answered_at=in_days(number - 6))

    found, after = [], ""
    while True:
        page = api.get(f"/v1/feedback?limit=2&{query.replace('+', '%2B')}{after}").json
        found += [each["feedback_id"] for each in page["data"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert found == ids


@pytest.mark.parametrize(("query", "pointer"), [
    ("max_score=3", "max_score"), ("kind=csat&max_score=6", "max_score"), ("kind=stars", "kind"), ("after=x", "after"),
])  # fmt: skip
def test_a_list_that_makes_no_sense_is_refused(api: Api, query: str, pointer: str):
    assert pointers(api.get(f"/v1/feedback?{query}")) == [pointer]


# What it earns


def test_an_answer_earns_what_the_rules_give_for_feedback(api: Api):
    publish_rules(api, {"points": "1"}, a_bonus("feedback", 20), a_bonus("review"))

    told = answer(api, comment="Fine.", touchpoint="till").json

    assert {name: told[name] for name in ("feedback_id", "customer_id", "kind", "score", "activity_id", "points")} == {
        "feedback_id": "fb-1", "customer_id": "c-42", "kind": "nps", "score": 9, "activity_id": "feedback-fb-1",
        "points": {"awarded": 20, "pending": 0, "available": 20},
    }  # fmt: skip
    assert told["balance"] == {"available": 20, "pending": 0, "held": 0, "debt": 0}
    assert told["awards"][0]["rule"] == {"code": "feedback", "version": 1}
    activity = api.get("/v1/activities/feedback-fb-1").json
    assert (activity["type"], activity["awards"]) == ("feedback", told["awards"])
    assert activity["properties"] == {
        "kind": "nps", "score": 9, "touchpoint": "till", "order_id": None, "has_comment": True,
    }  # fmt: skip


def test_what_an_answer_earned_can_be_taken_back_like_that_of_any_activity(api: Api):
    publish_rules(api, a_bonus("feedback", 20))
    answer(api)

    assert api.post("/v1/activities/feedback-fb-1/cancel").json["points"]["reversed"] == 20
    assert buckets(api) == {}


@pytest.mark.parametrize(("given", "points"), [
    ({"comment": "Fine."}, 20), ({}, 0), ({"comment": None}, 0), ({"comment": "Fine.", "kind": "csat", "score": 4}, 0),
])  # fmt: skip
def test_a_rule_sees_what_was_asked_and_whether_there_is_a_comment(api: Api, given: dict[str, Any], points: int):
    when = "activity.properties.kind == 'nps' && activity.properties.has_comment"
    publish_rules(api, a_bonus("feedback", 20, when=when))

    assert answer(api, **given).json["points"]["awarded"] == points


def test_rules_limit_how_often_feedback_pays(api: Api):
    publish_rules(api, a_bonus("feedback", 20, limits={"month": 1}))

    assert [answer(api, f"fb-{n}").json["points"]["awarded"] for n in range(3)] == [20, 0, 0]


def test_nobody_reports_feedback_as_an_activity(api: Api):
    for told in ({"type": "feedback"}, {"activity_id": "feedback-fb-1"}):
        assert refused(api.post("/v1/activities", activity_json(**told))) == (422, "activity-reserved")


# What is told


def test_an_answer_is_a_fact_and_a_low_one_another_without_what_was_written(api: Api):
    answer(api, "fb-1", score=6, comment="Late.", touchpoint="delivery", answered_at=in_days(-1))
    answer(api, "fb-2", score=7)

    assert of_feedback(api) == [("feedback.given", 6), ("feedback.low", 6), ("feedback.given", 7)]
    low = next(each for each in facts(api) if each["type"] == "feedback.low")
    assert (low["customer_id"], low["occurred_at"]) == ("c-42", NOW - timedelta(days=1))
    assert low["data"] == {
        "feedback_id": "fb-1", "kind": "nps", "score": 6, "touchpoint": "delivery", "order_id": None,
        "has_comment": True,
    }  # fmt: skip


def test_a_program_says_what_is_low(api: Api):
    shop.configure(api, feedback={"nps_low": None, "csat_low": 3})
    for number, (kind, score) in enumerate((("nps", 0), ("csat", 3), ("csat", 4), ("ces", 3))):
        answer(api, f"fb-{number}", kind, score)

    assert [score for kind, score in of_feedback(api) if kind == "feedback.low"] == [3, 3]
    assert api.get("/v1/admin/program").json["feedback"] == {"nps_low": None, "csat_low": 3, "ces_low": 3}


def test_a_member_reads_once_that_they_gave_feedback_and_nothing_of_its_being_low(api: Api):
    publish_rules(api, a_bonus("feedback", 20))
    answer(api, score=0)

    told = [each["summary"] for each in api.get("/v1/members/c-42/timeline").json["data"]]

    assert sorted(told) == ["You earned 20 points.", "You gave us feedback.", "You joined the program."]


# What is refused


def test_the_same_again_is_answered_with_the_first_answer(api: Api):
    publish_rules(api, a_bonus("feedback", 20))
    first = answer(api, comment="Fine.")

    again = answer(api, comment="Fine.")

    assert (again.status_code, replayed(again), again.data) == (201, True, first.data)
    assert buckets(api) == {"available": 20}
    other = answer(api, comment="Fine!")
    assert (*refused(other), other.json["feedback_id"]) == (409, "idempotency-conflict", "fb-1")


def test_about_an_order_each_question_is_answered_once(api: Api):
    buy(api, "A-1")
    answer(api, "fb-1", order_id="A-1")

    second = answer(api, "fb-2", order_id="A-1")

    assert refused(second) == (409, "already-answered")
    assert {name: second.json[name] for name in ("order_id", "kind", "feedback_id")} == {
        "order_id": "A-1", "kind": "nps", "feedback_id": "fb-1",
    }  # fmt: skip
    assert refused(api.get("/v1/feedback/fb-2")) == (404, "feedback-not-found")
    assert answer(api, "fb-2", "csat", 5, order_id="A-1").status_code == 201


def test_only_who_bought_answers_about_an_order(api: Api):
    api.enrol("old")
    buy(api, "A-1", customer_id="old")
    buy(api, "G-1", customer_id=None)

    for order_id in ("A-1", "G-1", "A-9"):
        no = answer(api, order_id=order_id)
        assert (*refused(no), no.json["order_id"]) == (404, "order-not-found", order_id)
    # Whoever has become one with who bought, has bought.
    merge(api, "old", "c-42")
    assert answer(api, order_id="A-1").status_code == 201


@pytest.mark.parametrize(("become", "code"), [("suspend", "member-suspended"), ("close", "member-closed")])
def test_who_is_no_active_member_gives_no_feedback_but_is_told_the_first_answer(api: Api, become: str, code: str):
    answer(api, "fb-1")
    api.post(f"/v1/members/c-42/{become}")

    assert refused(answer(api, "fb-2")) == (422, code)
    assert replayed(answer(api, "fb-1"))
    assert refused(answer(api, "fb-3", customer_id="nobody")) == (404, "member-not-found")


def test_nobody_has_answered_tomorrow_but_clocks_may_differ_by_five_minutes(api: Api):
    assert refused(answer(api, answered_at=at(NOW + timedelta(minutes=6)))) == (422, "answered-in-future")
    assert answer(api, answered_at=at(NOW + timedelta(minutes=5))).status_code == 201


@pytest.mark.parametrize(("wrong", "pointer"), [
    ({"kind": "stars"}, "/kind"), ({"score": 11}, "/score"), ({"score": -1}, "/score"), ({"score": "9"}, "/score"),
    ({"score": 9.5}, "/score"), ({"kind": "csat", "score": 0}, "/score"), ({"kind": "csat", "score": 6}, "/score"),
    ({"kind": "ces", "score": 0}, "/score"), ({"kind": "ces", "score": 8}, "/score"), ({"comment": ""}, "/comment"),
    ({"comment": "x" * 2_001}, "/comment"), ({"comment": "a\x07b"}, "/comment"),
    ({"touchpoint": "At home"}, "/touchpoint"),
    ({"order_id": "A 1"}, "/order_id"), ({"answered_at": None}, "/answered_at"), ({"email": "x"}, "/email"),
])  # fmt: skip
def test_an_answer_of_the_wrong_shape_is_told_where(api: Api, wrong: dict[str, Any], pointer: str):
    assert pointers(answer(api, **wrong)) == [pointer]


def test_a_score_that_is_none_of_its_kind_is_told_the_range(api: Api):
    wrong = answer(api, kind="csat", score=6).json["errors"]

    assert wrong == [{"pointer": "/score", "detail": "The score of csat must be 1 to 5."}]


@pytest.mark.parametrize(("kind", "scores"), [("nps", (0, 10)), ("csat", (1, 5)), ("ces", (1, 7))])
def test_the_ends_of_a_scale_are_scores(api: Api, kind: str, scores: tuple[int, ...]):
    assert [answer(api, f"fb-{score}", kind, score).status_code for score in scores] == [201, 201]
    assert answer(api, "fb-long", kind, scores[0], comment="x" * 2_000).status_code == 201


# Erasing


def test_a_comment_is_erased_for_good_and_the_score_stays(api: Api):
    told = answer(api, score=2, comment="Ask for Ada.")

    erased = api.post("/v1/feedback/fb-1/erase-comment").json

    assert (erased["comment"], erased["comment_erased_at"], erased["score"]) == (None, at(NOW), 2)
    assert api.get("/v1/feedback/fb-1").json == erased
    # Whoever tells it again gets the first answer, and the comment does not come back.
    assert answer(api, score=2, comment="Ask for Ada.").data == told.data
    assert api.get("/v1/feedback/fb-1").json["comment"] is None
    (entry,) = api.get("/v1/admin/audit?resource=feedback/fb-1").json["data"]
    assert (entry["action"], entry["before"], entry["after"]) == ("feedback.comment_erased", None, None)


def test_where_no_comment_is_nothing_is_erased(api: Api):
    answer(api)

    assert api.post("/v1/feedback/fb-1/erase-comment").json["comment_erased_at"] is None
    assert api.get("/v1/admin/audit?resource=feedback/fb-1").json["data"] == []
    assert refused(api.post("/v1/feedback/fb-9/erase-comment")) == (404, "feedback-not-found")
