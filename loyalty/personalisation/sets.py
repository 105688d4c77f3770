"""Published sets of offers as they were written, for those who edit them; `offers.queries` has them for members."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session
from loyalty.personalisation.errors import OfferSetNotFound

_SETS = """
SELECT version, jsonb_array_length(offers) AS size, effective_from, published_at, published_by FROM offer_sets
WHERE program_id = %s ORDER BY version DESC
"""
# A set may be half a megabyte, so no more than one is read at once.
_CONTENT = "SELECT offers, personalising FROM offer_sets WHERE program_id = %s AND version = %s"


def summaries(session: Session, program_id: UUID, *, now: datetime) -> list[dict[str, Any]]:
    """Every published set without its offers, newest first, each with its status.

    `scheduled`: will be in force from its `effective_from` on; `in_force`; or `archived`: nothing new is given from it.
    """
    told: list[dict[str, Any]] = []
    soonest, found = None, False
    for each in session.rows(_SETS, (program_id,), into=dict_row):
        begins, status = each["effective_from"], "archived"
        if not found and (begins is None or begins <= now):
            status, found = "in_force", True
        elif not found and (soonest is None or begins < soonest):
            status, soonest = "scheduled", begins
        told.append({**each, "status": status})
    return told


def stored_set(session: Session, program_id: UUID, *, version: int | None, now: datetime) -> dict[str, Any]:
    """One published set, by version or the one in force now. Refuses: OfferSetNotFound."""
    for summary in summaries(session, program_id, now=now):
        if summary["version"] == version or (version is None and summary["status"] == "in_force"):
            return _whole(session, program_id, summary)
    if version is None:
        raise OfferSetNotFound("No offers are in force. PUT a draft and publish it.")
    raise OfferSetNotFound(f"No offers were published as version {version}.", version=version)


def in_force(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any] | None:
    """The set in force now as it was written; None where there is none."""
    published = summaries(session, program_id, now=now)
    found = next((summary for summary in published if summary["status"] == "in_force"), None)
    return found and _whole(session, program_id, found)


def newest(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any] | None:
    """The set that was published last; None where none was."""
    found = next(iter(summaries(session, program_id, now=now)), None)
    return found and _whole(session, program_id, found)


def _whole(session: Session, program_id: UUID, summary: dict[str, Any]) -> dict[str, Any]:
    content = session.row(_CONTENT, (program_id, summary["version"]), into=dict_row)
    assert content is not None, "published sets stay for ever"
    return {**summary, **content}
