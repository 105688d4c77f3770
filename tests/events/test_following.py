"""Whoever follows the log sees every fact once, in one order, whatever the transactions that tell them do."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from loyalty.db.session import Session, db, transaction
from tests.builders import a_program
from tests.events.following import a_fact, all_are_visible, follow, told


def numbers(found) -> list[int]:
    return [fact.data["remaining"] for fact in found]


def test_what_a_slow_transaction_tells_is_not_skipped(committed_db: Flask):
    with transaction() as session:
        program_id = a_program(session).program_id
        told(session, program_id, a_fact(1))
    all_are_visible(program_id)
    (before,) = follow(program_id)

    with db.engine.connect() as connection:
        slow = Session(connection)
        told(slow, program_id, a_fact(2))
        with transaction() as quick:
            told(quick, program_id, a_fact(3))

        # Showing 3 now would make its reader go on after it, past 2.
        assert numbers(follow(program_id)) == [1]
        assert numbers(follow(program_id, after=before.cursor)) == []
        slow.finish(keep=True)

    all_are_visible(program_id)
    assert numbers(follow(program_id, after=before.cursor)) == [2, 3]


def test_what_a_slow_transaction_takes_back_holds_nothing_up_afterwards(committed_db: Flask):
    with db.engine.connect() as connection:
        with transaction() as session:
            program_id = a_program(session).program_id
        slow = Session(connection)
        told(slow, program_id, a_fact(1))
        with transaction() as quick:
            told(quick, program_id, a_fact(2))
        slow.finish(keep=False)

    all_are_visible(program_id)

    assert numbers(follow(program_id)) == [2]


def test_a_transaction_that_writes_other_things_first_stands_where_it_began(committed_db: Flask):
    with transaction() as session:
        program_id = a_program(session).program_id
    with db.engine.connect() as connection:
        slow = Session(connection)
        a_program(slow)
        with transaction() as quick:
            told(quick, program_id, a_fact(1))
        told(slow, program_id, a_fact(2))
        slow.finish(keep=True)

    all_are_visible(program_id)

    assert numbers(follow(program_id)) == [2, 1]


def test_of_many_who_tell_at_once_a_reader_sees_every_fact_once_and_in_the_order_of_the_log(committed_db: Flask):
    writers, each = 6, 12
    with transaction() as session:
        program_id = a_program(session).program_id
    over = threading.Event()

    def write(writer: int) -> None:
        chance = random.Random(writer)
        with committed_db.app_context():
            for turn in range(each):
                with transaction() as session:
                    told(session, program_id, a_fact(1000 * writer + 2 * turn))
                    time.sleep(chance.choice((0, 0, 0.002, 0.03)))
                    told(session, program_id, a_fact(1000 * writer + 2 * turn + 1))

    def read() -> list[int]:
        seen: list[int] = []
        after = None
        with committed_db.app_context():
            while True:
                ending = over.is_set()
                for fact in follow(program_id, after=after):
                    seen.append(fact.data["remaining"])
                    after = fact.cursor
                if ending:
                    return seen

    with ThreadPoolExecutor(writers + 1) as pool:
        reader = pool.submit(read)
        for done in [pool.submit(write, number) for number in range(writers)]:
            done.result()
        all_are_visible(program_id)
        over.set()
        seen = reader.result()

    assert sorted(seen) == sorted(1000 * writer + turn for writer in range(writers) for turn in range(2 * each))
    assert seen == numbers(follow(program_id))
    # Each transaction told two facts: they stand together, and those of one writer in the order in which it told them.
    assert all(second == first + 1 for first, second in zip(seen[::2], seen[1::2], strict=True))
    for writer in range(writers):
        own = [number for number in seen if number // 1000 == writer]
        assert own == sorted(own)
