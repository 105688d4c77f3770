"""Editing and publishing earning rules."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core import clock
from loyalty.core.errors import EffectiveFromPast, NothingToPublish
from loyalty.db.session import Session
from loyalty.earning import budgets, events, queries
from loyalty.earning.checking import check
from loyalty.earning.domain import Draft
from loyalty.earning.errors import RulesInvalid
from loyalty.earning.models import RuleDraftRow, RuleSetRow
from loyalty.events import service as facts
from loyalty.programs import queries as programs

# Orders that are under way while rules are published have not seen them, and were placed before they came into force:
# a commit takes a thousandth of this.
LEAD = timedelta(milliseconds=250)

_ANYTHING_JUDGED = "SELECT EXISTS (SELECT 1 FROM natural_keys WHERE program_id = %s AND kind IN ('order', 'activity'))"


def save_draft(
    session: Session, program_id: UUID, new: dict[str, Any], *, actor: str = COMMAND_LINE, now: datetime
) -> Draft:
    """Replace the draft. The caller has locked the program's configuration and checked the version."""
    row = session.orm.get(RuleDraftRow, program_id) or RuleDraftRow(program_id=program_id, version=0)
    before = None if row.rules is None else {"version": row.version, "rules": row.rules, "segments": row.segments}
    after = {"version": row.version + 1, **new}
    row.rules, row.segments, row.updated_at, row.version = new["rules"], new["segments"], now, row.version + 1
    session.orm.add(row)
    session.orm.flush()
    audit.record(
        session, program_id, actor=actor, action="earning-rules.drafted", resource="earning-rules/draft",
        before=before, after=after, now=now,
    )  # fmt: skip
    return Draft(row.version, row.rules, row.segments)


def publish(
    session: Session, program_id: UUID, *, effective_from: datetime | None, published_by: str, now: datetime
) -> dict[str, Any]:
    """Publish the draft, in force from `effective_from` on; if absent from now on, which is in a quarter of a second.

    The first set of a program without orders and activities is in force from the beginning of time.
    Refuses: NothingToPublish, RulesInvalid, EffectiveFromPast.
    """
    working = clock.stopwatch()
    draft = session.orm.get(RuleDraftRow, program_id)
    if draft is None or draft.rules is None:
        raise NothingToPublish("There is no draft; PUT one first.")
    # Only errors count here, and none of them depends on what was sold: that is not looked up under the lock.
    found = check(draft.rules, draft.segments, programs.load(session, program_id), now=now)
    if errors := [asdict(finding) for finding in found if finding.level == "error"]:
        raise RulesInvalid("The rules cannot be published as they are: POST …/check says more.", errors=errors)
    if effective_from is not None and effective_from < now:
        raise EffectiveFromPast("effective_from lies in the past.", effective_from=effective_from)
    newest, *older = queries.stored_sets(session, program_id, now=now)
    rules = _numbered(draft.rules, [rule for each in reversed([newest, *older]) for rule in each["rules"]])
    # To check hundreds of rules takes time, and the lead begins now.
    soon = now + working() + LEAD
    is_first = newest["version"] == 0 and not session.row(_ANYTHING_JUDGED, (program_id,), into=scalar_row)
    row = RuleSetRow(
        program_id=program_id,
        version=newest["version"] + 1,
        rules=rules,
        segments=draft.segments,
        effective_from=None if is_first and effective_from is None else max(effective_from or soon, soon),
        published_at=now,
        published_by=published_by,
    )
    budgets.open_budgets(session, program_id, [r["code"] for r in draft.rules if r.get("caps", {}).get("budget")])
    draft.rules, draft.segments, draft.version, draft.updated_at = None, [], draft.version + 1, now
    session.orm.add(row)
    session.orm.flush()
    published = queries.stored_set(session, program_id, version=row.version, now=now)
    audit.record(
        session, program_id, actor=published_by, action="earning-rules.published", resource="earning-rules",
        before=newest, after=published, now=now,
    )  # fmt: skip
    facts.tell_now(
        session, program_id, events.rules_published(row.version, row.effective_from, occurred_at=now), now=now
    )
    return published


def _numbered(rules: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each rule its version: that of the last rule that had its code if nothing changed, else the next.

    `before` are all rules ever published, oldest first: a code that comes back must not name two rules by one version.
    """
    known = {rule["code"]: rule for rule in before}
    numbered = []
    for rule in rules:
        old = known.get(rule["code"], {"version": 0})
        same = {k: v for k, v in old.items() if k != "version"} == rule
        numbered.append({**rule, "version": old["version"] if same else old["version"] + 1})
    return numbered
