"""Surveys: who is asked what, after which order, return or activity, and who is not asked after all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.db.session import Session
from loyalty.feedback.domain import NewFeedback
from loyalty.feedback.service import give_feedback
from loyalty.notifications import following, surveying
from loyalty.notifications.domain import REASONS, Settings, Survey
from loyalty.notifications.planning import plan
from loyalty.notifications.rechecking import rechecked
from loyalty.notifications.storing import settings_document, settings_from
from loyalty.orders.service import record_orders
from tests.builders import NOW, a_member, a_program, an_order
from tests.notifications.test_deciding import told as decided
from tests.notifications.test_planning import known, ordered
from tests.notifications.told import MEMBER, a_logged, messages, tells
from tests.notifications.waiting import a_message
from tests.shop import in_days

A_DAY = timedelta(days=1)
URL = "https://shop.example/survey?order={order_id}"


def a_survey(code: str = "nps", occasion: Any = "order", **given: Any) -> Survey:
    if occasion == "order" and "orders" not in given:
        given.setdefault("every_orders", 1)
    return Survey(**{"code": code, "kind": "nps", "occasion": occasion, "url": URL, "delay_days": 3, **given})


BACK = a_survey("back", "return", kind="ces", touchpoint="returns", delay_days=0)
CASE = a_survey("case", "activity", kind="csat", activity="support_case", url="https://shop.example/case")
SURVEYS = (a_survey(), a_survey("third", orders=3), BACK, CASE)


def returned(order_id: str = "A-1", return_id: str = "R-1", **given: Any) -> Any:
    return a_logged("order.returned", **{"order_id": order_id, "return_id": return_id, "complete": False, **given})


def case(activity: str = "support_case") -> Any:
    return a_logged("activity.recorded", activity_id="case-1", type=activity, points=0)


# What is planned


def test_an_order_is_asked_about_days_after_it_was_placed():
    asked = plan([ordered(1)], known(surveys=SURVEYS)).asked

    assert [(each.wanted.key, each.order_id, each.orders, each.every_orders) for each in asked] == [
        ("nps:A-1", "A-1", None, 1), ("third:A-1", "A-1", 3, None),
    ]  # fmt: skip
    assert {each.wanted.not_before for each in asked} == {NOW + 2 * A_DAY}
    assert asked[0].wanted.data == {
        "survey": "nps", "asks": "nps", "occasion": "order", "order_id": "A-1", "touchpoint": None,
        "cooldown_days": 30, "since": (NOW - A_DAY).isoformat(),
    }  # fmt: skip
    assert not plan([ordered(guest=True)], known(surveys=SURVEYS)).asked
    assert not plan([ordered(11)], known(surveys=SURVEYS)).asked, "it is too late to ask"


def test_a_return_and_an_activity_are_asked_about():
    program_id = known().program.program_id
    back = [returned(), returned(return_id="R-2")]
    facts = [*back, case(), case("review"), replace(returned(), owner_id=program_id)]

    made = plan(facts, known(surveys=SURVEYS))

    assert [(each.member_id, each.key, each.data["occasion"], each.data["order_id"]) for each in made.wanted] == [
        *((MEMBER, f"back:{fact.event_id}", "return", "A-1") for fact in back),
        (MEMBER, "case:case-1", "activity", None),
    ]  # fmt: skip
    assert [each.not_before - NOW for each in made.wanted] == [0 * A_DAY, 0 * A_DAY, 3 * A_DAY]


def test_nobody_is_asked_about_an_order_that_is_gone_but_about_its_return():
    back = returned(complete=True)
    made = plan([back], known(surveys=SURVEYS))

    assert [each.key for each in made.closed] == ["A-1", "nps:A-1", "third:A-1"]
    assert [each.key for each in made.wanted] == [f"back:{back.event_id}"]


@given(n=st.integers(1, 9), number=st.integers(1, 100))
def test_every_so_many_orders_means_each_time_one_more_of_them(n: int, number: int):
    (every,) = surveying.after_order(Settings(surveys=(a_survey(every_orders=n),)), MEMBER, "A-1", NOW)
    (once,) = surveying.after_order(Settings(surveys=(a_survey(orders=n),)), MEMBER, "A-1", NOW)

    assert every.is_in_turn(number) is (number % n == 0)
    assert once.is_in_turn(number) is (number == n)


def test_settings_are_kept_as_they_are():
    settings = Settings(surveys=SURVEYS)

    assert settings_from(settings_document(settings)) == settings


@pytest.mark.parametrize(("survey", "url"), [
    ("nps", "https://shop.example/survey?order=A-1"), ("case", "https://shop.example/case"), ("gone", ""),
])  # fmt: skip
def test_the_url_is_the_surveys_and_names_the_order(survey: str, url: str):
    assert surveying.url_of(Settings(surveys=SURVEYS), {"survey": survey, "order_id": "A-1"}) == url
    assert surveying.url_of(Settings(surveys=SURVEYS), {"survey": "nps", "order_id": None}).endswith("order=")


def test_what_the_program_does_not_ask_any_more_is_not_sent():
    waits = a_message(kind="feedback_request", channel="inbox", data={"survey": "nps", "order_id": "A-1"})
    settings = Settings(surveys=SURVEYS)

    assert decided(waits, settings=settings) == [1]
    assert decided(waits, settings=replace(settings, surveys=(BACK,))) == ["survey_gone"]


# What is queued, and asked in the end


@pytest.fixture
def shop(session: Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    program = a_program(session)
    tells(monkeypatch, {program.program_id: Settings(surveys=SURVEYS)})
    return program, a_member(session, program, "c-42")


def act(session: Session, shop: Any, *facts: Any) -> list[str]:
    """What is queued because of facts of the member, by key."""
    program, member = shop
    following.act(session, program.program_id, [replace(fact, owner_id=member.member_id) for fact in facts], now=NOW)
    return [row["key"] for row in messages(session, program.program_id)]


def bought(session: Session, shop: Any, *order_ids: str) -> list[Any]:
    """The facts of orders that were placed one after the other."""
    program, _ = shop
    placed = [NOW - timedelta(minutes=10 - number) for number in range(len(order_ids))]
    orders = [an_order(order_id=each, placed_at=at) for each, at in zip(order_ids, placed, strict=True)]
    record_orders(session, program.program_id, orders, now=NOW)
    return [a_logged("order.recorded", order_id=each, guest=False, placed_at=in_days(0)) for each in order_ids]


def test_the_third_order_is_asked_about_once(session: Session, shop: Any):
    facts = bought(session, shop, "A-1", "A-2", "A-3", "A-4")

    keys = act(session, shop, *facts)

    assert keys == ["nps:A-1", "nps:A-2", "nps:A-3", "third:A-3", "nps:A-4"]
    assert act(session, shop, *facts) == keys, "and when it is told again"


def test_who_cancelled_the_first_order_has_placed_one_less(session: Session, shop: Any):
    facts = bought(session, shop, "A-1", "A-2", "A-3", "A-4")
    session.run(
        "UPDATE orders SET status = 'cancelled' WHERE member_id = %s AND order_id = 'A-1'", (shop[1].member_id,)
    )

    assert [key for key in act(session, shop, *facts) if key.startswith("third")] == ["third:A-4"]


def queued(session: Session, shop: Any, key: str, *, days: float = 0, **given: Any) -> None:
    """A question that was sent, or waits, since some days."""
    program, member = shop
    at = NOW + days * A_DAY
    survey, _, order_id = key.partition(":")
    data = {"survey": survey, "asks": "nps", "occasion": "order", "order_id": order_id, "touchpoint": "till",
            "cooldown_days": 30, "since": at.isoformat(), **given.pop("data", {})}  # fmt: skip
    row = {"status": "queued", "channel": "inbox", **given}
    sent = row["status"] == "sent"
    session.run(
        """INSERT INTO messages (member_id, message_id, program_id, kind, channel, key, marketing, data, status,
               occurred_at, created_at, due_at, decided_at, sent_at, attempts)
           VALUES (%s, gen_random_uuid(), %s, 'feedback_request', %s, %s, true, %s::jsonb, %s, %s, %s, %s, %s, %s,
               0)""",
        (member.member_id, program.program_id, row["channel"], key, orjson.dumps(data).decode(), row["status"], at, at,
         at, at if sent else None, at if sent else None),
    )  # fmt: skip


def reasons(session: Session, shop: Any) -> dict[str, str]:
    """Why what waits is not asked, by channel and key."""
    program, member = shop
    rows = [row for row in messages(session, program.program_id) if row["status"] == "queued"]
    waiting = [
        a_message(
            member_id=member.member_id, message_id=row["message_id"], kind=row["kind"], channel=row["channel"],
            key=row["key"], data=row["data"], seq=row["seq"],
        )
        for row in rows
    ]  # fmt: skip
    _, untrue = rechecked(session, program, waiting, now=NOW)
    return {f"{each.channel} {each.key}": untrue[each.message_id] for each in waiting if each.message_id in untrue}


@pytest.mark.parametrize(("days", "cooldown_days", "asked"), [(-29, 30, False), (-31, 30, True), (-1, 0, True)])
def test_who_was_asked_lately_is_not_asked_again(
    session: Session, shop: Any, days: int, cooldown_days: int, asked: bool
):
    queued(session, shop, "back:A-0", days=days, status="sent")
    queued(session, shop, "nps:A-1", data={"cooldown_days": cooldown_days})

    assert reasons(session, shop) == ({} if asked else {"inbox nps:A-1": "asked_lately"})


def test_of_two_questions_that_are_due_together_the_first_is_asked_on_each_channel(session: Session, shop: Any):
    for key in ("nps:A-1", "third:A-1"):
        for channel in ("inbox", "email"):
            queued(session, shop, key, channel=channel)

    assert reasons(session, shop) == {f"{channel} third:A-1": "asked_lately" for channel in ("inbox", "email")}


@pytest.mark.parametrize(("given", "asked"), [
    ({"order_id": "A-1"}, False),
    ({"order_id": "A-1", "kind": "csat", "score": 5}, True),
    ({"order_id": "A-2"}, True),
    ({"touchpoint": "till"}, False),
    ({"touchpoint": "till", "answered_at": NOW - A_DAY}, True),
    ({"touchpoint": "delivery"}, True),
    ({}, True),
])  # fmt: skip
def test_who_has_answered_meanwhile_is_not_asked(session: Session, shop: Any, given: dict[str, Any], asked: bool):
    bought(session, shop, "A-1", "A-2")
    queued(session, shop, "nps:A-1")
    told = {"feedback_id": "fb-1", "customer_id": "c-42", "kind": "nps", "score": 9, "answered_at": NOW, **given}
    give_feedback(session, shop[0].program_id, NewFeedback(**told), now=NOW)

    assert reasons(session, shop) == ({} if asked else {"inbox nps:A-1": "already_answered"})


def test_every_reason_is_one_that_is_told():
    assert {"asked_lately", "already_answered", "survey_gone"} <= set(REASONS)
