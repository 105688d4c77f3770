"""Taking what is due: nobody else has it, each member's comes in order, and who is killed keeps it only for a while."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from psycopg.rows import scalar_row

from loyalty.db.session import transaction
from loyalty.notifications import claiming
from loyalty.notifications.claiming import LEASE
from loyalty.notifications.domain import Message
from loyalty.programs.domain import Program
from tests.builders import NOW
from tests.notifications.queued import a_customer, a_shop, changed, queue, rows, wanted

A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(committed_db: Flask) -> Iterator[Program]:
    with transaction() as session:
        program = a_shop(session)
    return program


def customers(shop: Program, count: int) -> list[UUID]:
    with transaction() as session:
        return [a_customer(session, shop) for _ in range(count)]


def claim(shop: Program, *, now=NOW, real_now=NOW, limit: int = 100) -> list[Message]:
    with transaction() as session:
        found = claiming.claim(session, shop.program_id, "email", limit=limit, now=now, real_now=real_now)
    return [message for messages in found.values() for message in messages]


def test_what_is_due_is_had_by_one_at_a_time(shop: Program):
    ada, bob = customers(shop, 2)
    queue(shop, wanted(ada), wanted(bob), wanted(ada))

    first = claim(shop)
    assert [message.member_id for message in first] == [ada, ada, bob]
    assert claim(shop) == []

    with transaction() as session:
        claiming.release(session, first[:1])
    assert [message.message_id for message in claim(shop)] == [], "the other one of hers is still on its way"
    assert len(claim(shop, real_now=NOW + LEASE + A_MINUTE)) == 3


def test_what_is_not_due_waits(shop: Program):
    (ada,) = customers(shop, 1)
    queue(shop, wanted(ada, not_before=NOW + A_MINUTE))

    assert claim(shop) == []
    assert len(claim(shop, now=NOW + A_MINUTE)) == 1


def test_a_member_gets_messages_in_the_order_in_which_they_came_to_be(shop: Program):
    (ada,) = customers(shop, 1)
    asked = [wanted(ada) for _ in range(5)]
    queue(shop, *asked)

    first, *rest = claim(shop, limit=1), claim(shop)
    assert [m.key for m in first] == [asked[0].key]
    assert rest == [[]], "the first is on its way"
    with transaction() as session:
        claiming.release(session, first)
    assert [m.key for m in claim(shop)] == [each.key for each in asked]


def test_who_could_not_be_reached_is_not_sent_what_came_later(shop: Program):
    ada, bob = customers(shop, 2)
    queue(shop, wanted(ada), wanted(ada), wanted(bob))
    tried = rows(shop)[0]["message_id"]
    changed(shop, [tried], attempts=1, due_at=NOW + timedelta(hours=1))

    assert [message.member_id for message in claim(shop)] == [bob]
    found = claim(shop, now=NOW + timedelta(hours=2), real_now=NOW + timedelta(hours=2))
    assert next(m.message_id for m in found if m.member_id == ada) == tried


def test_what_waits_for_its_time_holds_up_nothing(shop: Program):
    (ada,) = customers(shop, 1)
    queue(shop, wanted(ada, not_before=NOW + timedelta(days=7)), wanted(ada))

    assert len(claim(shop)) == 1


def test_members_are_never_had_by_two(shop: Program, committed_db: Flask):
    members = customers(shop, 5)
    queue(shop, *(wanted(member) for _ in range(20) for member in members))

    def take(_: int) -> set[UUID]:
        with committed_db.app_context():
            return {message.member_id for message in claim(shop, limit=7)}

    with ThreadPoolExecutor(8) as pool:
        taken = [who for found in pool.map(take, range(16)) for who in found]

    assert len(taken) == len(set(taken))


def test_programs_with_something_due_are_found_by_their_own_clocks(committed_db: Flask):
    with transaction() as session:
        real, ahead, later = a_shop(session), a_shop(session, sandbox=True), a_shop(session)
        clock = "UPDATE programs SET clock_ahead = '1 day' WHERE program_id = %s"
        session.run(clock, (ahead.program_id,))
        hours = ((real, 0), (ahead, 23), (later, 1))
        asked = [(each, wanted(a_customer(session, each), not_before=NOW + timedelta(hours=h))) for each, h in hours]
    for program, each in asked:
        queue(program, each)

    with transaction() as session:
        due = dict(claiming.programs_with_due(session, "email", now=NOW))
    assert due.get(real.program_id) == timedelta(0)
    assert due.get(ahead.program_id) == timedelta(days=1)
    assert later.program_id not in due


def test_what_is_due_is_found_by_index(shop: Program):
    where = {"program_id": shop.program_id, "channel": "email", "now": NOW, "real_now": NOW, "until": NOW, "limit": 10}
    with transaction() as session:
        for what in ("seqscan", "bitmapscan", "sort"):
            session.run(f"SET LOCAL enable_{what} = off")
        plan = "\n".join(session.rows(f"EXPLAIN {claiming._CLAIM}", where, into=scalar_row))

    assert "ix_messages_due" in plan
    assert "ix_messages_waiting" in plan
