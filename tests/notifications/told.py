"""Facts as the log has them, programs that tell, and what is queued."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg.rows import dict_row

from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.events.following import LoggedFact
from loyalty.notifications import arranging
from loyalty.notifications.domain import Settings
from loyalty.programs.domain import NewProgram, Program, document_of, program_from
from tests.builders import NOW

MEMBER = UUID(int=42)
POINTS = {
    "unit": "points", "points": 100, "waiting": 0, "seq": 1, "available": 100, "pending": 0, "held": 0, "debt": 0,
    "order_id": "A-1", "reference": None, "rules": ["base"], "matures_at": None, "expires_at": None,
}  # fmt: skip


def a_logged(kind: str, *, member: UUID = MEMBER, occurred_at: datetime = NOW, **data: Any) -> LoggedFact:
    """A fact of a member."""
    given = {**POINTS, **data} if kind.startswith("points.") else data
    return LoggedFact(member, new_id(), kind, 1, "c-42", occurred_at, occurred_at, given, 1, 1)


def a_shop(**settings: Any) -> Program:
    """A program that nobody has stored."""
    made = NewProgram(code="shop")
    numbers = {"program_id": UUID(int=1), "version": 1, "config_version": 1}
    plain = program_from(
        {name: getattr(made, name) for name in ("code", "name", "currency", "time_zone", "locale", "sandbox")},
        **numbers,
    )
    return program_from({**document_of(plain), **settings}, **numbers) if settings else plain


def tells(monkeypatch: pytest.MonkeyPatch, programs: dict[UUID, Settings]) -> None:
    """These programs tell what their settings say, and all others nothing."""
    silent = Settings(channels=frozenset())
    monkeypatch.setattr(arranging, "settings_of", lambda _session, program_id: programs.get(program_id, silent))


def messages(session: Session, program_id: UUID, kind: str | None = None) -> list[dict[str, Any]]:
    """What is queued of a program, in the order in which it came to be."""
    wanted = "SELECT * FROM messages WHERE program_id = %s AND (%s::text IS NULL OR kind = %s) ORDER BY seq"
    return session.rows(wanted, (program_id, kind, kind), into=dict_row)
