"""`Idempotency-Key`: the first answer to a POST is stored with what it changed, and given again to every retry.

The key is claimed by an insert. A second request with the same key waits on the unique index until the first has
committed, then finds its answer; if the first was refused, nothing was stored and the second is judged afresh.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

import orjson
from flask import Response, g, request
from psycopg.rows import tuple_row
from sqlalchemy import Index, LargeBinary, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.core.answers import Answer
from loyalty.core.errors import IdempotencyConflict, InvalidRequest
from loyalty.db.base import Base
from loyalty.db.session import Session
from loyalty.web.requests import stored_answer

KEY_LENGTH_MAX = 255
# Answers deleted by one transaction: tens of milliseconds.
FORGET_BATCH = 1_000


class IdempotencyKey(Base):
    """A key that a caller has used, and the answer it got. Without an answer only inside its first transaction."""

    __tablename__ = "idempotency_keys"
    # Old ones are forgotten by a job.
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Any] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())


CLAIM = """
INSERT INTO idempotency_keys (program_id, key, fingerprint) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
ANSWER = "SELECT fingerprint, status, body FROM idempotency_keys WHERE program_id = %s AND key = %s"
# An answer is written once, so one that is locked is being deleted by another worker.
FORGET = """
DELETE FROM idempotency_keys WHERE (program_id, key) IN (
    SELECT program_id, key FROM idempotency_keys WHERE created_at < %s
    ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""
STORE = "UPDATE idempotency_keys SET status = %s, body = %s WHERE program_id = %s AND key = %s"


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Give a POST that has no natural id its `Idempotency-Key`. Stands inside `@transactional`, outside the schemas."""
    return _idempotent(view, withheld=())


def idempotent_but_for(*withheld: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """`idempotent` for answers that show a secret once: those fields are stored, and so replayed, as null."""
    return lambda view: _idempotent(view, withheld=withheld)


def forget_batch(session: Session, *, before: datetime, limit: int = FORGET_BATCH) -> int:
    """Delete answers that were stored before an instant, the oldest first; answers how many."""
    return session.run(FORGET, (before, limit))


def _idempotent(view: Callable[..., Response], *, withheld: tuple[str, ...]) -> Callable[..., Response]:
    @wraps(view)
    def wrapper(session: Session, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(session, *args, **kwargs)
        if not 1 <= len(key) <= KEY_LENGTH_MAX or not key.isprintable():
            rule = f"Must be 1 to {KEY_LENGTH_MAX} printable characters."
            raise InvalidRequest([{"pointer": "Idempotency-Key", "detail": rule}])
        if not session.run(CLAIM, (g.caller.program_id, key, _fingerprint())):
            return _first_answer(session, key)
        response = view(session, *args, **kwargs)
        stored = _without(response.get_data(), withheld)
        session.run(STORE, (response.status_code, stored, g.caller.program_id, key))
        return response

    return wrapper


def _without(body: bytes, withheld: tuple[str, ...]) -> bytes:
    return orjson.dumps({**orjson.loads(body), **dict.fromkeys(withheld)}) if withheld else body


def _fingerprint() -> bytes:
    return hashlib.sha256(f"{request.method} {request.full_path}\n".encode() + request.get_data(cache=True)).digest()


def _first_answer(session: Session, key: str) -> Response:
    stored = session.row(ANSWER, (g.caller.program_id, key), into=tuple_row)
    if stored is None or stored[0] != _fingerprint():
        raise IdempotencyConflict("This Idempotency-Key was used before with another request.", key=key)
    return stored_answer(Answer(stored[2], replayed=True), stored[1])
