"""Rules in force, remembered by the program's configuration version; drafts, and what there is to say of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, tuple_row

from loyalty.core.errors import NothingToPublish
from loyalty.core.findings import Finding
from loyalty.db.session import Session
from loyalty.earning import budgets
from loyalty.earning.checking import check
from loyalty.earning.checks.coverage import all_above
from loyalty.earning.checks.proposal import Known
from loyalty.earning.domain import Draft
from loyalty.earning.errors import RuleSetNotFound
from loyalty.earning.rules import RuleSet
from loyalty.earning.segments import Segment
from loyalty.earning.storing import DEFAULT_RULE, rule_from
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.tiers import queries as ladders

_SETS = """
SELECT version, rules, segments, effective_from, published_at, published_by FROM earning_rule_sets
WHERE program_id = %s ORDER BY version DESC
"""
# Versions are numbered without gaps, from 1.
_NEWER_SETS = """
SELECT version, rules, segments, effective_from, published_at, published_by FROM earning_rule_sets
WHERE program_id = %s AND version > %s ORDER BY version DESC
"""
_DRAFT = "SELECT version, rules, segments FROM earning_rule_drafts WHERE program_id = %s"

# So many of the newest orders are looked at for what is sold: months of a middling shop, read in less than a second.
ORDERS_READ = 20_000

_SOLD = """
WITH newest AS MATERIALIZED (
    SELECT lines, channel FROM orders WHERE program_id = %s ORDER BY placed_at DESC LIMIT %s),
sold AS MATERIALIZED (
    SELECT DISTINCT l.sku, l.category FROM newest CROSS JOIN LATERAL jsonb_to_recordset(newest.lines)
        AS l (sku text, category text))
SELECT 'sku', sku FROM sold GROUP BY sku
UNION ALL SELECT 'category', category FROM sold WHERE category IS NOT NULL GROUP BY category
UNION ALL SELECT 'channel', channel FROM newest WHERE channel IS NOT NULL GROUP BY channel
"""

_remembered: dict[UUID, tuple[int, tuple[RuleSet, ...]]] = {}

_BEGINNING: dict[str, Any] = {
    "version": 0, "rules": [DEFAULT_RULE], "segments": [], "effective_from": None, "published_at": None,
    "published_by": None,
}  # fmt: skip
_DEFAULT = RuleSet(0, (rule_from(DEFAULT_RULE),))


def rules_at(session: Session, program: Program, instant: datetime) -> RuleSet:
    """The rules that judge an order placed at `instant`. No statement while the configuration stays as it is."""
    sets = _published(session, program)
    return next((s for s in sets if s.effective_from is None or s.effective_from <= instant), _DEFAULT)


def rules_of(session: Session, program: Program, version: int) -> RuleSet:
    """One published set, by version: published sets stay for ever."""
    return next((s for s in _published(session, program) if s.version == version), _DEFAULT)


def segments_at(session: Session, program: Program, instant: datetime) -> Mapping[str, Segment]:
    """All segments there are at an instant, by code: those of the rules in force, and those that every program has.

    Their conditions are `rules_at(…).segment_conditions`. No statement while the configuration stays as it is.
    """
    return rules_at(session, program, instant).all_segments


def budgets_of(session: Session, program_id: UUID, *, now: datetime) -> list[dict[str, Any]]:
    """What the rules in force that have a budget gave so far."""
    stored = stored_set(session, program_id, version=None, now=now)
    return budgets.spent(session, program_id, rule_set({k: v for k, v in stored.items() if k != "status"}))


def rule_set(stored: dict[str, Any]) -> RuleSet:
    """A set of rules from its stored form."""
    rules = tuple(rule_from(rule) for rule in stored["rules"])
    return RuleSet(**{**stored, "rules": rules, "segments": tuple(Segment(**each) for each in stored["segments"])})


def _published(session: Session, program: Program) -> tuple[RuleSet, ...]:
    """Every published set, newest first. What was read once is never read again: it does not change."""
    version, sets = _remembered.get(program.program_id, (0, ()))
    if version < program.config_version:
        newer = session.rows(_NEWER_SETS, (program.program_id, len(sets)), into=dict_row)
        sets = (*(rule_set(row) for row in newer), *sets)
        _remembered[program.program_id] = (program.config_version, sets)
    return sets


def stored_sets(session: Session, program_id: UUID, *, now: datetime) -> list[dict[str, Any]]:
    """Every published set as it was written, newest first, then what the program began with; each with its status.

    `scheduled`: will judge orders from its `effective_from` on; `in_force`; or `archived`: judges only orders that were
    placed while it was in force, if it ever was: a newer set may have come into force before it.
    """
    sets = [*session.rows(_SETS, (program_id,), into=dict_row), _BEGINNING]
    told: list[dict[str, Any]] = []
    soonest, found = None, False
    for each in sets:
        begins, status = each["effective_from"], "archived"
        if not found and (begins is None or begins <= now):
            status, found = "in_force", True
        elif not found and (soonest is None or begins < soonest):
            status, soonest = "scheduled", begins
        told.append({**each, "status": status})
    return told


def stored_set(session: Session, program_id: UUID, *, version: int | None, now: datetime) -> dict[str, Any]:
    """One published set, by version or the one in force now. Refuses: RuleSetNotFound."""
    for stored in stored_sets(session, program_id, now=now):
        if stored["version"] == version or (version is None and stored["status"] == "in_force"):
            return stored
    raise RuleSetNotFound(f"No rules were published as version {version}.", version=version)


def draft(session: Session, program_id: UUID, *, now: datetime) -> Draft:
    """The draft; where nobody has begun one, the rules in force, to begin from."""
    row = session.row(_DRAFT, (program_id,), into=dict_row)
    if row is not None and row["rules"] is not None:
        return Draft(**row)
    in_force = stored_set(session, program_id, version=None, now=now)
    rules = [{k: v for k, v in rule.items() if k != "version"} for rule in in_force["rules"]]
    return Draft(row["version"] if row else 0, rules, in_force["segments"], begun=False)


def review(session: Session, program_id: UUID, given: dict[str, Any], *, now: datetime) -> list[Finding]:
    """What is to be said of the rules that are given or, without any, of the draft. Refuses: NothingToPublish."""
    if "rules" not in given:
        current = draft(session, program_id, now=now)
        if not current.begun:
            raise NothingToPublish("There is no draft; PUT one first, or send the rules to be checked.")
        given = {"rules": current.rules, "segments": current.segments}
    program = programs.load(session, program_id)
    return check(given["rules"], given.get("segments", []), program, known(session, program, now=now), now=now)


def known(session: Session, program: Program, *, now: datetime) -> Known:
    """The names that the program's newest orders use, and the tiers of the ladder in force."""
    found: dict[str, set[str]] = {"sku": set(), "category": set(), "channel": set()}
    for kind, name in session.rows(_SOLD, (program.program_id, ORDERS_READ), into=tuple_row):
        found[kind].add(name)
    ladder = ladders.ladders(session, program).at(now)
    return Known(
        frozenset(found["sku"]),
        all_above(frozenset(found["category"])),
        frozenset(found["channel"]),
        frozenset(tier.code for tier in ladder.tiers) if ladder else frozenset(),
    )
