"""Following the log: what happens is counted right behind it, exactly once.

What a page adds is written in the transaction that moves the place in the log, by who holds that place. So nobody is
locked, nobody who records orders is ever waited for, and what was cut off is counted again as if it had never begun.
"""

from uuid import UUID

from loyalty.db.session import Session
from loyalty.events.following import LogPage, Place, by_turns, move, page_after, take_place
from loyalty.rollups import counting, keeping
from loyalty.rollups.cells import Counting
from loyalty.rollups.gathering import TYPES, gather
from loyalty.rollups.keeping import State

NAME = "rollups"

# So many facts in one transaction: some tenths of a second.
PAGE = 2_000
# So many facts that are not counted yet are counted for a report, which is not to wait for more: a tenth of a second.
TAIL = 500


def follow_batch(session: Session, *, limit: int = PAGE) -> int:
    """Count the next facts of all programs; 0 if there are none."""
    return by_turns(session, NAME, lambda who, most: follow_program(session, who, limit=most), limit=limit)


def follow_program(session: Session, program_id: UUID, *, limit: int = PAGE) -> int:
    """Count the next facts of a program; 0 if there are none, or somebody else does."""
    if take_place(session, NAME, program_id) is None:
        return 0
    keeping.look_up_by_key(session)
    state = keeping.state_in_use(session, program_id)
    state = state or keeping.begin(session, keeping.first_state(session, program_id))
    page = page_after(session, program_id, Place(state.xid, state.seq), TYPES, limit=limit)
    if page is None:
        return 0
    counted = Counting(state.time_zone)
    count(session, state, page, counted)
    keeping.keep(session, state, counted)
    keeping.move(session, state, page)
    move(session, NAME, program_id, page.end)
    return len(page.facts) + 1


def count(session: Session, state: State, page: LogPage, into: Counting, *, temporary: bool = False) -> None:
    """Count a page of the log, which comes behind what was counted of the generation, and put into `into`."""
    gathered = gather(session, state.program_id, state.generation, page.facts, into, temporary=temporary)
    counting.count(into, page.facts, gathered)


def uncounted(session: Session, state: State, *, limit: int = TAIL) -> tuple[Counting, LogPage | None] | None:
    """What the facts behind a generation's place add, without writing it; None if they are more than `limit`."""
    keeping.look_up_by_key(session)
    page = page_after(session, state.program_id, Place(state.xid, state.seq), TYPES, limit=limit, settled=False)
    counted = Counting(state.time_zone)
    if page is not None:
        if page_after(session, state.program_id, page.end, TYPES, limit=1, settled=False) is not None:
            return None
        count(session, state, page, counted, temporary=True)
    return counted, page
