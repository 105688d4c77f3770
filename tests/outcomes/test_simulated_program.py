"""A whole program, of which it is known what its offer does: members, offers and orders by the service, and the report.

Members go on as they did: each has a sum of their own that they spend, before and after, and chance adds to it.
"""

from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from loyalty.db.session import reading, transaction
from loyalty.db.writer import write
from loyalty.kpis.domain import Answer
from loyalty.kpis.reports.increment import REPORT
from loyalty.members import service as members
from loyalty.members.domain import NewMember
from loyalty.orders.service import record_orders
from loyalty.outcomes import queries, verdicts
from loyalty.personalisation.service import member_offers
from tests.api import Api
from tests.builders import NOW, a_line, an_order
from tests.clocks import it_is
from tests.kpis.life import Life, ask
from tests.outcomes.counted import assert_as_orders_say, filled
from tests.personalisation.shelf import an_offer, assignments, publish

pytestmark = pytest.mark.usefixtures("ranker")

MEMBERS = 120
# As if so few were enough: the arms are by lot, and have as many but once in a hundred thousand times.
ENOUGH = 35
WHO = [f"c-{number}" for number in range(MEMBERS)]
LATER = NOW + timedelta(days=30)


def bought(api: Api, days: float, amounts: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """One order of each member."""
    at = NOW + timedelta(days=days)
    it_is(monkeypatch, at)
    orders = [
        an_order(a_line(amount), order_id=f"{who}-{days}", customer_id=who, placed_at=at)
        for who, amount in amounts.items()
    ]
    with api.app.app_context(), transaction() as session:
        answers = record_orders(session, api.program.program_id, orders, now=at)
    assert not any(isinstance(answer, Exception) for answer in answers.values())


def run(api: Api, effect: float, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """A month of the program: an offer to half of its members, who spend `effect` times more for it."""
    monkeypatch.setattr(verdicts, "MEMBERS_MIN", ENOUGH)
    program_id: UUID = api.program.program_id
    chance = Random(42)
    # Not lopsided: with so few members it would be by lot whether there is enough data.
    own = {who: 2_000 + chance.uniform(0, 6_000) for who in WHO}
    publish(api, an_offer(holdout_percent="50"))
    enrolled = [NewMember(customer_id=who, enrolled_at=NOW - timedelta(days=90), given=frozenset()) for who in WHO]
    with api.app.app_context(), transaction() as session:
        write(session, members.enrol(session, program_id, enrolled, now=NOW).changes)
    bought(api, -20, {who: round(own[who] * chance.uniform(0.8, 1.2)) for who in WHO}, monkeypatch)
    it_is(monkeypatch, NOW)
    with api.app.app_context():
        for who in WHO:
            with transaction() as session:
                member_offers(session, program_id, who, limit=5, now=NOW)
    given = {row["customer_id"] for row in assignments(api) if row["holdout"] is None}
    assert ENOUGH <= len(given) <= MEMBERS - ENOUGH
    more = {who: 1 + effect * (who in given) for who in WHO}
    bought(api, 9, {who: round(own[who] * chance.uniform(0.8, 1.2) * more[who]) for who in WHO}, monkeypatch)
    filled(api, now=LATER)
    with api.app.app_context(), reading() as session:
        found = queries.of_offers(
            session, program_id, first=NOW.date() - timedelta(days=9), last=LATER.date(), offer="coffee"
        )
    return ask(REPORT, Life(), more={"outcomes": found}, first="2026-02-01", last="2026-04-01", offer="coffee")


def test_an_offer_that_works_is_told_with_what_it_is_worth(api: Api, monkeypatch: pytest.MonkeyPatch):
    found = run(api, 0.3, monkeypatch).totals

    # What a member spends is 5,000 on average, so the offer is worth 1,500 of it.
    assert found["verdict"] == "more"
    width = found["adjusted_high"] - found["adjusted_low"]
    assert abs(found["adjusted_difference"] - 1_500) < 1.2 * width
    assert width < 0.6 * (found["high"] - found["low"])
    assert found["variance_reduction"] > 0.6
    assert found["lift"] == pytest.approx(0.3, abs=0.2)
    assert found["incremental_revenue"] == round(found["adjusted_difference"] * found["treatment_members"])
    assert_as_orders_say(api)


def test_an_offer_that_does_nothing_is_told_to_do_nothing(api: Api, monkeypatch: pytest.MonkeyPatch):
    found = run(api, 0.0, monkeypatch).totals

    assert found["adjusted_p"] > 0.0001, "five of a hundred would be below 0.05"
    assert abs(found["lift"]) < 0.2
    assert found["arms_p"] > 0.0001
