"""Editing and publishing earning rules."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.db.session import Session
from loyalty.earning import queries
from loyalty.earning.domain import Draft
from loyalty.earning.errors import EffectiveFromPast, NothingToPublish, RulesInvalid
from loyalty.earning.models import RuleDraftRow, RuleSetRow
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program

_ORDERS_JUDGED = "SELECT EXISTS (SELECT 1 FROM natural_keys WHERE program_id = %s AND kind = 'order')"


def save_draft(
    session: Session, program_id: UUID, new: dict[str, Any], *, actor: str = COMMAND_LINE, now: datetime
) -> Draft:
    """Replace the draft. The caller has locked the program's configuration and checked the version."""
    row = session.orm.get(RuleDraftRow, program_id) or RuleDraftRow(program_id=program_id, version=0)
    before = None if row.rules is None else {"version": row.version, "rules": row.rules}
    after = {"version": row.version + 1, **new}
    row.rules, row.updated_at, row.version = new["rules"], now, row.version + 1
    session.orm.add(row)
    session.orm.flush()
    audit.record(
        session, program_id, actor=actor, action="earning-rules.drafted", resource="earning-rules/draft",
        before=before, after=after, now=now,
    )  # fmt: skip
    return Draft(row.version, new["rules"])


def publish(
    session: Session, program_id: UUID, *, effective_from: datetime | None, published_by: str, now: datetime
) -> dict[str, Any]:
    """Publish the draft, in force from `effective_from` on; from now on, if absent.

    The first set of a program without orders is in force from the beginning of time.
    Refuses: NothingToPublish, RulesInvalid, EffectiveFromPast.
    """
    draft = session.orm.get(RuleDraftRow, program_id)
    if draft is None or draft.rules is None:
        raise NothingToPublish("There is no draft; PUT one first.")
    _refuse_contradictions(draft.rules)
    _refuse_unknown_units(draft.rules, programs.load(session, program_id))
    if effective_from is not None and effective_from < now:
        raise EffectiveFromPast("effective_from lies in the past.", effective_from=effective_from)
    newest, *older = queries.stored_sets(session, program_id)
    is_first = newest["version"] == 0 and not session.row(_ORDERS_JUDGED, (program_id,), into=scalar_row)
    row = RuleSetRow(
        program_id=program_id,
        version=newest["version"] + 1,
        rules=_numbered(draft.rules, [rule for each in reversed([newest, *older]) for rule in each["rules"]]),
        effective_from=effective_from if effective_from or is_first else now,
        published_at=now,
        published_by=published_by,
    )
    draft.rules, draft.version, draft.updated_at = None, draft.version + 1, now
    session.orm.add(row)
    session.orm.flush()
    published = queries.stored_set(session, program_id, version=row.version, now=now)
    audit.record(
        session, program_id, actor=published_by, action="earning-rules.published", resource="earning-rules",
        before=newest, after=published, now=now,
    )  # fmt: skip
    return published


def _refuse_contradictions(rules: list[dict[str, Any]]) -> None:
    """Codes name a rule in every award and priorities decide who comes first, so both are unique."""
    found = []
    for name in ("code", "priority"):
        counted = Counter(rule[name] for rule in rules)
        for number, rule in enumerate(rules):
            if counted[rule[name]] > 1:
                detail = f"Several rules have the {name} {rule[name]}."
                found.append({"pointer": f"/rules/{number}/{name}", "detail": detail})
    if found:
        raise RulesInvalid("Each rule needs a code and a priority of its own.", errors=found)


def _refuse_unknown_units(rules: list[dict[str, Any]], program: Program) -> None:
    found = [
        {"pointer": f"/rules/{number}/unit", "detail": f"This program has no unit '{rule['unit']}'."}
        for number, rule in enumerate(rules)
        if rule.get("unit", POINTS) not in program.units
    ]
    if found:
        raise RulesInvalid("A rule gives a unit that the program has: PATCH /v1/admin/program adds one.", errors=found)


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
