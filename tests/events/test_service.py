"""The log only grows, and tells of what was done and of nothing else."""

from datetime import timedelta

import pytest
from flask import Flask
from psycopg.errors import CheckViolation, InsufficientPrivilege, RestrictViolation
from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session, db, transaction
from loyalty.db.writer import PARAMETER_ROWS_MAX, Changes, write
from loyalty.events import queries
from loyalty.events.service import tell
from loyalty.members.models import MemberRow
from tests.builders import NOW, a_member, a_program
from tests.events.following import a_fact, all_are_visible, follow, somebody, told
from tests.rights import as_owner
from tests.statements import statements

COUNT = "SELECT count(*) FROM events WHERE program_id = %s"
STORED = """
SELECT owner_id, customer_id, type, version, occurred_at, recorded_at, data FROM events WHERE program_id = %s
"""
CHANGES = ("UPDATE events SET version = 2", "DELETE FROM events", "TRUNCATE events")
LATER = NOW + timedelta(minutes=5)


def test_a_fact_says_what_happened_when_and_to_whom(session: Session):
    program_id = a_program(session).program_id
    member = somebody("c-42")

    told(session, program_id, a_fact(7, member=member), now=LATER)

    data = {"reward": "five-off", "remaining": 7, "threshold": 10}
    assert session.rows(STORED, (program_id,), into=tuple_row) == [
        (member.member_id, "c-42", "reward.stock_low", 1, NOW, LATER, data)
    ]


def test_a_fact_about_no_member_is_the_programs_own(session: Session):
    program_id = a_program(session).program_id

    told(session, program_id, a_fact())

    (stored,) = session.rows(STORED, (program_id,), into=tuple_row)
    assert stored[:2] == (program_id, None)


def test_a_fact_costs_no_statement_of_its_own(session: Session):
    program = a_program(session)
    member = a_member(session, program)
    changes = Changes()
    changes.update(MemberRow, {"member_id": member.member_id, "status": "suspended"})
    tell(changes, program.program_id, a_fact(member=member), now=NOW)

    with statements() as sent:
        write(session, changes)

    assert len(sent) == 1
    told_of = session.rows("SELECT type FROM events WHERE owner_id = %s", (member.member_id,), into=scalar_row)
    assert told_of == ["member.enrolled", "reward.stock_low"]


def test_who_has_nothing_to_tell_writes_nothing(session: Session):
    changes = Changes()

    tell(changes, a_program(session).program_id, now=NOW)

    assert not changes.rows


@pytest.mark.parametrize("count", [PARAMETER_ROWS_MAX, 40])
def test_facts_told_together_stand_in_that_order(committed_db: Flask, count: int):
    with transaction() as session:
        program_id = a_program(session).program_id
        told(session, program_id, *map(a_fact, range(count)))

    all_are_visible(program_id)

    assert [fact.data["remaining"] for fact in follow(program_id)] == list(range(count))


def test_what_is_taken_back_was_never_told(committed_db: Flask):
    with transaction() as session:
        program_id = a_program(session).program_id
        told(session, program_id, a_fact(1))
    with db.engine.connect() as connection:
        refused = Session(connection)
        told(refused, program_id, a_fact(2))
        refused.finish(keep=False)

    with transaction() as session:
        assert session.row(COUNT, (program_id,), into=scalar_row) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_the_service_cannot_rewrite_the_log(session: Session, change: str):
    with pytest.raises(InsufficientPrivilege):
        session.run(change)


@pytest.mark.parametrize("change", CHANGES)
def test_not_even_the_owner_rewrites_the_log(session: Session, change: str):
    as_owner(session)

    with pytest.raises(RestrictViolation, match="events only grows"):
        session.run(change)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"type": "redemption"}, "type_is_dotted"),
        ({"type": "Redemption.Held"}, "type_is_dotted"),
        ({"version": 0}, "version_positive"),
        ({"customer_id": "c-42"}, "owner_is_member_or_program"),
        ({"data": []}, "data_is_an_object"),
    ],
)
def test_what_is_no_fact_is_refused_by_the_table(session: Session, wrong: dict[str, object], constraint: str):
    with pytest.raises(CheckViolation, match=f"ck_events_{constraint}"):
        told(session, a_program(session).program_id, a_fact(**wrong))


# Two hundred members of one program, whose facts come in turn, by transactions long past; few are of a rare type.
MANY = """
INSERT INTO events (owner_id, occurred_at, event_id, program_id, type, version, customer_id, recorded_at, xid, data)
SELECT md5(%(program_id)s::text || '/' || n %% 200)::uuid, now() + n * interval '1 second',
       gen_random_uuid(), %(program_id)s::uuid, CASE n %% 100 WHEN 0 THEN 'a.rare' ELSE 'a.common' END, 1, 'c', now(),
       1 + n / 100, '{}'
FROM generate_series(1, 20000) n
"""
PAGE = {"xid": 100, "seq": 0, "limit": 51, "type": "a.rare"}
TIMELINE = "SELECT data FROM events WHERE owner_id = %(owner_id)s ORDER BY occurred_at DESC, event_id DESC LIMIT 51"


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        ("ix_events_program_id_xid_seq", "the log"),
        ("ix_events_program_id_type_xid_seq", "one type"),
        ("pk_events", "a timeline"),
    ],
)
def test_a_page_costs_the_same_in_a_long_log(session: Session, index: str, kind: str):
    from_log = {"the log": False, "one type": True}
    statement = queries._page(filtered=from_log[kind]) if kind in from_log else TIMELINE
    program_id = a_program(session).program_id
    session.run(MANY, {"program_id": str(program_id)})
    as_owner(session)
    session.run("ANALYZE events")
    owner = session.row("SELECT owner_id FROM events WHERE program_id = %s", (program_id,), into=scalar_row)
    parameters = {**PAGE, "program_id": program_id, "owner_id": owner}

    (plan,) = session.rows(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters, into=scalar_row)

    found = plan[0]["Plan"]
    assert found["Actual Rows"] == 51, "there is less than a page of it: this shows nothing"
    assert f"'Index Name': '{index}'" in str(found)
    assert found["Shared Hit Blocks"] + found["Shared Read Blocks"] < 300, plan
