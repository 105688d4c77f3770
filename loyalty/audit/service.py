"""Remembering changes."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from loyalty.core.ids import new_id
from loyalty.db.session import Session

_RECORD = """
INSERT INTO audit_log (program_id, audit_id, at, actor, action, resource, before, after)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb)
"""


def record(
    session: Session,
    program_id: UUID,
    *,
    actor: str,
    action: str,
    resource: str,
    before: Any = None,
    after: Any = None,
    now: datetime,
) -> None:
    """Remember a change in the transaction that makes it: if the one is undone, so is the other.

    `resource` is its address below /v1/admin, such as `rewards/five-off`; `before` and `after` are all of it, and None
    where there is nothing. Secrets are no part of either.
    """
    documents = (_written(before), _written(after))
    session.run(_RECORD, (program_id, new_id(), now, actor, action, resource, *documents))


def _written(document: Any) -> str | None:
    return None if document is None else orjson.dumps(document, default=str, option=orjson.OPT_UTC_Z).decode()
