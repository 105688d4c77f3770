"""The scores of a member: what they say, in numbers and sentences, and where they are read."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest

from bench import churn
from loyalty.db.session import transaction
from loyalty.features.decay import PACE, weight
from loyalty.features.domain import Buying, Cuts
from loyalty.features.outlook import Outlook
from loyalty.kpis.scoring import Known, scores
from tests.api import Api
from tests.builders import NOW
from tests.learning.habits import count, learnt

A_DAY = timedelta(days=1)
CUTS = Cuts(as_of=NOW, recency=(5, 20, 60, 200), visits=(0.2, 0.5, 1.0, 2.0), worth=(500, 5_000, 10_000, 20_000))
OUTLOOK = Outlook(members=4_000, odds=(0.0, 1.0), spend=(0.0, 1.0), floor=0.0)


def bought(*days_ago: float, cents: int = 10_000) -> Buying:
    placed = [NOW - days * A_DAY for days in days_ago]
    visits = sum((weight(at, PACE) for at in placed), Decimal(0))
    return Buying(
        orders=len(placed), spend=cents * len(placed), visits=visits, worth=visits * cents, first_at=min(placed),
        last_at=max(placed),
    )  # fmt: skip


def test_two_orders_sixty_days_apart():
    # They count 1 + 1/2 orders: odds of 3 to 2 for another one; and 150 euros, all of which is expected again.
    said = scores(Known(bought(60, 0), CUTS, OUTLOOK), currency="EUR", now=NOW)

    assert said["churn"] == {"probability": 0.4, "level": "medium"}
    assert said["value"] == {"expected_spend": 15_000, "currency": "EUR", "fifth": 4}
    assert [each["text"] for each in said["because"]] == [
        "The last of 2 orders was placed today.",
        "As orders weigh half as much every 60 days, they count as 1.5 of today.",
        "In the same way, what was spent counts as 15000 minor units of today.",
    ]
    assert (said["within_days"], said["learned_from"], said["reason"]) == (90, 4_000, None)


def test_a_member_who_does_not_come_back_becomes_unlikely_to():
    levels = [
        scores(Known(bought(days), CUTS, OUTLOOK), currency="EUR", now=NOW)["churn"]["level"] for days in (0, 60, 120)
    ]
    assert levels == ["medium", "medium", "high"]


def test_before_the_first_count_it_is_said_that_nothing_was_learned():
    said = scores(Known(bought(1), None, None), currency="EUR", now=NOW)

    assert (said["learned_from"], said["value"]["fifth"]) == (0, None)
    assert said["because"][0]["text"] == "The only order was placed a day ago."


def test_who_never_bought_has_no_scores():
    said = scores(Known(Buying(), CUTS, OUTLOOK), currency="EUR", now=NOW)

    assert (said["churn"], said["value"], said["because"], said["reason"]) == (None, None, [], "never_bought")


def test_scores_are_read_with_what_the_nightly_count_learned(api: Api):
    api.enrol()
    assert api.get("/v1/members/c-42/scores").json["reason"] == "never_bought"

    learnt(api, 60, 0)
    count(api, CUTS)
    with api.app.app_context(), transaction() as session:
        session.run(
            "UPDATE feature_statistics SET outlook = %s WHERE program_id = %s",
            (orjson.dumps(OUTLOOK.document()).decode(), api.program.program_id),
        )
    said = api.get("/v1/members/c-42/scores").json
    assert said["learned_from"] == 4_000
    assert 0.39 < said["churn"]["probability"] <= 1
    assert said["value"]["currency"] == api.program.currency


def test_scores_of_nobody(api: Api):
    assert api.get("/v1/members/nobody/scores").status_code == 404


@pytest.mark.skipif(not churn.is_installed(), reason="needs the package lifetimes")
def test_cdnow_is_told_as_well_as_it_can_be():
    found = churn.measure()

    assert (found.members, round(found.nothing, 3)) == (23_570, 0.701)
    assert found.auc >= churn.GOALS["auc"] > found.recency_auc
    assert found.top >= churn.GOALS["top"]
    # Christmas came, so more was bought than members of before had done: this is no promise, but about as far off.
    assert churn.calibration_error(found.tenths) < 0.07
