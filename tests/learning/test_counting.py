"""The nightly count: who is due, how far it is, and that nobody ever sees half of it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from flask import Flask
from psycopg.rows import tuple_row

from loyalty.core.ids import new_id
from loyalty.db.session import reading, transaction
from loyalty.features import counted
from loyalty.features.domain import Features
from loyalty.features.statistics import NO_STATISTICS, document_of
from loyalty.learning import counting, members
from loyalty.programs.domain import Program
from tests.builders import a_program
from tests.personalisation.tastes import NOW, a_town, features_of, order, statistics_of

TOWN = a_town()


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(counted, "FRESH_SECONDS", 0.0)


@pytest.fixture
def program(committed_db: Flask) -> Program:
    """A program of its own, in Vilnius, and nobody in it."""
    with transaction() as session:
        made = a_program(session, time_zone="Europe/Vilnius")
    return made


def settle_in(program: Program, town: list[Features]) -> list[UUID]:
    """Write features of members as following orders would."""
    ids = [new_id() for _ in town]
    with transaction() as session:
        for member_id, each in zip(ids, town, strict=True):
            b = each.buying
            session.run(
                "INSERT INTO member_features VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0)",
                (member_id, program.program_id, b.orders, b.spend, b.gross, b.weight, b.visits, b.worth, b.first_at,
                 b.last_at),
            )  # fmt: skip
            for level, goods in (("category", each.categories), ("sku", each.skus)):
                for code, g in goods.items():
                    session.run(
                        "INSERT INTO goods_features VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                        (member_id, level, code, g.orders, g.quantity, g.spend, g.weight, g.first_at, g.last_at,
                         list(g.recent)),
                    )  # fmt: skip
    return ids


def known(program: Program) -> Any:
    with reading() as session:
        return counted.statistics(session, program.program_id)


def versions(program: Program) -> list[tuple[int, bool]]:
    with reading() as session:
        return session.rows(
            "SELECT version, finished_at IS NOT NULL FROM feature_statistics WHERE program_id = %s ORDER BY version",
            (program.program_id,), into=tuple_row,
        )  # fmt: skip


def test_what_is_read_from_the_tables_is_what_members_bought(program: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(members, "PAGE", 7)
    settle_in(program, TOWN)
    assert counting.count(program.program_id, now=NOW) == 1

    found, expected = known(program), statistics_of(TOWN)
    assert found.categories.codes == expected.categories.codes
    for name in ("rate", "reach", "usual", "adoption", "log_count"):
        assert getattr(found.categories, name) == pytest.approx(getattr(expected.categories, name)), name
    assert found.weights == pytest.approx(expected.weights, rel=1e-3, abs=1e-6)
    assert found.cuts.worth == pytest.approx(expected.cuts.worth, rel=1e-5)
    assert (found.members, found.pace) == (expected.members, pytest.approx(expected.pace))


def test_articles_that_offers_name_are_counted_with_what_they_lie_in(program: Program):
    town = [features_of([order(9, "tea > green", skus=("T-1", "X-9")), order(2, "tea > green", skus=("T-1",))])]
    [member_id] = settle_in(program, town)
    with transaction() as session:
        offer = {"code": "o", "title": "O", "skus": ["T-1", "T-2"], "promise": {"kind": "bonus_points", "value": 5}}
        session.run(
            "INSERT INTO offer_sets (program_id, version, offers, published_at, published_by)"
            " VALUES (%s, 1, %s, %s, 'x')",
            (program.program_id, orjson.dumps([offer]).decode(), NOW),
        )
        session.run(
            "INSERT INTO orders (member_id, order_id, program_id, status, currency, placed_at, recorded_at, total,"
            " shipping, discount, points_paid, lines, metadata, receipt) VALUES (%s, 'o-1', %s, 'recorded', 'EUR', %s,"
            " %s, 0, 0, 0, 0, '[{\"line_id\": \"1\", \"sku\": \"T-1\", \"category\": \"tea > green\", \"quantity\": 1,"
            " \"unit_price\": 0, \"discount\": 0}]', '{}', '{}')",
            (member_id, program.program_id, NOW, NOW),
        )  # fmt: skip
    counting.count(program.program_id, now=NOW)

    found = known(program)
    assert found.skus.codes == ("T-1", "T-2")
    assert found.skus.rate.tolist() == pytest.approx([1, 0])
    assert found.sku_categories == {"T-1": "tea > green"}


def test_until_a_count_is_finished_the_one_before_it_is_used(program: Program):
    settle_in(program, TOWN)
    assert known(program) is NO_STATISTICS
    counting.count(program.program_id, now=NOW)
    seen: list[tuple[str, int, int, int]] = []

    def told(stage: str, done: int, total: int) -> bool:
        seen.append((stage, done, total, known(program).version))
        return True

    assert counting.count(program.program_id, told=told, now=NOW) == 2
    assert [stage for stage, *_ in seen] == ["reach", "habits", "weights"]
    assert {version for *_, version in seen} == {1}
    assert seen[-1][1:3] == (40, 40)
    assert known(program).version == 2


def test_how_far_it_is_stands_in_the_table(program: Program):
    settle_in(program, TOWN)
    rows = []

    def told(stage: str, _done: int, _total: int) -> bool:
        with reading() as session:
            sql = "SELECT stage, done, total, finished_at FROM feature_statistics WHERE program_id = %s"
            rows.append((stage, session.row(sql, (program.program_id,), into=tuple_row)))
        return True

    counting.count(program.program_id, told=told, now=NOW)
    # Each is told of before it is written down.
    assert rows[-1] == ("weights", ("habits", 0, 40, None))


def test_one_that_is_cut_off_leaves_what_is_used_and_the_next_one_clears_up(program: Program):
    settle_in(program, TOWN)
    counting.count(program.program_id, now=NOW)

    def fails(stage: str, _done: int, _total: int) -> bool:
        if stage == "weights":
            raise psycopg.OperationalError("gone")
        return True

    with pytest.raises(psycopg.OperationalError):
        counting.count(program.program_id, told=fails, now=NOW)
    assert versions(program) == [(1, True), (2, False)]
    assert known(program).version == 1
    assert counting.count(program.program_id, now=NOW) == 3
    assert versions(program) == [(1, True), (3, True)]


def test_one_that_is_told_to_stop_stops(program: Program):
    settle_in(program, TOWN)

    assert counting.count(program.program_id, told=lambda *_: False, now=NOW) is None
    assert known(program) is NO_STATISTICS


def test_two_workers_do_not_count_the_same_program(program: Program):
    settle_in(program, TOWN)
    others: list[int | None] = []

    def told(_stage: str, _done: int, _total: int) -> bool:
        others.append(counting.count(program.program_id, now=NOW))
        return True

    assert counting.count(program.program_id, told=told, now=NOW) == 1
    assert set(others) == {None}
    assert counting.count(program.program_id, now=NOW) == 2


def test_three_counts_are_kept(program: Program):
    settle_in(program, TOWN[:3])
    for _ in range(5):
        counting.count(program.program_id, now=NOW)

    assert versions(program) == [(3, True), (4, True), (5, True)]


def test_a_count_is_due_once_it_was_three_at_night(program: Program):
    settle_in(program, TOWN[:3])

    def is_due(at: str) -> bool:
        with reading() as session:
            return program.program_id in dict(counting.due(session, now=datetime.fromisoformat(at)))

    assert is_due("2026-03-01T12:00:00+00:00")
    counting.count(program.program_id, now=NOW)
    # Three in Vilnius is one in UTC.
    assert not is_due("2026-03-02T00:59:00+00:00")
    assert is_due("2026-03-02T01:00:00+00:00")
    # A machine that was off for some nights makes up for one.
    assert is_due("2026-03-05T00:00:00+00:00")


def test_a_sandbox_is_counted_by_its_own_clock(program: Program):
    settle_in(program, TOWN[:3])
    with transaction() as session:
        session.run(
            "UPDATE programs SET sandbox = true, clock_ahead = '10 days' WHERE program_id = %s", (program.program_id,)
        )
    with reading() as session:
        assert dict(counting.due(session, now=NOW))[program.program_id] == NOW + timedelta(days=10)


def test_a_version_that_is_remembered_costs_one_tiny_statement(program: Program, monkeypatch: pytest.MonkeyPatch):
    settle_in(program, TOWN[:3])
    counting.count(program.program_id, now=NOW)
    first = known(program)
    monkeypatch.setattr(counted, "_load", None)

    assert known(program) is first
    with reading() as session:
        assert counted.statistics(session, program.program_id, version=1) is first
        monkeypatch.setattr(counted, "FRESH_SECONDS", 60.0)
        monkeypatch.setattr(counted, "newest_version", None)
        assert counted.statistics(session, program.program_id) is first


def test_a_program_that_nobody_bought_in_is_not_due_and_can_be_counted(program: Program):
    with reading() as session:
        assert program.program_id not in dict(counting.due(session, now=NOW))
    assert counting.count(program.program_id, now=NOW) == 1
    assert known(program).members == 0
    assert document_of(known(program))["categories"]["codes"] == []
