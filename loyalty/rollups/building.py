"""Counting a program anew from the beginning of its log, beside the service, in a generation of its own.

Until it has come as far as the one in use, that one is asked; then they change over at once. It may be interrupted at
any time and goes on where it was, and two may do it together.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from loyalty.db.session import Session
from loyalty.events.following import Place, hold, page_after, place_of
from loyalty.programs import queries as programs
from loyalty.rollups import keeping
from loyalty.rollups.cells import Counting
from loyalty.rollups.following import NAME, count
from loyalty.rollups.gathering import TYPES
from loyalty.rollups.keeping import LAYOUT, STATES, State

# So many facts are counted in one transaction, and so many of them are read at once.
PAGE = 20_000
AT_ONCE = 5_000

# So many rows of a generation that nobody uses are deleted in one transaction.
DELETED_AT_ONCE = 20_000

_TABLES = ("rollup_sums", "rollup_sets", "rollup_cursors", "rollup_returns")

# Whoever builds it, too, is waited for.
_PATIENCE = "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)"
_DUE = """
SELECT s.program_id FROM rollup_states s JOIN programs p ON p.program_id = s.program_id
WHERE s.status = 'used' AND (s.layout <> %s OR s.time_zone <> p.time_zone) ORDER BY s.program_id LIMIT 1
"""
_OF_STATUS = f"{STATES} WHERE status = %s ORDER BY program_id, generation LIMIT 1"
_OTHERS = f"{STATES} WHERE program_id = %s AND status = %s"
_LOCK = f"{STATES} WHERE program_id = %s AND generation = %s FOR UPDATE"
_LAST = "SELECT max(generation) FROM rollup_states WHERE program_id = %s"
_BECOME = "UPDATE rollup_states SET status = %s WHERE program_id = %s AND generation = %s"
_DELETE = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE program_id = %s AND generation = %s LIMIT %s))
"""
_FORGET = "DELETE FROM rollup_states WHERE program_id = %s AND generation = %s"


@dataclass(frozen=True, slots=True)
class Built:
    """So many facts were counted, up to those recorded `as_of`; `done`: there are no more."""

    facts: int
    as_of: datetime | None
    done: bool


def rebuild_batch(session: Session) -> int:
    """The next step for one program that is due, or of deleting what is not used any more; 0 if there is nothing to do.

    Due is a program that has another time zone than it was counted by, or that was counted in another way than now.
    """
    if (leaving := session.row(_OF_STATUS, ("leaving",), into=class_row(State))) is not None:
        return delete(session, leaving)
    state = session.row(_OF_STATUS, ("building",), into=class_row(State))
    if state is None:
        program_id = session.row(_DUE, (LAYOUT,), into=scalar_row)
        if program_id is None or begin(session, program_id) is None:
            return 0
        return 1
    built = build(session, state)
    if built.done:
        change_over(session, state)
    return built.facts + 1


def begin(session: Session, program_id: UUID, *, check: bool = False) -> State | None:
    """The generation to be built: one that was begun, if it will do, or a new one. None: nothing was counted ever.

    To `check`, it is always a new one, which is counted by the days of the one in use.
    """
    hold(session, NAME, program_id)
    used = keeping.state_in_use(session, program_id)
    if used is None:
        return None
    zone = used.time_zone if check else programs.load(session, program_id).time_zone
    for other in session.rows(_OTHERS, (program_id, "checking" if check else "building"), into=class_row(State)):
        if not check and (other.layout, other.time_zone) == (LAYOUT, zone):
            return other
        session.run(_BECOME, ("leaving", program_id, other.generation))
    last = session.row(_LAST, (program_id,), into=scalar_row)
    new = keeping.unbegun(program_id, (last or 0) + 1, "checking" if check else "building", time_zone=zone)
    return keeping.begin(session, new)


def build(session: Session, state: State, *, limit: int = PAGE) -> Built:
    """Count the next facts of a generation, as far as the one in use has come."""
    session.run(_PATIENCE)
    keeping.look_up_by_key(session)
    now_is = _lock(session, state)
    to = place_of(session, NAME, state.program_id)
    if now_is is None or to is None:
        return Built(0, None, done=True)
    counted, facts = Counting(now_is.time_zone), 0
    while facts < limit:
        page = page_after(
            session, state.program_id, Place(now_is.xid, now_is.seq), TYPES, limit=min(AT_ONCE, limit - facts), to=to
        )
        if page is None:
            break
        count(session, now_is, page, counted)
        now_is = keeping.move(session, now_is, page)
        facts += len(page.facts) + 1
    keeping.keep(session, now_is, counted)
    return Built(facts, now_is.as_of, done=facts < limit)


def change_over(session: Session, state: State) -> None:
    """Use a generation that was built instead of the one in use, once it has come as far."""
    catch_up(session, state)
    used = keeping.state_in_use(session, state.program_id)
    now_is = _lock(session, state)
    if used is None or now_is is None or now_is.status != "building":
        return
    session.run(_BECOME, ("leaving", used.program_id, used.generation))
    session.run(_BECOME, ("used", now_is.program_id, now_is.generation))


def catch_up(session: Session, state: State) -> None:
    """Bring a generation to where the one in use is, which goes no further until the transaction ends."""
    hold(session, NAME, state.program_id)
    while not build(session, state).done:
        pass


def leave(session: Session, state: State) -> State:
    """Use a generation no more. Its rows are deleted later."""
    session.run(_BECOME, ("leaving", state.program_id, state.generation))
    return replace(state, status="leaving")


def delete(session: Session, state: State, *, limit: int = DELETED_AT_ONCE) -> int:
    """Delete rows of a generation that nobody uses, and at last itself; answers how many."""
    whose, done = (state.program_id, state.generation), 0
    for table in _TABLES:
        if done < limit:
            done += session.run(_DELETE.format(table=table), (*whose, limit - done))
    return done or session.run(_FORGET, whose)


def _lock(session: Session, state: State) -> State | None:
    """The generation as it is now, which nobody else counts until the transaction ends; None if it is gone."""
    return session.row(_LOCK, (state.program_id, state.generation), into=class_row(State))
