"""Followers of the log: each fact is seen once, in order, and a follower that was cut off goes on where it was."""

from threading import Barrier, Thread
from uuid import UUID

import pytest
from flask import Flask
from psycopg.rows import scalar_row

from loyalty.db.session import transaction
from loyalty.events import following
from loyalty.events.following import LoggedFact, behind, follow
from tests.builders import a_program
from tests.events.following import a_fact, all_are_visible, told

LOW = ["reward.stock_low"]


@pytest.fixture
def program_id(committed_db: Flask) -> UUID:
    with transaction() as session:
        return a_program(session).program_id


def seen(program_id: UUID, name: str = "one", *, types: list[str] = LOW, limit: int = 100) -> list[LoggedFact] | None:
    all_are_visible(program_id)
    with transaction() as session:
        return follow(session, name, program_id, types, limit=limit)


def tell(program_id: UUID, *numbers: int, of_type: str = "reward.stock_low") -> None:
    with transaction() as session:
        told(session, program_id, *(a_fact(number, type=of_type) for number in numbers))


def numbers(facts: list[LoggedFact] | None) -> list[int] | None:
    return None if facts is None else [fact.data["remaining"] for fact in facts]


def test_each_fact_is_seen_once_and_in_order(program_id: UUID):
    tell(program_id, 1, 2, 3)

    assert numbers(seen(program_id, limit=2)) == [1, 2]
    tell(program_id, 4)
    assert numbers(seen(program_id, limit=2)) == [3, 4]
    assert seen(program_id) is None


def test_facts_of_other_types_are_passed_over_and_never_looked_at_again(program_id: UUID):
    tell(program_id, 1, of_type="reward.out_of_stock")
    tell(program_id, 2)
    tell(program_id, 3, of_type="reward.out_of_stock")

    assert numbers(seen(program_id)) == [2]
    assert seen(program_id) is None
    tell(program_id, 4, of_type="reward.out_of_stock")
    assert numbers(seen(program_id)) == []


def test_whoever_is_cut_off_sees_the_same_again(program_id: UUID):
    tell(program_id, 1, 2)
    all_are_visible(program_id)

    def cut_off() -> None:
        with transaction() as session:
            assert numbers(follow(session, "one", program_id, LOW, limit=9)) == [1, 2]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_off()

    assert numbers(seen(program_id)) == [1, 2]


def test_followers_do_not_know_each_other(program_id: UUID):
    tell(program_id, 1)

    assert numbers(seen(program_id, "one")) == [1]
    assert numbers(seen(program_id, "two")) == [1]


def test_two_under_one_name_do_not_see_the_same(program_id: UUID, committed_db: Flask):
    tell(program_id, 1)
    seen(program_id)
    tell(program_id, 2)
    all_are_visible(program_id)
    both, found = Barrier(2, timeout=30), []

    def go() -> None:
        with committed_db.app_context(), transaction() as session:
            both.wait()
            found.append(follow(session, "one", program_id, LOW, limit=9))
            both.wait()

    threads = [Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, map(numbers, found))) == ["None", "[2]"]


def test_only_programs_with_news_are_behind(program_id: UUID):
    def is_behind() -> bool:
        all_are_visible(program_id)
        with transaction() as session:
            return program_id in behind(session, "one")

    while seen(program_id) is not None:
        pass
    assert not is_behind()
    tell(program_id, 1)
    assert is_behind()
    seen(program_id)
    assert not is_behind()


def test_the_place_of_a_follower_is_found_by_the_index_of_the_log(program_id: UUID):
    tell(program_id, *range(50))
    with transaction() as session:
        session.run("SET LOCAL enable_seqscan = off")
        where = {"program_id": program_id, "xid": 1, "seq": 1, "limit": 5, "types": "{reward.stock_low}"}
        where |= {"to_xid": 9, "to_seq": 9}
        plan = "\n".join(session.rows(f"EXPLAIN {following._NEXT}", where, into=scalar_row))

    assert "ix_events_program_id_xid_seq" in plan
    assert "Sort" not in plan.split("CTE page", 1)[1].split("InitPlan")[0]
