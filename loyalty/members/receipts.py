"""Answers to requests that carry an id of the shop's own: given once, kept, and given again to every retry."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import scalar_row

from loyalty.core.answers import Answer
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.members import locks
from loyalty.members.models import Receipt

_BODY = "SELECT body FROM receipts WHERE member_id = %s AND kind = %s AND key = %s"


@dataclass(frozen=True, slots=True)
class Request:
    """A request known by an id of the shop's: what kind of id, the id, and the fingerprint of what it asks for."""

    kind: str
    key: str
    content: bytes


def first_answer(session: Session, program_id: UUID, request: Request, member_id: UUID) -> Answer | None:
    """Claim the id for a member whom the caller has locked; None if it was free, else the first answer.

    Refuses: IdempotencyConflict.
    """
    if locks.claim(session, program_id, request.kind, [(request.key, member_id, request.content)]):
        return None
    answer = answer_given(session, program_id, request)
    assert answer is not None, "an id that cannot be claimed is somebody's"
    return answer


def answer_given(session: Session, program_id: UUID, request: Request) -> Answer | None:
    """The answer that the first request with this id got; None if there was none. Refuses: IdempotencyConflict."""
    held = locks.holder(session, program_id, request.kind, request.key)
    if held is None:
        return None
    body = session.row(_BODY, (held.member_id, request.kind, request.key), into=scalar_row)
    if held.fingerprint != request.content or not isinstance(body, str):
        detail = f"'{request.key}' was used before for another {request.kind}."
        raise IdempotencyConflict(detail, **{f"{request.kind}_id": request.key})
    return Answer(body.encode(), replayed=True)


def keep(changes: Changes, request: Request, member_id: UUID, told: dict[str, Any]) -> Answer:
    """The answer, kept among the rows to be written."""
    body = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    changes.insert(Receipt, {"member_id": member_id, "kind": request.kind, "key": request.key, "body": body.decode()})
    return Answer(body)
