"""Reading answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row, scalar_row

from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session, array_of
from loyalty.feedback.domain import Feedback, scores_up_to
from loyalty.feedback.errors import FeedbackNotFound
from loyalty.members import queries as members

_COLUMNS = """
f.feedback_id, f.customer_id, f.kind, f.score, f.comment, f.comment_erased_at, f.order_id, f.touchpoint, f.answered_at,
f.recorded_at, f.activity_id"""
_ONE = f"""
SELECT {_COLUMNS} FROM natural_keys k JOIN feedback f ON f.member_id = k.member_id AND f.feedback_id = k.key
WHERE k.program_id = %s AND k.kind = 'feedback' AND k.key = %s
"""
_NEWEST = "ORDER BY f.answered_at DESC, f.feedback_id DESC LIMIT %(limit)s"
_BEFORE = "(f.answered_at, f.feedback_id) < (%(at)s::timestamptz, %(id)s)"

# A member, and those who were merged into it, each by the index.
_OF_MEMBER = f"""
WITH RECURSIVE mine (member_id) AS (
    SELECT %(member_id)s::uuid
    UNION ALL
    SELECT s.member_id FROM mine JOIN members s ON s.merged_into = mine.member_id)
SELECT {_COLUMNS} FROM mine CROSS JOIN LATERAL (
    SELECT * FROM feedback f WHERE f.member_id = mine.member_id AND {_BEFORE} {_NEWEST}) f
{_NEWEST}
"""
_WITHIN = """
AND (%(first)s::timestamptz IS NULL OR f.answered_at >= %(first)s)
AND (%(last)s::timestamptz IS NULL OR f.answered_at < %(last)s)"""
# Score by score, each by the index: the two low ones among a million are found as fast as all.
_OF_SCORES = f"""
SELECT {_COLUMNS} FROM unnest(%(kinds)s::text[], %(scores)s::smallint[]) AS w (kind, score) CROSS JOIN LATERAL (
    SELECT * FROM feedback f
    WHERE f.program_id = %(program_id)s AND f.kind = w.kind AND f.score = w.score AND {_BEFORE} {_WITHIN} {_NEWEST}) f
{_NEWEST}
"""
_OF_TOUCHPOINT = f"""
SELECT {_COLUMNS} FROM feedback f
WHERE f.program_id = %(program_id)s AND f.touchpoint = %(touchpoint)s AND {_BEFORE} {_WITHIN}
  AND f.kind = ANY(%(kinds)s::text[]) AND f.score <= %(max_score)s
{_NEWEST}
"""
# Of an order that is the member's own, or was that of one who was merged into the member: whose answer there is.
_ABOUT_ORDER = """
WITH RECURSIVE mine (member_id) AS (
    SELECT %(member_id)s::uuid
    UNION ALL
    SELECT s.member_id FROM mine JOIN members s ON s.merged_into = mine.member_id)
SELECT coalesce(f.feedback_id, '') FROM natural_keys k JOIN mine ON mine.member_id = k.member_id
LEFT JOIN feedback f ON f.program_id = k.program_id AND f.order_id = k.key AND f.kind = %(kind)s
WHERE k.program_id = %(program_id)s AND k.kind = 'order' AND k.key = %(order_id)s
"""
_ANSWERED = """
SELECT w.place FROM jsonb_to_recordset(%s::jsonb) AS w (
    place integer, member_id uuid, kind text, order_id text, touchpoint text, since timestamptz)
WHERE EXISTS (
    SELECT FROM feedback f WHERE f.member_id = w.member_id AND f.kind = w.kind AND (
        f.order_id = w.order_id
        OR f.answered_at >= w.since AND f.order_id IS NULL AND f.touchpoint IS NOT DISTINCT FROM w.touchpoint))
"""
_END = ("infinity", "")
_HIGHEST = 32_767


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which answers are listed: half-open in time."""

    kind: str | None = None
    max_score: int | None = None
    touchpoint: str | None = None
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that a member may have answered meanwhile: about an order, or about a touchpoint since an instant."""

    member_id: UUID
    kind: str
    order_id: str | None
    touchpoint: str | None
    since: str


def feedback(session: Session, program_id: UUID, feedback_id: str) -> Feedback:
    """One answer. Refuses: FeedbackNotFound."""
    found = session.row(_ONE, (program_id, feedback_id), into=class_row(Feedback))
    if found is None:
        raise FeedbackNotFound(feedback_id)
    return found


def feedback_of(session: Session, program_id: UUID, customer_id: str, window: Window) -> Page[Feedback]:
    """The answers of a member, and of those who were merged into it, newest first. Refuses: MemberNotFound."""
    where = {"member_id": members.member_id_of(session, program_id, customer_id), **_place(window)}
    return _page(session.rows(_OF_MEMBER, where, into=class_row(Feedback)), window)


def all_feedback(session: Session, program_id: UUID, window: Window, wanted: Wanted) -> Page[Feedback]:
    """The answers of all members, newest first."""
    kinds, scores = zip(*scores_up_to(wanted.kind, wanted.max_score), strict=True)
    where: dict[str, Any] = {
        "program_id": program_id, "kinds": array_of(kinds), "scores": array_of(scores), "first": wanted.first,
        "last": wanted.last, "touchpoint": wanted.touchpoint, **_place(window),
        "max_score": _HIGHEST if wanted.max_score is None else wanted.max_score,
    }  # fmt: skip
    statement = _OF_SCORES if wanted.touchpoint is None else _OF_TOUCHPOINT
    return _page(session.rows(statement, where, into=class_row(Feedback)), window)


def answer_about(session: Session, program_id: UUID, member_id: UUID, order_id: str, kind: str) -> str | None:
    """The answer about an order of a member's: its id, empty if there is none; None if they have no such order."""
    where = {"program_id": program_id, "member_id": member_id, "order_id": order_id, "kind": kind}
    return session.row(_ABOUT_ORDER, where, into=scalar_row)


def answered(session: Session, asked: Sequence[Asked]) -> set[int]:
    """Which of some questions were answered, by their places."""
    rows = [
        {
            "place": place, "member_id": each.member_id, "kind": each.kind, "order_id": each.order_id,
            "touchpoint": each.touchpoint, "since": each.since,
        }
        for place, each in enumerate(asked)
    ]  # fmt: skip
    return set(session.rows(_ANSWERED, (orjson.dumps(rows).decode(),), into=scalar_row))


def _place(window: Window) -> dict[str, Any]:
    """Where a page begins; at the newest for a cursor of another list."""
    at, feedback_id = window.position(str, str) or _END
    try:
        at = at if at == _END[0] else datetime.fromisoformat(at).isoformat()
    except ValueError:
        at, feedback_id = _END
    return {"at": at, "id": feedback_id, "limit": window.limit + 1}


def _page(rows: Sequence[Feedback], window: Window) -> Page[Feedback]:
    return page(rows, window, lambda each: [each.answered_at.isoformat(), each.feedback_id])
