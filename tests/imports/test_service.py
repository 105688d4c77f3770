"""Loading history: through the use cases of the API, in batches, as often as it takes."""

import re

import pytest
from click.testing import CliRunner
from psycopg.rows import tuple_row

from loyalty.cli import main
from loyalty.core.ids import new_id
from loyalty.db.session import reading, transaction
from loyalty.imports.complete_journey import read
from loyalty.imports.service import Loaded, load, prepare_program
from loyalty.members.errors import MemberSuspended
from loyalty.members.locks import lock_member
from loyalty.members.service import set_status
from tests.builders import NOW

COUNTS = """
SELECT count(*), sum(jsonb_array_length(lines)), sum(total), count(DISTINCT customer_id), min(placed_at), max(placed_at)
FROM orders WHERE program_id = %s
"""
HELD = "SELECT sum(available) FROM accounts WHERE program_id = %s"


@pytest.fixture(scope="module")
def data():
    """The first five households, in 2017."""
    return read(households=5)


@pytest.fixture
def program(committed_db):
    """A program in the data's currency and zone."""
    with transaction() as session:
        return prepare_program(session, f"cj-{new_id().hex}", currency="USD", time_zone="America/New_York", now=NOW)


def loaded(data, program, orders=None, **given) -> Loaded:
    parts = load(program.program_id, data.members(), orders or data.orders(), now=NOW, **given)
    return sum(parts, Loaded())


def stored(program, sql=COUNTS):
    with reading() as session:
        return session.row(sql, (program.program_id,), into=tuple_row)


def test_what_is_loaded_is_what_was_read(data, program):
    told = loaded(data, program, batch_size=50)

    orders = list(data.orders())
    net = sum(line.net for order in orders for line in order.lines)
    times = [order.placed_at for order in orders]
    assert stored(program) == (len(orders), len(data.lines), net, 5, min(times), max(times))
    assert (told.enrolled, told.recorded, told.replayed, told.lines) == (5, len(orders), 0, len(data.lines))
    assert told.refused == ()
    assert told.points > 0


def test_loading_again_changes_nothing(data, program):
    first = loaded(data, program)
    before = (stored(program), stored(program, HELD))

    again = loaded(data, program)

    assert (again.enrolled, again.recorded, again.replayed) == (0, 0, first.recorded)
    assert (again.lines, again.points) == (first.lines, first.points)
    assert (stored(program), stored(program, HELD)) == before


def test_a_load_that_was_interrupted_is_completed_by_the_next(data, program):
    parts = load(program.program_id, data.members(), data.orders(), batch_size=20, now=NOW)
    for _ in range(3):
        next(parts)
    parts.close()

    rest = loaded(data, program, batch_size=20)

    assert rest.replayed >= 40
    assert rest.recorded > 0
    assert stored(program)[0] == rest.recorded + rest.replayed == len(list(data.orders()))


def test_the_size_of_a_batch_changes_no_balance(data, committed_db):
    held = set()
    for size in (7, 500):
        with transaction() as session:
            code = f"cj-{new_id().hex}"
            program = prepare_program(session, code, currency="USD", time_zone="America/New_York", now=NOW)
        loaded(data, program, batch_size=size)
        held.add(stored(program, HELD))
    assert len(held) == 1


def test_a_refused_order_is_told_with_its_reason_and_stops_no_other(data, program):
    loaded(data, program, orders=list(data.orders())[:1])
    asleep = data.members()[0].customer_id
    with transaction() as session:
        set_status(session, program.program_id, lock_member(session, program.program_id, asleep), "suspended", now=NOW)

    told = loaded(data, program)

    assert {type(refusal) for _, refusal in told.refused} == {MemberSuspended}
    assert told.orders == len(list(data.orders()))
    assert told.recorded > 0


def test_the_command_loads_prints_a_rate_and_a_member_and_can_be_repeated(database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    code = f"cj-{new_id().hex}"
    command = ["demo", "--households", "3", "--program", code, "--no-shift"]

    first = CliRunner().invoke(main, command)
    again = CliRunner().invoke(main, command)

    assert first.exit_code == again.exit_code == 0, (first.output, again.output)
    assert re.search(r"3 members \(3 new\), .* orders/s", first.stdout)
    assert re.search(r"/v1/members/cj-\d+/balance", first.stdout)
    assert "(0 new)" in again.stdout


def test_the_command_moves_the_data_up_to_last_week_and_stays_with_that(database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_url)
    code = f"cj-{new_id().hex}"
    moved = CliRunner().invoke(main, ["demo", "--households", "1", "--program", code])
    stay = CliRunner().invoke(main, ["demo", "--households", "1", "--program", code, "--no-shift"])

    assert moved.exit_code == 0, moved.output
    assert stay.exit_code == 1
    assert "moved by" in stay.stderr
