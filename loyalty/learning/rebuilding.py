"""Building the features of all members of a program anew from their orders, beside the service.

What is right already is read and not written, so it may be interrupted and begun again at any time, and may run twice.
It is also how those orders are learned that were there before there was a log of facts.
"""

from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.events.following import hold
from loyalty.learning.following import NAME
from loyalty.learning.relearning import AT_ONCE, compared

_BEFORE_ALL = UUID(int=0)
_PAGE = """
SELECT member_id FROM members WHERE program_id = %s AND member_id > %s AND merged_into IS NULL
ORDER BY member_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """So many members were looked at, up to `last`; so many rows were other than their orders say."""

    members: int
    wrong: int
    last: UUID


def rebuild_page(
    session: Session, program_id: UUID, after: UUID | None = None, *, check: bool = False, limit: int = AT_ONCE
) -> Rebuilt | None:
    """Make the features of the next members what their orders say, or only look (`check`). None: there are no more.

    Until the transaction ends, the log is not followed for features of the program; nobody else waits.
    """
    hold(session, NAME, program_id)
    members = session.rows(_PAGE, (program_id, after or _BEFORE_ALL, limit), into=scalar_row)
    if not members:
        return None
    changes, wrong = compared(session, program_id, members)
    if not check:
        write(session, changes)
    return Rebuilt(len(members), wrong, members[-1])
