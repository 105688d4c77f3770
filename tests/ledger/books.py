"""Entering points into a member's book by hand, for tests that care about the ledger and not about orders."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.earning import service as earning
from loyalty.ledger import crediting, spending
from loyalty.ledger import service as ledger
from loyalty.ledger.book import Book
from loyalty.ledger.settling import settle
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from tests.builders import NOW, a_credit


def earn(
    session: Session, program: Program, member: LockedMember, points: int, *, now: datetime = NOW, **given: Any
) -> int:
    """Earn points, at `now` and for good unless a date is given; answers the seq."""
    book = ledger.open_book(session, program, member, now=now)
    entry = crediting.earn(book, a_credit(points, **{"earned_at": now, **given}))
    close(session, program, book, now=now)
    return entry.seq


def spend(session: Session, program: Program, member: LockedMember, points: int, *, now: datetime = NOW) -> int:
    """Spend points; answers the seq."""
    book = ledger.open_book_to_spend(session, program, member, "points", points, now=now)
    entry = spending.redeem(book, "points", points, reference="r-1", reason="5 off")
    close(session, program, book, now=now)
    return entry.seq


def touch(session: Session, program: Program, member: LockedMember, *, now: datetime) -> None:
    """Record what has matured or lapsed."""
    close(session, program, ledger.open_book(session, program, member, now=now), now=now)


def close(session: Session, program: Program, book: Book, *, now: datetime) -> None:
    """Write what was decided in a book."""
    settle(book, book.now)
    write(session, ledger.changes_of(book, program.program_id, now=now))


def publish_rules(
    session: Session, program: Program, terms: Mapping[str, dict[str, Any]], *, now: datetime = NOW
) -> None:
    """Publish one rule for each category, called like it: a point for every 1.00, on the terms given."""
    per = {"points_per": {"amount": 100, "points": "1"}}
    rules = [
        {"code": code, "priority": number, "categories": [code], **per, **its}
        for number, (code, its) in enumerate(terms.items())
    ]
    earning.save_draft(session, program.program_id, {"rules": rules, "segments": []}, now=now)
    earning.publish(session, program.program_id, effective_from=None, published_by="", now=now)


def history(session: Session, member_id: UUID) -> list[tuple[str, int, int, datetime]]:
    """The member's entries, oldest first: kind, points, available after, when it happened."""
    sql = "SELECT kind, points, available_after, occurred_at FROM entries WHERE member_id = %s ORDER BY seq"
    return session.rows(sql, (member_id,), into=tuple_row)


def remaining(session: Session, member_id: UUID) -> dict[int, int]:
    """What is left of each lot."""
    return dict(session.rows("SELECT seq, remaining FROM lots WHERE member_id = %s", (member_id,), into=tuple_row))


def next_change(session: Session, member_id: UUID) -> datetime | None:
    """When the member's points will next change by themselves."""
    sql = "SELECT next_change_at FROM accounts WHERE member_id = %s AND unit = 'points'"
    return session.row(sql, (member_id,), into=scalar_row)
