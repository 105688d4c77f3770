"""The queue of messages: one for each channel, once, and not before it is time."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row

from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.notifications.domain import Digest, Settings, Wanted
from loyalty.notifications.queueing import enqueue
from tests.builders import NOW, a_member, a_program
from tests.statements import statements

ALL = Settings(channels=frozenset({"inbox", "email", "webhook", "apprise"}), digest=Digest(minutes=15))
SOON, LATER = NOW + timedelta(minutes=15), NOW + timedelta(days=2)


@pytest.fixture
def who(session: Session) -> Any:
    program = a_program(session)
    return program.program_id, a_member(session, program).member_id


def wish(member_id: Any, kind: str = "tier_up", key: str = "1", **given: Any) -> Wanted:
    data = {"tier": "gold", "from": None, "ladder_version": 1}
    return Wanted(**{"member_id": member_id, "kind": kind, "key": key, "data": data, "occurred_at": NOW, **given})


def queued(session: Session, member_id: Any) -> list[dict[str, Any]]:
    return session.rows("SELECT * FROM messages WHERE member_id = %s ORDER BY seq", (member_id,), into=dict_row)


def test_a_message_for_each_channel_in_one_statement(session: Session, who: Any):
    program_id, member_id = who
    with statements() as sent:
        assert enqueue(session, program_id, [wish(member_id), wish(member_id, key="2")], ALL, now=NOW) == 8

    assert len(sent) == 1
    rows = queued(session, member_id)
    assert [(row["key"], row["channel"]) for row in rows[:5]] == [
        ("1", "inbox"), ("1", "email"), ("1", "webhook"), ("1", "apprise"), ("2", "inbox"),
    ]  # fmt: skip
    assert {(row["status"], row["attempts"], row["program_id"], row["marketing"]) for row in rows} == {
        ("queued", 0, program_id, False)
    }
    assert rows[0]["data"] == {"tier": "gold", "from": None, "ladder_version": 1}
    assert (rows[0]["occurred_at"], rows[0]["created_at"], rows[0]["outdated_at"]) == (NOW, NOW, None)


def test_the_same_is_queued_once(session: Session, who: Any):
    program_id, member_id = who
    assert enqueue(session, program_id, [wish(member_id), wish(member_id)], Settings(), now=NOW) == 1
    assert enqueue(session, program_id, [wish(member_id), wish(member_id, "tier_down")], Settings(), now=LATER) == 1

    assert [row["kind"] for row in queued(session, member_id)] == ["tier_up", "tier_down"]


@pytest.mark.parametrize(
    ("kind", "channel", "not_before", "due_at"),
    [
        ("tier_up", "inbox", None, NOW),
        ("tier_up", "webhook", None, NOW),
        ("tier_up", "email", None, SOON),
        ("tier_up", "apprise", None, SOON),
        ("voucher_issued", "email", None, NOW),
        ("feedback_request", "inbox", LATER, LATER),
        ("feedback_request", "email", LATER, LATER),
        ("feedback_request", "email", NOW, SOON),
    ],
)
def test_what_is_pushed_waits_for_what_may_come_with_it(
    session: Session, who: Any, kind: str, channel: str, not_before: Any, due_at: Any
):
    program_id, member_id = who
    enqueue(session, program_id, [wish(member_id, kind, not_before=not_before)], ALL, now=NOW)

    assert {row["channel"]: row["due_at"] for row in queued(session, member_id)}[channel] == due_at


def test_nothing_waits_where_nothing_is_put_together(session: Session, who: Any):
    program_id, member_id = who
    alone = Settings(channels=frozenset({"email"}), digest=None)
    enqueue(session, program_id, [wish(member_id)], alone, now=NOW)

    assert queued(session, member_id)[0]["due_at"] == NOW


def test_no_channel_no_statement(session: Session):
    with statements() as sent:
        assert enqueue(session, new_id(), [wish(new_id())], Settings(channels=frozenset()), now=NOW) == 0
        assert enqueue(session, new_id(), [], ALL, now=NOW) == 0

    assert sent == []
