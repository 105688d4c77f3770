"""What would become of members if a draft of a ladder was published now: asking for it, and doing it.

Members are read by their ids, some at a time, each time in a transaction of its own that only reads: nothing is locked,
nothing is written, and never more than those few are held.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.core.errors import NothingToPublish
from loyalty.db.session import Session, transaction
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rehearsals import service
from loyalty.rehearsals.domain import Interrupted, NewLadderRehearsal, Outcome, Rehearsal, Told
from loyalty.rehearsals.ladder_findings import LadderFindings, published_now
from loyalty.rehearsals.orders import patiently
from loyalty.tiers import drafts, queries, reading
from loyalty.tiers.checking import check
from loyalty.tiers.domain import Ladder, Ladders
from loyalty.tiers.errors import LadderInvalid
from loyalty.tiers.moving import MEMBERS, PRESENT
from loyalty.tiers.reading import Asked
from loyalty.tiers.storing import ladder_from

# About a fifth of a second of work: so soon a rehearsal stops when it is told to.
PAGE = 500

_EVERYBODY = f"SELECT count(*) FROM members m WHERE {PRESENT}"
_TOTAL = f"SELECT count(*) {MEMBERS}"
_PAGE = f"SELECT m.member_id, m.enrolled_at, m.customer_id {MEMBERS} ORDER BY m.member_id LIMIT %(limit)s"
NOBODY = UUID(int=0)


def request_ladder_rehearsal(
    session: Session, program_id: UUID, new: NewLadderRehearsal, *, requested_by: str, now: datetime
) -> Rehearsal:
    """Put a rehearsal of a ladder into the queue. Refuses: NothingToPublish, LadderInvalid."""
    draft = draft_of(session, program_id, new, now=now)
    return service.ask(session, program_id, "ladder", draft, requested_by=requested_by, now=now)


def draft_of(session: Session, program_id: UUID, new: NewLadderRehearsal, *, now: datetime) -> dict[str, Any]:
    """The ladder to be rehearsed: the one given, or else the stored one. Refuses: NothingToPublish, LadderInvalid."""
    ladder = new.ladder
    if ladder is None:
        stored = drafts.draft(session, program_id, now=now)
        if not stored.begun:
            raise NothingToPublish("There is no draft: PUT one first, or send a ladder to rehearse.")
        ladder = stored.ladder
    found = check(ladder, programs.load(session, program_id), now=now)
    if errors := [asdict(finding) for finding in found if finding.level == "error"]:
        raise LadderInvalid("The ladder cannot be rehearsed as it is: POST …/check says more.", errors=errors)
    return {"ladder": ladder, "moving": new.members}


def drafted(draft: dict[str, Any]) -> Ladder:
    """The ladder of a draft, as version 0 of itself."""
    return ladder_from(draft["ladder"], version=0, moving=draft["moving"])


class _Overtaken(Exception):
    """Another ladder was published meanwhile."""


def perform(program: Program, draft: Ladder, *, told: Told = lambda _done, _total: True, now: datetime) -> Outcome:
    """Judge every member of a program by a ladder that is not in force. Raises Interrupted."""
    while True:
        try:
            return _perform(program, draft, told, now)
        except _Overtaken:
            # What was found is of no use: from the beginning.
            continue


def _perform(program: Program, draft: Ladder, told: Told, now: datetime) -> Outcome:
    where: dict[str, Any] = {"program_id": program.program_id, "after": NOBODY, "limit": PAGE}
    with transaction() as session:
        patiently(session)
        published = _published(session, program)
        everybody: int = session.row(_EVERYBODY, where, into=scalar_row) or 0
        total: int = session.row(_TOTAL, where, into=scalar_row) or 0
    findings = LadderFindings(program, published, published_now(published, draft, now=now), now=now)
    done = 0
    while True:
        if not told(done, total):
            raise Interrupted
        with transaction() as session:
            patiently(session)
            if _published(session, program) != published:
                raise _Overtaken
            page = session.rows(_PAGE, where, into=tuple_row)
            asked = [Asked(member_id, enrolled_at, None) for member_id, enrolled_at, _ in page]
            standings = reading.whole(session, published, asked, now=now)
        for member_id, _, customer_id in page:
            findings.judge(customer_id, standings[member_id])
        done += len(page)
        if len(page) < PAGE:
            break
        where["after"] = page[-1][0]
    findings.count_the_rest(max(0, everybody - done))
    return Outcome(done, findings.result())


def _published(session: Session, program: Program) -> Ladders:
    """The ladders of a program as they are now."""
    return queries.ladders(session, programs.load(session, program.program_id))
