"""Answers that come at once, and with how many statements one is kept."""

from collections import Counter
from dataclasses import replace

from loyalty.db.session import Session
from loyalty.feedback import service
from loyalty.feedback.domain import NewFeedback
from tests.activities.test_service import a_rule_that_asks_everything, publish
from tests.api import Api
from tests.builders import NOW, a_member, a_program
from tests.feedback.asking import answer
from tests.orders.test_concurrency import in_parallel
from tests.shop import a_bonus, buckets, buy, publish_rules
from tests.statements import statements

# Five of the activity, and its own claim.
STATEMENTS_MAX = 6


def test_the_same_answer_six_times_at_once_is_one_answer_and_five_replays(api: Api):
    publish_rules(api, a_bonus("feedback", 20))
    api.enrol()
    buy(api, "A-1")

    answers = in_parallel(6, lambda _: answer(api, order_id="A-1", comment="Fine."))

    assert Counter((each.status_code, each.headers.get("Idempotent-Replayed")) for each in answers) == {
        (201, None): 1, (201, "true"): 5,
    }  # fmt: skip
    assert len({each.data for each in answers}) == 1
    assert buckets(api) == {"available": 20}


def test_of_two_answers_about_an_order_at_once_one_wins(api: Api):
    publish_rules(api, a_bonus("feedback", 20))
    api.enrol()
    buy(api, "A-1")

    answers = in_parallel(4, lambda number: answer(api, f"fb-{number}", order_id="A-1"))

    assert Counter(each.status_code for each in answers) == {201: 1, 409: 3}
    (won,) = [each.json["feedback_id"] for each in answers if each.status_code == 201]
    lost = [each.json for each in answers if each.status_code == 409]
    assert {(each["code"], each["feedback_id"]) for each in lost} == {("already-answered", won)}
    assert buckets(api) == {"available": 20}


def test_an_answer_takes_one_statement_more_than_an_activity_does(session: Session):
    program = a_program(session)
    a_member(session, program, "c-42")
    a_member(session, program, "c-43")
    publish(session, program, {**a_rule_that_asks_everything(), "activity": "feedback"})
    first = NewFeedback(feedback_id="warm", customer_id="c-43", kind="nps", score=3, answered_at=NOW)
    service.give_feedback(session, program.program_id, first, now=NOW)

    with statements() as sent:
        service.give_feedback(
            session, program.program_id, replace(first, feedback_id="fb-1", customer_id="c-42"), now=NOW
        )

    assert len(sent) == STATEMENTS_MAX, sent
