"""Reading for whom the program's reward was not redeemed by itself yet, and why."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session
from loyalty.programs.domain import POINTS

# Who has spent the points elsewhere, or waits for what the program no longer gives, does not wait any more.
_WAITS = """
SELECT m.customer_id, w.reward_code AS reward, w.reason, w.tried_at, w.retry_at, w.member_id
FROM auto_redeem_waits w JOIN programs p ON p.program_id = w.program_id JOIN members m ON m.member_id = w.member_id
JOIN accounts a ON a.member_id = w.member_id AND a.unit = %(unit)s AND a.available >= p.notice_points
WHERE w.program_id = %(program_id)s AND w.member_id > %(after)s
  AND w.reward_code = p.settings #>> '{auto_redeem, reward}'
ORDER BY w.member_id LIMIT %(limit)s
"""
_FIRST = str(UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A member who has points enough but cannot have the reward now; `retry_at`: when that is tried again."""

    customer_id: str
    reward: str
    reason: str
    tried_at: datetime
    retry_at: datetime | None
    member_id: UUID


def waits(session: Session, program_id: UUID, window: Window) -> Page[Wait]:
    """Those who wait, in the order in which they were enrolled."""
    (after,) = window.position(str) or (_FIRST,)
    where = {"program_id": program_id, "unit": POINTS, "after": _uuid(after), "limit": window.limit + 1}
    rows = session.rows(_WAITS, where, into=class_row(Wait))
    return page(rows, window, lambda wait: [str(wait.member_id)])


def _uuid(text: str) -> str:
    """An id out of a cursor; the start of the list for anything else."""
    try:
        return str(UUID(text))
    except ValueError:
        return _FIRST
