"""What members spend after they were given an offer, or had it held out, is counted once the time is over."""

from datetime import timedelta

import pytest

from loyalty.db.session import transaction
from loyalty.outcomes.domain import MILLION
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.outcomes.counted import assert_as_orders_say, filled, followed, outcomes, rebuilt, total
from tests.personalisation.shelf import an_offer, assignments, offers, publish
from tests.shop import a_line, buy, cancel, configure, give_back, in_days, merge

pytestmark = pytest.mark.usefixtures("ranker")

OVER = NOW + timedelta(days=28)
HALF = {"holdout_percent": "50"}
COFFEE = "offer:coffee"
# By lot, so that there are enough in each arm but once in a hundred thousand times.
MEMBERS = 20


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Members who were offered coffee, or not; afterwards it is the end of that time."""
    configure(api, auto_enrol=True)
    publish(api, an_offer(**HALF))
    for number in range(MEMBERS):
        api.enrol(f"c-{number}")
        offers(api, f"c-{number}")
    it_is(monkeypatch, OVER)
    return api


def arms(api: Api) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"treatment": [], "holdout": []}
    for row in assignments(api):
        found["holdout" if row["holdout"] else "treatment"].append(row["customer_id"])
    return found


def order(api: Api, number: int, customer_id: str, days: float, amount: int = 1_000) -> None:
    buy(api, f"o-{number}", amount=amount, customer_id=customer_id, placed_at=in_days(days))


def test_nothing_is_counted_before_the_time_is_over(shop: Api):
    assert filled(shop, now=OVER - timedelta(seconds=1)) == 0
    assert filled(shop, now=OVER) == MEMBERS
    assert filled(shop, now=OVER + timedelta(days=99)) == 0

    found = outcomes(shop)
    assert {row["arm"] for row in found.values()} == {"treatment", "holdout"}
    assert {row["share"] for row in found.values()} == {MILLION // 2}
    assert {customer for customer, row in found.items() if row["arm"] == "holdout"} == set(arms(shop)["holdout"])
    assert_as_orders_say(shop)


def test_what_is_bought_in_the_window_counts_and_what_was_bought_before(shop: Api):
    who = arms(shop)["treatment"][0]
    for number, day in enumerate((-57, -56, -1, 0, 27.9, 28)):
        order(shop, number, who, day, 10 ** (number + 1))
    filled(shop, now=OVER)

    row = outcomes(shop)[who]
    assert (row["spend"], row["orders"], row["before"]) == (110_000, 2, 1_100)
    assert_as_orders_say(shop)


def test_goods_after_all_discounts_and_without_shipping_less_what_came_back(shop: Api):
    who = arms(shop)["treatment"][0]
    lines = (a_line("1", 500, 3, discount=100), a_line("2", 333, category="tea"))
    buy(shop, "o-1", *lines, discount=150, shipping=490, customer_id=who, placed_at=in_days(1))
    buy(shop, "o-2", customer_id=who, placed_at=in_days(2))
    give_back(shop, "o-1", {"1": 1})
    cancel(shop, "o-2")
    filled(shop, now=OVER)

    row = outcomes(shop)[who]
    assert (row["orders"], row["spend"]) == (1, (1_400 - 121) * 2 // 3 + 333 - 29)
    assert_as_orders_say(shop)


def test_points_are_those_that_the_offer_gave(shop: Api):
    who = arms(shop)["treatment"][0]
    buy(shop, "o-1", a_line("1", 900, category="coffee"), customer_id=who, placed_at=in_days(3))
    filled(shop, now=OVER)

    row = outcomes(shop)[who]
    assert (row["points"], row["amount"], row["redeemed"]) == (100, 0, 1)
    assert total(shop, COFFEE, "treatment").redeemers == 1
    assert_as_orders_say(shop)


def test_orders_that_come_late_or_come_back_are_counted_again(shop: Api):
    who, other = arms(shop)["treatment"][0], arms(shop)["holdout"][0]
    order(shop, 1, who, 3)
    order(shop, 2, other, 3)
    followed(shop)
    filled(shop, now=OVER, limit=5)
    order(shop, 3, who, 4, 700)
    order(shop, 4, other, -4, 50)
    order(shop, 5, other, 28)
    give_back(shop, "o-1", {"1": 1})
    followed(shop)

    assert (outcomes(shop)[who]["spend"], outcomes(shop)[other]["before"]) == (700, 50)
    assert_as_orders_say(shop)
    cancel(shop, "o-2")
    followed(shop, limit=1)
    assert outcomes(shop)[other]["orders"] == 0
    assert_as_orders_say(shop)


def test_an_offer_that_is_taken_back_gives_nothing(shop: Api):
    who = arms(shop)["treatment"][0]
    buy(shop, "o-1", a_line("1", 900, category="coffee"), customer_id=who, placed_at=in_days(3))
    filled(shop, now=OVER)
    cancel(shop, "o-1")
    followed(shop)

    assert total(shop, COFFEE, "treatment").points == 0
    assert_as_orders_say(shop)


def test_two_who_become_one_are_counted_once(shop: Api):
    source, into = arms(shop)["treatment"][:2]
    order(shop, 1, source, 3)
    order(shop, 2, into, 4)
    filled(shop, now=OVER)
    assert merge(shop, source, into).status_code == 200
    followed(shop)

    assert source not in outcomes(shop)
    assert outcomes(shop)[into]["spend"] == 2_000
    assert_as_orders_say(shop)
    give_back(shop, "o-1", {"1": 1})
    followed(shop)
    assert outcomes(shop)[into]["spend"] == 1_000
    assert_as_orders_say(shop)


def test_a_member_enters_once_whatever_becomes_of_the_offer(shop: Api, monkeypatch: pytest.MonkeyPatch):
    """Whoever was given it before is given the next version, or not; that says nothing new."""
    publish(shop, an_offer(holdout_percent="90"))
    it_is(monkeypatch, OVER + timedelta(days=1))
    for customer_id in (*arms(shop)["treatment"], "c-new"):
        shop.enrol(customer_id)
        offers(shop, customer_id)
    filled(shop, now=OVER + timedelta(days=60))

    found = outcomes(shop)
    assert len(found) == MEMBERS + 1
    assert [customer for customer, row in found.items() if row["share"] == 900_000] == ["c-new"]


def test_whoever_could_not_have_been_in_the_other_arm_is_in_no_experiment(api: Api, monkeypatch: pytest.MonkeyPatch):
    configure(api, holdout_percent=50)
    publish(api, an_offer(), an_offer("tea", **HALF))
    for number in range(MEMBERS):
        api.enrol(f"c-{number}")
        offers(api, f"c-{number}")
    publish(api, an_offer(**HALF), an_offer("tea", **HALF))
    it_is(monkeypatch, OVER)
    filled(api, now=OVER)

    withheld = {row["customer_id"] for row in assignments(api, holdout="program")}
    assert withheld
    assert {row["experiment"] for row in outcomes(api).values()} == {"offer:tea"}
    assert set(outcomes(api)) == {f"c-{number}" for number in range(MEMBERS)} - withheld


def test_rows_that_are_wrong_are_put_right(shop: Api):
    order(shop, 1, "c-1", 3)
    filled(shop, now=OVER)
    with shop.app.app_context(), transaction() as session:
        where = (shop.program.program_id,)
        session.run("UPDATE outcomes SET spend = spend + 5, orders = 9 WHERE program_id = %s", where)
        session.run("UPDATE outcome_days SET members = members + 1 WHERE program_id = %s", where)

    # Each outcome, and the sums of two arms.
    assert rebuilt(shop, check=True) == MEMBERS + 2
    assert rebuilt(shop) == MEMBERS + 2
    assert_as_orders_say(shop)
