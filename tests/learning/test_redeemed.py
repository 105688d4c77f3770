"""What members use of what they are offered: rewards and offers, as long as nothing was taken back."""

from datetime import timedelta

import pytest

from loyalty.core.ids import new_id
from loyalty.db.session import transaction
from loyalty.features.decay import HABIT, as_of
from loyalty.features.domain import NO_FEATURES, Buying
from loyalty.learning import following
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.events.following import a_fact, somebody
from tests.learning.learned import assert_as_rebuilt, features, learned, member_of, rows
from tests.rewards import desk
from tests.rewards.desk import cancel, confirm, hold, redeem
from tests.shop import buy, merge

_GIVEN = """
INSERT INTO assignments (member_id, assignment_id, program_id, offer_code, offer_version, status, promise, earns,
                         assigned_at, valid_to, closed_at)
VALUES (%s, %s, %s, 'tea', 1, %s, '{}', true, %s, %s, %s)
"""


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    it_is(monkeypatch, NOW)
    desk.enrol(api, points=500)
    desk.offer(api)
    return api


def used(shop: Api, customer_id: str = "c-42") -> tuple[int, float]:
    buying = features(shop, customer_id).buying
    return buying.redeemed, round(as_of(buying.redeemed_weight, NOW + HABIT, HABIT), 3)


def test_rewards_that_were_confirmed_count_and_count_less_with_time(shop: Api):
    redeem(shop, "r-1")
    hold(shop, "r-2")
    learned(shop)
    assert used(shop) == (1, 0.5)

    confirm(shop, "r-2")
    learned(shop)
    assert used(shop) == (2, 1.0)
    assert features(shop).buying.orders == 0
    assert_as_rebuilt(shop)


def test_what_was_cancelled_was_not_used(shop: Api):
    redeem(shop, "r-1")
    redeem(shop, "r-2")
    learned(shop)
    cancel(shop, "r-1")
    learned(shop)
    assert used(shop) == (1, 0.5)

    cancel(shop, "r-2")
    learned(shop)
    assert features(shop) == NO_FEATURES
    assert rows(shop)["member_features"] == []


def test_what_was_used_goes_to_who_stays(shop: Api):
    desk.enrol(shop, "c-1")
    redeem(shop, "r-1", "c-1")
    redeem(shop, "r-2")
    buy(shop, "o-1")
    learned(shop)
    assert merge(shop, "c-1", "c-42").status_code == 200
    learned(shop)

    assert used(shop) == (2, 1.0)
    assert features(shop, "c-1").buying == Buying()
    assert_as_rebuilt(shop)


def test_offers_count_until_they_are_given_back(shop: Api):
    with shop.app.app_context(), transaction() as session:
        program_id, member_id = shop.program.program_id, member_of(session, shop, "c-42")
        for status in ("redeemed", "expired", "dismissed"):
            until = NOW + timedelta(days=7)
            session.run(_GIVEN, (member_id, new_id(), program_id, status, NOW, until, NOW + timedelta(hours=1)))
        member = somebody()
        fact = a_fact(member=member, type="offer.redeemed")
        following.act(session, program_id, [_as_logged(fact, member_id)])
    assert used(shop)[0] == 1

    with shop.app.app_context(), transaction() as session:
        session.run("UPDATE assignments SET status = 'activated', closed_at = NULL WHERE status = 'redeemed'")
        following.act(session, program_id, [_as_logged(a_fact(member=member, type="offer.reinstated"), member_id)])
    assert features(shop) == NO_FEATURES


def _as_logged(fact, member_id):
    return following.LoggedFact(
        owner_id=member_id, event_id=new_id(), type=fact.type, version=1, customer_id="c-42", occurred_at=NOW,
        recorded_at=NOW, data={}, xid=1, seq=1,
    )  # fmt: skip
