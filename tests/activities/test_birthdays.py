"""Birthdays: recorded as the day begins in the program's zone, once a year, also when no worker ran for days."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.activities import birthdays
from loyalty.activities.domain import days_to_keep
from loyalty.db.session import Session, transaction
from loyalty.orders.service import record_order
from tests import shop
from tests.activities.test_service import publish
from tests.api import Api
from tests.builders import NOW, a_member, a_program, an_order
from tests.clocks import it_is
from tests.rights import as_owner
from tests.shop import A_DAY, a_bonus, at, buckets, publish_rules

# NOW is noon of 1 March 2026, which is no leap year.
FIRST_OF_MARCH = "1990-03-01"


@pytest.fixture(autouse=True)
def begun(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program began a month ago; afterwards it takes part in no run of another test."""
    it_is(monkeypatch, NOW - 30 * A_DAY)
    yield
    it_is(monkeypatch, NOW)
    publish_rules(api, {"points": "1"})


@pytest.fixture
def run(api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """What the worker does every hour, at an instant."""

    def at_instant(now: datetime = NOW, limit: int = 500) -> int:
        it_is(monkeypatch, now)
        done = 0
        while True:
            with api.app.app_context(), transaction() as session:
                found = birthdays.keep_batch(session, now=now, limit=limit)
            done += found
            if not found:
                return done

    return at_instant


def born(api: Api, customer_id: str, birth_date: str | None = FIRST_OF_MARCH, **profile: Any) -> None:
    api.enrol(customer_id, birth_date=birth_date, **profile)


def had(api: Api, customer_id: str, year: int = 2026) -> dict[str, Any] | None:
    answer = api.get(f"/v1/activities/birthday-{customer_id}-{year}")
    return answer.json if answer.status_code == 200 else None


def test_a_member_gets_the_bonus_on_the_birthday(api: Api, run: Callable[..., int]):
    publish_rules(api, a_bonus("birthday", 100))
    born(api, "ada")
    born(api, "bob", "1990-03-02")
    born(api, "eve", None)

    assert run() == 1

    found = had(api, "ada")
    assert found is not None
    assert (found["type"], found["occurred_at"], found["points"]["awarded"]) == (
        "birthday",
        "2026-03-01T00:00:00Z",
        100,
    )
    assert [buckets(api, customer_id) for customer_id in ("ada", "bob", "eve")] == [{"available": 100}, {}, {}]


def test_running_twice_does_nothing_more(api: Api, run: Callable[..., int]):
    publish_rules(api, a_bonus("birthday", 100))
    born(api, "ada")
    run()

    assert run() == 0
    assert buckets(api, "ada") == {"available": 100}


def test_many_birthdays_come_in_batches(api: Api, run: Callable[..., int]):
    publish_rules(api, a_bonus("birthday", 100))
    for number in range(5):
        born(api, f"c-{number}")

    assert run(limit=2) == 5


def test_where_no_rule_is_for_birthdays_none_are_recorded(api: Api, run: Callable[..., int]):
    publish_rules(api, {"points": "1"}, a_bonus("review"))
    born(api, "ada")

    assert run() == 0
    assert had(api, "ada") is None


def test_only_active_members_are_congratulated_and_who_comes_back_the_same_day_is_too(
    api: Api, run: Callable[..., int]
):
    publish_rules(api, a_bonus("birthday", 100))
    born(api, "ada")
    born(api, "bob")
    api.post("/v1/members/ada/suspend")
    api.post("/v1/members/bob/close")
    assert run() == 0

    api.post("/v1/members/ada/resume")

    assert run() == 1
    assert had(api, "ada") is not None


def test_the_day_is_that_of_the_programs_zone(api: Api, run: Callable[..., int]):
    shop.configure(api, time_zone="Pacific/Auckland")  # 13 hours ahead in March
    publish_rules(api, a_bonus("birthday", 100))
    born(api, "ada", "1990-03-02")

    assert run(datetime(2026, 3, 1, 10, 59, tzinfo=UTC)) == 0
    assert run(datetime(2026, 3, 1, 11, 0, 1, tzinfo=UTC)) == 1
    assert had(api, "ada")["occurred_at"] == "2026-03-01T11:00:00Z"


def test_days_on_which_no_worker_ran_are_caught_up_with_as_if_it_had_run_then(api: Api, run: Callable[..., int]):
    publish_rules(api, a_bonus("birthday", 100))
    for day in range(1, 6):
        born(api, f"day-{day}", f"1990-03-0{day}")
    run(NOW)

    assert run(NOW + 4 * A_DAY) == 4

    dates = [had(api, f"day-{day}")["occurred_at"] for day in range(1, 6)]
    assert dates == [f"2026-03-0{day}T00:00:00Z" for day in range(1, 6)]
    assert run(NOW + 4 * A_DAY) == 0


def test_who_was_not_a_member_on_a_missed_day_is_not_congratulated_for_it(
    api: Api, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
):
    publish_rules(api, a_bonus("birthday", 100))
    run(NOW)
    it_is(monkeypatch, NOW + 3 * A_DAY)
    born(api, "late", "1990-03-03")
    born(api, "today", "1990-03-04")

    assert run(NOW + 3 * A_DAY) == 1
    assert had(api, "today")["occurred_at"] == at(NOW + 3 * A_DAY)


def test_a_new_program_begins_with_today(api: Api, run: Callable[..., int]):
    publish_rules(api, a_bonus("birthday", 100))
    born(api, "ada", "1990-02-28")

    assert run() == 0


@pytest.mark.parametrize(
    ("today", "day"),
    [(datetime(2026, 2, 28, 12, tzinfo=UTC), "28"), (datetime(2028, 2, 29, 12, tzinfo=UTC), "29")],
)
def test_who_was_born_on_29_february_has_it_on_the_28th_where_there_is_none(
    api: Api, run: Callable[..., int], today: datetime, day: str
):
    publish_rules(api, a_bonus("birthday", 100))
    born(api, "leap", "1992-02-29")
    run(today - A_DAY)
    assert had(api, "leap", today.year) is None

    run(today)
    run(today + A_DAY)

    assert had(api, "leap", today.year)["occurred_at"] == f"{today.year}-02-{day}T00:00:00Z"
    assert buckets(api, "leap") == {"available": 100}


def test_whoever_changes_the_date_of_birth_has_one_birthday_a_year(api: Api, run: Callable[..., int]):
    publish_rules(api, a_bonus("birthday", 100))
    born(api, "ada")
    run(NOW)
    born(api, "ada", "1990-03-02")

    assert run(NOW + A_DAY) == 0
    assert run(NOW.replace(year=2027) + A_DAY) == 1


def test_conditions_of_the_rule_apply_as_to_any_other(api: Api, run: Callable[..., int]):
    publish_rules(api, a_bonus("birthday", 100, when="history.orders > 0"))
    born(api, "ada")
    born(api, "bob")
    shop.buy(api, "A-1", customer_id="bob", placed_at=at(NOW - 31 * A_DAY))

    run()

    assert (had(api, "ada")["points"]["awarded"], had(api, "bob")["points"]["awarded"]) == (0, 100)


def test_books_that_contradict_themselves_hold_up_nobody(session: Session):
    begun = NOW - 30 * A_DAY
    terms = {"activation": {"mode": "immediate"}, "expiry": {"mode": "rolling", "days": 1}}
    program = a_program(session, settings={"units": {"points": terms}})
    broken, *sound = [a_member(session, program, f"c-{n}", birth_date=date(1990, 3, 1)).member_id for n in range(4)]
    base = {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": "1"}}
    birthday = {"code": "birthday", "kind": "bonus", "priority": 2, "activity": "birthday", "points": 9}
    publish(session, program, base, birthday)
    record_order(session, program.program_id, an_order(customer_id="c-0", placed_at=begun), now=begun)
    session.run("UPDATE accounts SET available = 0 WHERE member_id = %s", (broken,))

    assert birthdays.keep_batch(session, now=NOW) == 3
    assert birthdays.keep_batch(session, now=NOW) == 0

    found = session.rows("SELECT member_id FROM activities WHERE type = 'birthday'", into=scalar_row)
    assert set(sound) <= set(found)
    assert broken not in found
    session.run("UPDATE accounts SET available = 100 WHERE member_id = %s", (broken,))


MANY = """
WITH made AS (
    INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, birth_date, attributes, consents,
                         referral_code, version, updated_at)
    SELECT gen_random_uuid(), %(program_id)s, 'n-' || n, 'active', %(now)s, date '1950-01-01' + n, '{}', '{}', 'X', 1,
           %(now)s FROM generate_series(1, 20000) n RETURNING *)
INSERT INTO natural_keys (program_id, kind, key, member_id)
SELECT program_id, 'activity', 'review-' || customer_id, member_id FROM made
"""


def test_the_members_of_a_day_are_found_by_an_index(session: Session):
    as_owner(session)
    where = {"program_id": a_program(session).program_id, "days": "{301}", "year": "-2026", "now": NOW, "end": NOW}
    session.run(MANY, where)
    session.run("ANALYZE members, natural_keys")

    plan = "\n".join(session.rows(f"EXPLAIN {birthdays._BORN}", {**where, "limit": 500}, into=scalar_row))

    assert "ix_members_program_id_birthday" in plan
    assert "Seq Scan" not in plan
    keys = plan[plan.index("pk_natural_keys") :]
    assert "m.customer_id" in keys, "each key is looked up, rather than all of them compared"


def test_a_run_goes_back_a_month_at_most():
    today = date(2026, 3, 1)

    assert days_to_keep(None, today) == [today]
    assert days_to_keep(date(2026, 2, 28), today) == [today]
    assert days_to_keep(date(2026, 2, 26), today) == [date(2026, 2, 27), date(2026, 2, 28), today]
    assert days_to_keep(date(2024, 1, 1), today)[0] == date(2026, 1, 29)
    # The clocks of two workers, or of a program whose zone was changed.
    assert days_to_keep(date(2026, 3, 2), today) == []
