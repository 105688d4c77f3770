"""What offers do by themselves: they end, and some are brought about."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.activities import referrals
from loyalty.db.session import transaction
from loyalty.personalisation import expiring, triggering, winning_back
from tests.api import Api
from tests.builders import NOW
from tests.events.following import all_are_visible
from tests.personalisation.shelf import (
    FIVE_OFF,
    Ranker,
    an_offer,
    assignments,
    codes,
    offers,
    one,
    publish,
    spent,
    step,
    told,
)
from tests.shop import a_bonus, buy, configure, publish_rules

pytestmark = pytest.mark.usefixtures("ranker")

OVER = NOW + timedelta(days=28)
BACK = {"trigger": "win_back"}
FRIEND = {"trigger": "referral"}


@pytest.fixture
def shop(api: Api) -> Api:
    api.enrol()
    return api


def run(api: Api, job: Any, **given: Any) -> int:
    """One batch for the program."""
    with api.app.app_context(), transaction() as session:
        return int(job(session, api.program.program_id, **given))


def bought(api: Api, customer_id: str, *, orders: int, first: datetime, last: datetime) -> None:
    """What features know of a member."""
    with api.app.app_context(), transaction() as session:
        session.run(
            """INSERT INTO member_features SELECT member_id, program_id, %s, 0, 0, 0, 0, 0, %s, %s, 0, 0 FROM members
               WHERE program_id = %s AND customer_id = %s""",
            (orders, first, last, api.program.program_id, customer_id),
        )


def test_what_is_over_is_recorded_once_and_budgets_get_back_what_was_not_used(shop: Api):
    publish(
        shop, an_offer(promise=FIVE_OFF, budget_amount=500), an_offer("tea", holdout_percent="100"), an_offer("milk")
    )
    offers(shop)
    step(shop, one(shop, "milk"), "dismiss")

    assert run(shop, expiring.expire_program, now=OVER - timedelta(microseconds=1)) == 0
    assert run(shop, expiring.expire_program, now=OVER) == 2
    assert run(shop, expiring.expire_program, now=OVER) == 0

    found = {row["offer_code"]: (row["status"], row["closed_at"]) for row in assignments(shop)}
    assert found == {"coffee": ("expired", OVER), "tea": ("held_out", OVER), "milk": ("dismissed", NOW)}
    assert spent(shop, "coffee") == 0
    assert told(shop).count("offer.expired") == 1


def test_a_used_voucher_keeps_its_budget(shop: Api):
    publish(shop, an_offer(promise=FIVE_OFF, budget_amount=500))
    wish = {"order_id": "A-1", "customer_id": "c-42"}
    assert shop.post(f"/v1/vouchers/{one(shop)['voucher']}/redeem", wish).status_code == 201

    assert run(shop, expiring.expire_program, now=OVER) == 0
    assert spent(shop, "coffee") == 500


def test_the_jobs_of_all_programs_leave_moved_clocks_to_their_own(shop: Api):
    publish(shop, an_offer(days=1))
    offers(shop)
    with shop.app.app_context(), transaction() as session:
        session.run(
            "UPDATE programs SET sandbox = true, clock_ahead = '40 days' WHERE program_id = %s",
            (shop.program.program_id,),
        )
        expiring.expire_batch(session, now=OVER)
        assert assignments_open(session, shop) == 1
        assert expiring.expire_sandboxes(session, now=NOW) == 1
        assert assignments_open(session, shop) == 0


def assignments_open(session: Any, api: Api) -> Any:
    where = (api.program.program_id,)
    return session.row(
        "SELECT count(*) FROM assignments WHERE program_id = %s AND closed_at IS NULL", where, into=scalar_row
    )


def test_whoever_stays_away_for_twice_as_long_as_usual_is_won_back(shop: Api, ranker: Ranker):
    ranker.scores |= {"cake": 0.9}
    publish(shop, an_offer(**BACK, valid_to=None), an_offer("cake", **BACK), an_offer("milk"))
    for name, days in {"c-1": 21, "c-2": 20, "c-3": 400}.items():
        shop.enrol(name)
        bought(shop, name, orders=3, first=NOW - timedelta(days=days + 20), last=NOW - timedelta(days=days))
    shop.enrol("c-4")
    bought(shop, "c-4", orders=1, first=NOW - timedelta(days=400), last=NOW - timedelta(days=400))

    assert run(shop, winning_back.sweep_program, now=NOW, limit=2) == 3
    assert run(shop, winning_back.sweep_program, now=NOW, limit=2) == 3
    assert run(shop, winning_back.sweep_program, now=NOW, limit=2) == 1
    assert run(shop, winning_back.sweep_program, now=NOW, limit=2) == 0

    rows = assignments(shop)
    assert [(row["customer_id"], row["offer_code"], row["trigger"]) for row in rows] == [
        ("c-1", "cake", "win_back"), ("c-3", "cake", "win_back"),
    ]  # fmt: skip
    assert codes(shop, "c-1") == ["cake", "milk"], "it is among the others"
    assert codes(shop, "c-2") == ["milk"], "and nobody is given it by rank"


def test_the_search_begins_anew_each_day_and_gives_nothing_twice(shop: Api):
    publish(shop, an_offer(**BACK, days=2, cooldown_days=3))
    bought(shop, "c-42", orders=2, first=NOW - timedelta(days=200), last=NOW - timedelta(days=190))

    given = []
    for day in range(7):
        while run(shop, winning_back.sweep_program, now=NOW + timedelta(days=day)):
            pass
        given.append(len(assignments(shop)))

    assert given == [1, 1, 1, 1, 1, 2, 2]


def test_members_of_the_holdout_are_won_back_on_paper_only(shop: Api):
    configure(shop, holdout_percent=100)
    publish(shop, an_offer(**BACK))
    bought(shop, "c-42", orders=2, first=NOW - timedelta(days=200), last=NOW - timedelta(days=190))

    run(shop, winning_back.sweep_program, now=NOW)

    (row,) = assignments(shop)
    assert (row["status"], row["holdout"], row["trigger"]) == ("held_out", "program", "win_back")
    assert told(shop) == []


def followed(shop: Api, *, now: datetime) -> int:
    with shop.app.app_context():
        all_are_visible(shop.program.program_id)
    return run(shop, triggering.follow_program, now=now)


def test_whoever_has_brought_a_friend_is_given_an_offer(shop: Api):
    publish(shop, an_offer(**FRIEND), an_offer("milk"))
    publish_rules(shop, {"points": "1"}, a_bonus("referral"), a_bonus("referred"))
    shop.enrol("friend", referred_by="c-42")
    buy(shop, "A-1", customer_id="friend")
    with shop.app.app_context(), transaction() as session:
        while referrals.thank_batch(session, now=NOW):
            pass

    while followed(shop, now=NOW):
        pass

    assert [(row["customer_id"], row["trigger"]) for row in assignments(shop)] == [("c-42", "referral")]
    assert codes(shop) == ["coffee", "milk"]
    assert codes(shop, "friend") == ["milk"]


def test_old_friends_bring_nothing_out_of_nowhere(shop: Api):
    publish_rules(shop, {"points": "1"}, a_bonus("referral"))
    shop.enrol("friend", referred_by="c-42")
    buy(shop, "A-1", customer_id="friend")
    with shop.app.app_context(), transaction() as session:
        while referrals.thank_batch(session, now=NOW):
            pass
    publish(shop, an_offer(**FRIEND))

    while followed(shop, now=NOW + timedelta(days=8)):
        pass

    assert assignments(shop) == []
