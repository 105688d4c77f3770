"""What members buy after they answered is counted once 90 days are over, by the class of the answer."""

from datetime import timedelta

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.feedback.asking import answer
from tests.outcomes.counted import assert_as_orders_say, filled, followed, outcomes, total
from tests.shop import a_line, at, buy, configure, give_back, in_days, merge

NPS = "answers:nps"
OVER = NOW + timedelta(days=90)


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Two members have answered: c-1 is delighted and c-2 is not; afterwards it is the end of the time."""
    configure(api, auto_enrol=True)
    it_is(monkeypatch, NOW)
    for customer_id, score in (("c-1", 10), ("c-2", 3)):
        api.enrol(customer_id)
        said(api, f"fb-{customer_id}", customer_id, score)
    it_is(monkeypatch, OVER)
    return api


def said(api: Api, feedback_id: str, customer_id: str, score: int, **given: str) -> None:
    """A member answered."""
    told = answer(api, feedback_id, "nps", score, customer_id=customer_id, **{"answered_at": at(NOW), **given})
    assert told.status_code == 201, told.json


def test_spend_within_90_days_is_counted_by_class(shop: Api):
    buy(shop, "o-1", a_line("1", 1_000), customer_id="c-1", placed_at=in_days(1))
    buy(shop, "o-2", a_line("1", 500), customer_id="c-1", placed_at=in_days(-1))
    buy(shop, "o-3", a_line("1", 700), customer_id="c-2", placed_at=in_days(90))

    assert filled(shop, now=OVER - timedelta(seconds=1)) == 0, "the time is not over"
    assert filled(shop, now=OVER) == 2

    assert (outcomes(shop)["c-1"]["spend"], outcomes(shop)["c-1"]["before"]) == (1_000, 500)
    assert (total(shop, NPS, "promoter").buyers, total(shop, NPS, "detractor").buyers) == (1, 0)
    assert_as_orders_say(shop)


def test_what_comes_back_later_is_taken_off(shop: Api):
    buy(shop, "o-1", a_line("1", 1_000), customer_id="c-1", placed_at=in_days(1))
    filled(shop, now=OVER)

    give_back(shop, "o-1", {"1": 1})
    followed(shop)

    assert total(shop, NPS, "promoter").spend == 0
    assert_as_orders_say(shop)


def test_who_answers_twice_within_the_time_counts_once(shop: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, NOW + timedelta(days=10))
    said(shop, "fb-again", "c-2", 10, answered_at=in_days(10))
    it_is(monkeypatch, NOW + timedelta(days=100))
    said(shop, "fb-later", "c-2", 9, answered_at=in_days(100))

    filled(shop, now=NOW + timedelta(days=190))

    assert total(shop, NPS, "detractor").members == 1
    assert total(shop, NPS, "promoter").members == 2, "c-1, and c-2 once more after 90 days without an answer"
    assert_as_orders_say(shop)


def test_an_answer_that_is_reported_late_is_not_passed_by(shop: Api):
    filled(shop, now=OVER)
    said(shop, "fb-old", "c-1", 2, answered_at=in_days(-200))

    filled(shop, now=OVER + timedelta(days=90))

    assert total(shop, NPS, "detractor").members == 2
    assert_as_orders_say(shop)


def test_who_was_merged_counts_no_more(shop: Api):
    filled(shop, now=OVER)

    merge(shop, "c-2", into="c-1")
    followed(shop)

    assert total(shop, NPS, "detractor").members == 0
    assert_as_orders_say(shop)


def test_the_report_tells_what_came_after(shop: Api):
    buy(shop, "o-1", a_line("1", 1_000), customer_id="c-1", placed_at=in_days(1))
    filled(shop, now=OVER)

    report = shop.get(f"/v1/reports/feedback?from={NOW.date()}&to={OVER.date()}").json

    later = {each["class"]: each for each in report["sections"]["later"]}
    assert (later["promoter"]["spend_per_member"], later["promoter"]["bought_nothing"]) == (1_000, 0)
    assert (later["detractor"]["members"], later["detractor"]["bought_nothing"]) == (1, 1)
