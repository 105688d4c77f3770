"""Asking for a rehearsal, stopping it, and keeping the record of one that runs."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import scalar_row, tuple_row

from loyalty.core.errors import InvalidRequest, NothingToPublish
from loyalty.core.ids import new_id
from loyalty.db.queue import defer
from loyalty.db.session import Session
from loyalty.earning import queries as earning
from loyalty.earning.checking import check
from loyalty.earning.errors import RulesInvalid
from loyalty.earning.rules import RuleSet
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rehearsals import queries
from loyalty.rehearsals.domain import ATTEMPTS_MAX, JOB, LOCK, Kind, NewRehearsal, Rehearsal, Span, Task
from loyalty.rehearsals.models import RehearsalRow

# Who has begun it last goes on with it: a worker that was thought dead finds out, and stops.
_BEGIN = """
UPDATE rehearsals SET status = 'running', attempts = attempts + 1, started_at = %(now)s, done = 0
WHERE rehearsal_id = %(rehearsal_id)s AND status IN ('queued', 'running') AND attempts < %(most)s
RETURNING rehearsal_id, program_id, kind, draft, placed_from, placed_to, attempts
"""
_ADVANCE = """
UPDATE rehearsals SET done = %(done)s, total = %(total)s
WHERE rehearsal_id = %(rehearsal_id)s AND attempts = %(attempt)s AND status = 'running'
"""
_FINISH = """
UPDATE rehearsals SET status = 'done', result = %(result)s::jsonb, finished_at = %(now)s,
    done = %(done)s, total = %(done)s
WHERE rehearsal_id = %(rehearsal_id)s AND attempts = %(attempt)s AND status = 'running'
"""
_FAIL = """
UPDATE rehearsals SET status = 'failed', error = %(error)s, finished_at = %(now)s
WHERE rehearsal_id = %(rehearsal_id)s AND status IN ('queued', 'running')
"""
_CANCEL = """
UPDATE rehearsals SET status = 'cancelled', finished_at = %(now)s
WHERE program_id = %(program_id)s AND kind = %(kind)s AND rehearsal_id = %(rehearsal_id)s
    AND status IN ('queued', 'running')
RETURNING true
"""


def request_rehearsal(
    session: Session, program_id: UUID, new: NewRehearsal, *, requested_by: str, now: datetime
) -> Rehearsal:
    """Put a rehearsal of earning rules into the queue. Refuses: NothingToPublish, RulesInvalid."""
    program = programs.load(session, program_id)
    draft = draft_of(session, program, new, now=now)
    span = span_of(new, now=now)
    return ask(session, program_id, "earning_rules", draft, span=span, requested_by=requested_by, now=now)


def ask(
    session: Session, program_id: UUID, kind: Kind, draft: dict[str, Any], *, span: Span | None = None,
    requested_by: str, now: datetime,
) -> Rehearsal:  # fmt: skip
    """Put the rehearsal of a draft into the queue."""
    row = RehearsalRow(
        rehearsal_id=new_id(), program_id=program_id, kind=kind, draft=draft, placed_from=span and span.begin,
        placed_to=span and span.end, status="queued", requested_by=requested_by, requested_at=now,
    )  # fmt: skip
    session.orm.add(row)
    session.orm.flush()
    defer(session, JOB, lock=LOCK, rehearsal_id=str(row.rehearsal_id))
    return queries.rehearsal(session, program_id, kind, row.rehearsal_id)


def cancel_rehearsal(session: Session, program_id: UUID, kind: Kind, rehearsal_id: UUID, *, now: datetime) -> Rehearsal:
    """Stop a rehearsal that is not over yet; one that is over stays as it is. Refuses: RehearsalNotFound."""
    where = {"program_id": program_id, "kind": kind, "rehearsal_id": rehearsal_id, "now": now}
    session.row(_CANCEL, where, into=scalar_row)
    return queries.rehearsal(session, program_id, kind, rehearsal_id)


def draft_of(session: Session, program: Program, new: NewRehearsal, *, now: datetime) -> dict[str, Any]:
    """The draft to be rehearsed: the one given, or else the stored one. Refuses: NothingToPublish, RulesInvalid."""
    rules, segments = new.rules, new.segments
    if rules is None:
        stored = earning.draft(session, program.program_id, now=now)
        if not stored.begun:
            raise NothingToPublish("There is no draft: PUT one first, or send rules to rehearse.")
        rules, segments = stored.rules, stored.segments
    found = check(rules, segments, program, now=now)
    if errors := [asdict(finding) for finding in found if finding.level == "error"]:
        raise RulesInvalid("The rules cannot be rehearsed as they are: POST …/check says more.", errors=errors)
    return {"rules": rules, "segments": segments}


def span_of(new: NewRehearsal, *, now: datetime) -> Span:
    """The time whose orders are meant: up to now, unless said otherwise. Raises InvalidRequest for none at all."""
    end = min(new.end or now, now)
    begin = new.begin or end - timedelta(days=new.days)
    if begin >= end:
        raise InvalidRequest([{"pointer": "/from", "detail": "Must be earlier than `to`, and in the past."}])
    return Span(begin, end)


def rules_of(draft: dict[str, Any]) -> RuleSet:
    """The rules of a draft, as version 0 of themselves."""
    rules = [{**rule, "version": 0} for rule in draft["rules"]]
    return earning.rule_set({"version": 0, "rules": rules, "segments": draft["segments"]})


def begin(session: Session, rehearsal_id: UUID, *, now: datetime) -> Task | None:
    """Begin a rehearsal, or begin again one that was cut off; None for one that is over, or was cut off too often."""
    where = {"rehearsal_id": rehearsal_id, "now": now, "most": ATTEMPTS_MAX}
    begun = session.row(_BEGIN, where, into=tuple_row)
    if begun is None:
        fail(session, rehearsal_id, f"It was cut off {ATTEMPTS_MAX} times.", now=now)
        return None
    begun_id, program_id, kind, draft, placed_from, placed_to, attempt = begun
    span = None if placed_from is None else Span(placed_from, placed_to)
    return Task(begun_id, program_id, kind, draft, span, attempt)


def advance(session: Session, task: Task, *, done: int, total: int) -> bool:
    """Say how far it is; answers whether it is to go on: it may have been cancelled, or begun by somebody else."""
    where = {"rehearsal_id": task.rehearsal_id, "attempt": task.attempt, "done": done, "total": total}
    return session.run(_ADVANCE, where) > 0


def finish(session: Session, task: Task, result: dict[str, Any], *, done: int, now: datetime) -> None:
    """Keep what came out, unless it was cancelled."""
    written = orjson.dumps(result, option=orjson.OPT_UTC_Z).decode()
    where = {"rehearsal_id": task.rehearsal_id, "attempt": task.attempt, "done": done, "result": written, "now": now}
    session.run(_FINISH, where)


def fail(session: Session, rehearsal_id: UUID, error: str, *, now: datetime) -> None:
    """Give a rehearsal up, unless it is over."""
    session.run(_FAIL, {"rehearsal_id": rehearsal_id, "error": error, "now": now})
