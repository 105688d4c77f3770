"""How many statements a redemption takes, whatever there is to be known and given."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from loyalty.db.session import Session, transaction
from loyalty.rewards import expiring, resolving, service
from loyalty.rewards.domain import NewRedemption
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards import desk
from tests.rewards.desk import offer
from tests.shop import adjust, configure_units, publish_ladder
from tests.statements import statements

A_DAY = timedelta(days=1)
MOST = 6
AT_ONCE = {"mode": "immediate"}
# What a reward may ask and give.
STOCK = {"stock": 50, "low_stock": 5}
LIMITS = {"limits": {"month": 400, "ever": 400}}
TIERS = {"tiers": ["basic", "gold"], "points_by_tier": {"gold": 9}}
CONDITION = {"when": 'history.orders >= 0 && member.tier != "none"'}


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with a ladder. Its member c-42 has 5,000 points that never lapse."""
    it_is(monkeypatch, NOW)
    publish_ladder(api, {"code": "basic", "threshold": 0}, {"code": "gold", "threshold": 100})
    configure_units(api, points=(AT_ONCE, {"mode": "never"}))
    desk.enrol(api, points=5000)
    return api


# What a verb takes of a reward with a stock and no code. A code is drawn, read, or voided besides.
TAKES = {"confirm": 5, "confirm again": 3, "fulfil": 4, "cancel held": 5, "confirm other": 5, "cancel": 6}
MORE = {
    "code": {"confirm": 6, "fulfil": 5, "confirm other": 6, "cancel": 8},
    "pool": {"confirm": 6, "fulfil": 5, "confirm other": 6, "cancel": 7},
}


def sent_by(api: Api, what: Callable[[Session, Any], Any]) -> int:
    """How many statements it takes."""
    with api.app.app_context(), transaction() as session, statements() as sent:
        what(session, api.program.program_id)
    return len(sent)


def redeem(api: Api, redemption_id: str, now: datetime = NOW, *, hold: bool = False) -> int:
    wish = NewRedemption(redemption_id=redemption_id, reward=desk.FIVE_OFF, hold=hold, hold_seconds=600_000)
    return sent_by(api, lambda session, program_id: service.redeem_reward(session, program_id, "c-42", wish, now=now))


def confirm(api: Api, redemption_id: str, now: datetime = NOW) -> int:
    return sent_by(api, lambda session, program_id: resolving.confirm(session, program_id, redemption_id, now=now))


def cancel(api: Api, redemption_id: str, now: datetime = NOW) -> int:
    return sent_by(
        api, lambda session, program_id: resolving.cancel(session, program_id, redemption_id, reason=None, now=now)
    )


def fulfil(api: Api, redemption_id: str, now: datetime = NOW) -> int:
    return sent_by(
        api, lambda session, program_id: resolving.fulfil(session, program_id, redemption_id, reference=None, now=now)
    )


def the_reward(api: Api, fulfilment: str, *parts: dict[str, Any]) -> None:
    given = {name: value for part in parts for name, value in part.items()}
    if fulfilment == "pool":
        given.pop("stock", None)
    offer(api, points=10, fulfilment=fulfilment, **given)


@pytest.mark.parametrize("fulfilment", ["none", "code", "pool"])
def test_a_redemption_takes_at_most_six_in_every_combination(
    shop: Api, fulfilment: str, monkeypatch: pytest.MonkeyPatch
):
    counted: dict[tuple[Any, ...], int] = {}
    for number, (hold, stock, limits, tiers, condition, due) in enumerate(product((False, True), repeat=6)):
        now = NOW + 3 * number * A_DAY
        it_is(monkeypatch, now)
        configure_units(shop, points=(AT_ONCE, {"mode": "rolling", "days": 1}))
        adjust(shop, 1)
        parts = [(stock, STOCK), (limits, LIMITS), (tiers, TIERS), (condition, CONDITION)]
        the_reward(shop, fulfilment, *(part for wanted, part in parts if wanted))
        if fulfilment == "pool":
            desk.upload(shop, 3, prefix=f"CODE-{number}")
        # Now the reward and the ladder are remembered; and the points of yesterday are settled, or not.
        redeem(shop, f"first-{number}", now)
        then = now + 2 * A_DAY if due else now
        counted[hold, stock, limits, tiers, condition, due] = redeem(shop, f"r-{number}", then, hold=hold)

    assert {case: count for case, count in counted.items() if count > MOST} == {}
    assert max(counted.values()) == {"none": 5, "code": 6, "pool": 6}[fulfilment]


@pytest.mark.parametrize("fulfilment", ["none", "code", "pool"])
def test_what_becomes_of_it_takes(shop: Api, fulfilment: str):
    the_reward(shop, fulfilment, STOCK)
    if fulfilment == "pool":
        desk.upload(shop, 9)
    for number in range(3):
        redeem(shop, f"r-{number}", hold=True)

    found = {
        "confirm": confirm(shop, "r-0"), "confirm again": confirm(shop, "r-0"), "fulfil": fulfil(shop, "r-0"),
        "cancel held": cancel(shop, "r-1"), "confirm other": confirm(shop, "r-2"), "cancel": cancel(shop, "r-2"),
    }  # fmt: skip
    assert found == {**TAKES, **MORE.get(fulfilment, {})}


def test_a_replayed_redemption_takes_three(shop: Api):
    the_reward(shop, "code")
    redeem(shop, "r-1")

    assert redeem(shop, "r-1") == 3


def test_the_job_takes_four_however_many_are_over(shop: Api):
    the_reward(shop, "code", STOCK)
    for number in range(9):
        redeem(shop, f"r-{number}", hold=True)
    now = NOW + 8 * A_DAY

    done = sent_by(shop, lambda session, program_id: expiring.expire_program(session, program_id, now=now))

    assert done == 4
