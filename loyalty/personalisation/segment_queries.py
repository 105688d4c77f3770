"""Reading segments: what they are, how many are in them, and who."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session
from loyalty.earning.queries import segments_at
from loyalty.earning.segments import BUILT_IN
from loyalty.personalisation.segment_errors import SegmentNotFound
from loyalty.programs import queries as programs

_SIZES = "SELECT segment, size, counted_at FROM segment_sizes WHERE program_id = %s"
_COUNTING = """
SELECT begun_at, done, total FROM segment_sweeps
WHERE program_id = %s AND finished_at IS NULL AND after_member IS NOT NULL
"""
_MEMBERS = """
SELECT m.customer_id, s.since, s.member_id FROM segment_members s JOIN members m ON m.member_id = s.member_id
WHERE s.program_id = %(program_id)s AND s.segment = %(code)s AND s.member_id > %(after)s
ORDER BY s.member_id LIMIT %(limit)s
"""
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentMember:
    """A member of a segment; `since`: when that was found."""

    customer_id: str
    since: datetime
    member_id: UUID


def segments(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any]:
    """All segments there are, by code, and how far the counting under way has come (None: none is)."""
    program = programs.load(session, program_id)
    there = segments_at(session, program, now)
    sizes = {row["segment"]: row for row in session.rows(_SIZES, (program_id,), into=dict_row)}
    data = [
        {**asdict(each), "built_in": each in BUILT_IN, "size": 0, "counted_at": None, **sizes.get(code, {})}
        for code, each in sorted(there.items())
    ]
    return {"data": data, "next": None, "counting": session.row(_COUNTING, (program_id,), into=dict_row)}


def segment(session: Session, program_id: UUID, code: str, *, now: datetime) -> dict[str, Any]:
    """One segment. Refuses: SegmentNotFound."""
    found = segments(session, program_id, now=now)["data"]
    shown: dict[str, Any] | None = next((each for each in found if each["code"] == code), None)
    if shown is None:
        raise SegmentNotFound(code)
    return shown


def members(session: Session, program_id: UUID, code: str, window: Window, *, now: datetime) -> Page[SegmentMember]:
    """Who is in a segment, in the order in which they were enrolled. Refuses: SegmentNotFound."""
    if code not in segments_at(session, programs.load(session, program_id), now):
        raise SegmentNotFound(code)
    (after,) = window.position(str) or (str(_FIRST),)
    where = {"program_id": program_id, "code": code, "after": _uuid(after), "limit": window.limit + 1}
    rows = session.rows(_MEMBERS, where, into=class_row(SegmentMember))
    return page(rows, window, lambda member: [str(member.member_id)])


def _uuid(text: str) -> UUID:
    """An id out of a cursor; the start of the list for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return _FIRST
