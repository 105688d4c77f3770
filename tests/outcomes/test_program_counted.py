"""The program's offers all together: whoever is a member is in one arm, each month anew."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loyalty.offers.domain import held_out
from loyalty.outcomes.domain import MILLION
from tests.api import Api
from tests.clocks import it_is
from tests.outcomes.counted import assert_as_orders_say, days, filled, followed, outcomes
from tests.personalisation.shelf import an_offer, publish
from tests.shop import buy, configure, merge

pytestmark = pytest.mark.usefixtures("ranker")

MEMBERS = 20
APRIL, MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (4, 5, 6, 7))


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Half of the members are held out since the middle of March."""
    it_is(monkeypatch, datetime(2026, 3, 14, tzinfo=UTC))
    configure(api, auto_enrol=True, holdout_percent=50)
    publish(api, an_offer())
    for number in range(MEMBERS):
        api.enrol(f"c-{number}")
    it_is(monkeypatch, JULY)
    return api


def order(api: Api, number: int, customer_id: str, placed_at: str, amount: int = 1_000) -> None:
    buy(api, f"o-{number}", amount=amount, customer_id=customer_id, placed_at=placed_at)


def test_each_whole_month_is_counted_when_it_is_over(shop: Api):
    assert filled(shop, now=datetime(2026, 4, 30, 23, 59, tzinfo=UTC)) == 0
    filled(shop, now=MAY, limit=7)
    assert {each.day for each in days(shop).days} == {APRIL.date()}
    filled(shop, now=JULY)

    assert {each.day.month for each in days(shop).days} == {4, 5, 6}
    assert sum(each.totals.members for each in days(shop).days) == 3 * MEMBERS
    assert_as_orders_say(shop)


def test_the_arm_is_by_the_lot_that_withholds_offers(shop: Api):
    filled(shop, now=MAY)

    scope = str(shop.program.program_id)
    for row in outcomes(shop).values():
        assert (row["arm"] == "holdout") == held_out(row["member_id"], Decimal(50), scope)
        assert row["share"] == MILLION // 2


def test_a_month_counts_what_is_bought_in_it_and_before_the_holdout_began(shop: Api):
    dates = ("2026-01-16", "2026-01-18", "2026-03-13", "2026-03-20", "2026-04-01", "2026-04-30", "2026-05-01")
    for number, day in enumerate(dates):
        order(shop, number, "c-1", f"{day}T00:00:00Z", 10**number)
    filled(shop, now=MAY)

    row = outcomes(shop)["c-1"]
    assert (row["before"], row["spend"], row["orders"]) == (110, 110_000, 2)
    assert_as_orders_say(shop)
    order(shop, 99, "c-1", "2026-02-05T00:00:00Z", 7)
    followed(shop)
    assert outcomes(shop)["c-1"]["before"] == 117
    assert_as_orders_say(shop)


def test_whose_arm_changed_within_a_month_is_left_out_of_it(shop: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, datetime(2026, 5, 10, tzinfo=UTC))
    configure(shop, holdout_percent=75)
    filled(shop, now=JUNE)

    assert len(outcomes(shop, day=APRIL.date())) == MEMBERS
    may = outcomes(shop, day=MAY.date())
    scope = str(shop.program.program_id)
    everybody = {row["member_id"] for row in outcomes(shop, day=APRIL.date()).values()}
    moved = {who for who in everybody if held_out(who, Decimal(75), scope) and not held_out(who, Decimal(50), scope)}
    assert {row["member_id"] for row in may.values()} == everybody - moved
    assert {row["share"] for row in may.values()} == {MILLION * 50 // 75}
    assert_as_orders_say(shop)


def test_months_in_which_nobody_was_held_out_all_the_time_are_passed_over(shop: Api, monkeypatch: pytest.MonkeyPatch):
    for day, percent in (("2026-04-20", 0), ("2026-05-20", 50)):
        it_is(monkeypatch, datetime.fromisoformat(f"{day}T00:00:00+00:00"))
        configure(shop, holdout_percent=percent)
    filled(shop, now=JULY)

    assert {row["day"] for row in outcomes(shop).values()} == {JUNE.date()}


def test_members_of_the_first_instant_of_the_month_and_later_merged_ones(shop: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, datetime(2026, 4, 2, tzinfo=UTC))
    shop.enrol("c-late")
    order(shop, 1, "c-1", "2026-04-01T10:00:00Z")
    filled(shop, now=MAY)
    assert "c-late" not in outcomes(shop)

    it_is(monkeypatch, JULY)
    assert merge(shop, "c-1", "c-2").status_code == 200
    followed(shop)
    filled(shop, now=JUNE)
    assert "c-1" not in outcomes(shop)
    assert outcomes(shop, day=APRIL.date())["c-2"]["spend"] == 1_000
    assert set(outcomes(shop, day=MAY.date())) == {"c-late", *(f"c-{n}" for n in range(MEMBERS) if n != 1)}
    assert_as_orders_say(shop)


def test_a_program_without_offers_or_without_a_holdout_is_no_experiment(api: Api):
    publish(api, an_offer())
    api.enrol()

    assert filled(api, now=JULY) == 0
