"""Counting anew beside the service: the same rows, in use at once, and what nobody uses is deleted."""

from datetime import date

import pytest
from psycopg.rows import tuple_row

from loyalty.cli import rollups as cli
from loyalty.db.session import reading, transaction
from loyalty.rollups import building, keeping
from loyalty.rollups.keeping import state_in_use
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rollups.counted import asking, count_page, counted, kept
from tests.shop import a_line, buy, configure

_STATES = "SELECT generation, status, time_zone FROM rollup_states WHERE program_id = %s ORDER BY generation"


@pytest.fixture
def zone() -> str:
    """By the days of which zone the program was counted."""
    return "Europe/Warsaw"


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch, zone: str) -> Api:
    """A shop in Warsaw in which two orders of one evening were counted."""
    it_is(monkeypatch, NOW)
    configure(api, auto_enrol=True, time_zone="Europe/Warsaw")
    with api.app.app_context(), transaction() as session:
        keeping.begin(session, keeping.unbegun(api.program.program_id, 1, "used", time_zone=zone))
    for number, hour in enumerate((22, 23)):
        buy(api, f"o-{number}", a_line("1", 100), placed_at=f"2026-02-20T{hour}:30:00Z")
    counted(api)
    return api


def states(api: Api) -> list[tuple[int, str, str]]:
    with api.app.app_context(), reading() as session:
        return session.rows(_STATES, (api.program.program_id,), into=tuple_row)


def the_job_is_run(api: Api) -> None:
    """Until there is nothing left to do, of this shop or another one."""
    with api.app.app_context():
        done = 1
        while done:
            with transaction() as session:
                done = building.rebuild_batch(session)


def sales(api: Api) -> dict[date, int]:
    with asking(api) as asked:
        return dict(asked.sums("sales", first=None, last=date(2100, 1, 1)))


@pytest.mark.parametrize("zone", ["UTC"])
def test_another_time_zone_has_everything_counted_anew_and_until_then_the_old_days_are_told(shop: Api):
    buy(shop, "o-3", a_line("1", 1_000), placed_at="2026-02-20T23:30:00Z")
    assert states(shop) == [(1, "used", "UTC")]
    assert sales(shop) == {date(2026, 2, 20): 1_200}

    counted(shop)
    the_job_is_run(shop)

    assert states(shop) == [(2, "used", "Europe/Warsaw")]
    assert sales(shop) == {date(2026, 2, 20): 100, date(2026, 2, 21): 1_100}
    assert not any(kept(shop, 1).values())
    assert count_page(shop) == 0
    the_job_is_run(shop)
    assert states(shop) == [(2, "used", "Europe/Warsaw")]


def test_what_an_older_version_counted_in_another_way_is_counted_anew(shop: Api, monkeypatch: pytest.MonkeyPatch):
    before = kept(shop)
    monkeypatch.setattr(building, "LAYOUT", 2)
    monkeypatch.setattr(keeping, "LAYOUT", 2)
    the_job_is_run(shop)

    assert [status for _, status, _ in states(shop)] == ["used"]
    assert kept(shop, 2) == before


def test_while_it_is_counted_anew_what_happens_is_counted_and_the_new_one_catches_up(shop: Api):
    program_id = shop.program.program_id
    with shop.app.app_context():
        with transaction() as session:
            state = building.begin(session, program_id)
        assert state is not None
        with transaction() as session:
            assert not building.build(session, state, limit=1).done
        buy(shop, "o-4", a_line("1", 7), customer_id="c-new")
        counted(shop)
        before = kept(shop)
        with transaction() as session:
            assert building.begin(session, program_id) is not None
            building.change_over(session, state)
        with reading() as session:
            used = state_in_use(session, program_id)
    assert used is not None
    assert used.generation == 2
    assert kept(shop, 2) == before
    assert sales(shop)[date(2026, 3, 1)] == 7


def test_a_check_finds_what_is_wrong_and_leaves_nothing(shop: Api, capsys: pytest.CaptureFixture[str]):
    check = cli._compare
    for amount, wrong in ((0, 0), (1, 1)):
        with shop.app.app_context():
            with transaction() as session:
                session.run(
                    "UPDATE rollup_sums SET amount = amount + %s WHERE program_id = %s AND measure = 'enrolled'",
                    (amount, shop.program.program_id),
                )
                state = building.begin(session, shop.program.program_id, check=True)
            assert state is not None
            cli._build("shop", state)
            assert check(shop.program.program_id, state) == wrong
    assert [status for _, status, _ in states(shop)] == ["used"]
    capsys.readouterr()
