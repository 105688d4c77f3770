"""Editing and publishing a ladder."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core import clock
from loyalty.core.errors import EffectiveFromPast, NothingToPublish
from loyalty.db import queue
from loyalty.db.session import Session
from loyalty.events import service as facts
from loyalty.programs import queries as programs
from loyalty.tiers import events, queries
from loyalty.tiers.checking import check
from loyalty.tiers.domain import Moving
from loyalty.tiers.drafts import Draft
from loyalty.tiers.errors import LadderInvalid
from loyalty.tiers.models import LadderDraftRow, LadderMoveRow, LadderRow

# Orders that are under way while a ladder is published have not seen it, and were placed before it came into force:
# a commit takes a thousandth of this.
LEAD = timedelta(milliseconds=250)

# Members are moved in the order of their ids; every id comes after this one.
BEFORE_ALL = UUID(int=0)


def save_draft(
    session: Session, program_id: UUID, new: dict[str, Any], *, actor: str = COMMAND_LINE, now: datetime
) -> Draft:
    """Replace the draft. The caller has locked the program's configuration and checked the version."""
    row = session.orm.get(LadderDraftRow, program_id) or LadderDraftRow(program_id=program_id, version=0)
    before = None if row.ladder is None else {"version": row.version, **row.ladder}
    row.ladder, row.updated_at, row.version = new, now, row.version + 1
    session.orm.add(row)
    session.orm.flush()
    audit.record(
        session, program_id, actor=actor, action="ladder.drafted", resource="ladder/draft",
        before=before, after={"version": row.version, **new}, now=now,
    )  # fmt: skip
    return Draft(row.version, new)


def publish(
    session: Session, program_id: UUID, *, moving: Moving, effective_from: datetime | None, published_by: str,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Publish the draft, in force from `effective_from` on; if absent from now on, which is in a quarter of a second.

    The first ladder of a program is in force from the beginning of time: what was bought before counts. The members
    there are will be moved to it by a job, as `moving` says.
    Refuses: NothingToPublish, LadderInvalid, EffectiveFromPast.
    """
    working = clock.stopwatch()
    draft = session.orm.get(LadderDraftRow, program_id)
    if draft is None or draft.ladder is None:
        raise NothingToPublish("There is no draft; PUT one first.")
    # Only errors count here, and none of them depends on the ladder in force: that is not looked up under the lock.
    found = check(draft.ladder, programs.load(session, program_id), now=now)
    if errors := [asdict(finding) for finding in found if finding.level == "error"]:
        raise LadderInvalid("The ladder cannot be published as it is: POST …/check says more.", errors=errors)
    if effective_from is not None and effective_from < now:
        raise EffectiveFromPast("effective_from lies in the past.", effective_from=effective_from)
    newest = next(iter(queries.stored_ladders(session, program_id, now=now)), None)
    soon = now + working() + LEAD
    row = LadderRow(
        program_id=program_id,
        version=newest["version"] + 1 if newest else 1,
        ladder=draft.ladder,
        moving=moving,
        effective_from=None if newest is None and effective_from is None else max(effective_from or soon, soon),
        published_at=now,
        published_by=published_by,
    )
    draft.ladder, draft.version, draft.updated_at = None, draft.version + 1, now
    session.orm.add_all((row, _move(row, now=now)))
    session.orm.flush()
    # The job that looks every minute would find the move, too; this one is there the moment the ladder is in force.
    wait = None if row.effective_from is None else row.effective_from - now
    queue.defer(session, "tiers.move", after=wait, timestamp=0)
    published = queries.stored_ladder(session, program_id, version=row.version, now=now)
    audit.record(
        session, program_id, actor=published_by, action="ladder.published", resource="ladder",
        before=newest, after=published, now=now,
    )  # fmt: skip
    facts.tell_now(
        session, program_id, events.ladder_published(row.version, row.effective_from, occurred_at=now), now=now
    )
    return published


def _move(row: LadderRow, *, now: datetime) -> LadderMoveRow:
    """The move of the members there are, which has not begun."""
    return LadderMoveRow(
        program_id=row.program_id,
        version=row.version,
        effective_from=row.effective_from or now,
        after=BEFORE_ALL,
        members_done=0,
        members_total=None,
        up=0,
        down=0,
    )
