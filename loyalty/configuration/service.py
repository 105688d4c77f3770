"""Applying a configuration."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.configuration import queries
from loyalty.configuration.domain import Comparison
from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.earning import queries as drafts
from loyalty.earning import service as earning
from loyalty.earning.errors import RulesInvalid
from loyalty.programs import service as programs
from loyalty.rewards import service as rewards


def import_configuration(
    session: Session, program_id: UUID, wanted: dict[str, Any], *, actor: str = COMMAND_LINE, now: datetime
) -> Comparison:
    """Make a program as a document says: all of it or nothing, and nothing at all where it is so already.

    Goes through the use cases of the endpoints. Settings come first, for rules may give units that they add.
    Refuses: RulesInvalid.
    """
    working = clock.stopwatch()
    programs.hold_still(session, program_id)
    comparison = queries.comparison(session, program_id, wanted, now=now)
    if not comparison.changes:
        return comparison
    before = queries.configuration(session, program_id, now=now)
    programs.touch(session, program_id)
    if comparison.touches("/program"):
        programs.change_settings(session, program_id, wanted["program"], actor=actor, now=now)
    for number, (code, new) in enumerate(wanted.get("rewards", ())):
        if comparison.touches(f"/rewards/{number}"):
            rewards.put_reward(session, program_id, code, new, keep_stock=True, actor=actor, now=now)
    in_force_at = now
    if comparison.touches("/earning_rules"):
        # Last of all, for it takes effect a moment from then.
        in_force_at = _publish(session, program_id, wanted["earning_rules"], actor=actor, now=now + working())
    after = queries.configuration(session, program_id, now=in_force_at)
    audit.record(
        session, program_id, actor=actor, action="configuration.imported", resource="config", before=before,
        after=after, now=now,
    )  # fmt: skip
    return replace(comparison, in_force_at=in_force_at)


def _publish(session: Session, program_id: UUID, wanted: dict[str, Any], *, actor: str, now: datetime) -> datetime:
    """Publish rules by way of the draft; answers when they are in force. A draft that someone has begun is put back."""
    begun = drafts.draft(session, program_id, now=now)
    earning.save_draft(session, program_id, wanted, actor=actor, now=now)
    try:
        published = earning.publish(session, program_id, effective_from=None, published_by=actor, now=now)
    except RulesInvalid as refused:
        errors = [{**error, "pointer": f"/earning_rules{error['pointer']}"} for error in refused.facts["errors"]]
        raise RulesInvalid(refused.detail, **{**refused.facts, "errors": errors}) from None
    if begun.begun:
        theirs = {name: getattr(begun, name) for name in wanted}
        earning.save_draft(session, program_id, theirs, actor=actor, now=now)
    return published["effective_from"] or now
