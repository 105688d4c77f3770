"""Rules in force, remembered by the program's configuration version; drafts; history."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session
from loyalty.earning.domain import DEFAULT_RULE, Draft, RuleSet, rule_from
from loyalty.earning.errors import RuleSetNotFound
from loyalty.programs.domain import Program

_SETS = """
SELECT version, rules, effective_from, published_at, published_by FROM earning_rule_sets
WHERE program_id = %s ORDER BY version DESC
"""
_DRAFT = "SELECT version, rules FROM earning_rule_drafts WHERE program_id = %s"

_remembered: dict[UUID, tuple[int, tuple[RuleSet, ...]]] = {}

_BEGINNING: dict[str, Any] = {
    "version": 0, "rules": [DEFAULT_RULE], "effective_from": None, "published_at": None, "published_by": None,
}  # fmt: skip
_DEFAULT = RuleSet(0, (rule_from(DEFAULT_RULE),))


def rules_at(session: Session, program: Program, instant: datetime) -> RuleSet:
    """The rules that judge an order placed at `instant`. No statement while the configuration stays as it is."""
    known = _remembered.get(program.program_id)
    if known is None or known[0] != program.config_version:
        known = (program.config_version, tuple(published(session, program.program_id)))
        _remembered[program.program_id] = known
    in_force = (s for s in known[1] if s.effective_from is None or s.effective_from <= instant)
    return next(in_force, _DEFAULT)


def published(session: Session, program_id: UUID) -> list[RuleSet]:
    """Every published set, newest first."""
    return [
        RuleSet(**{**row, "rules": tuple(rule_from(rule) for rule in row["rules"])})
        for row in session.rows(_SETS, (program_id,), into=dict_row)
    ]


def stored_sets(session: Session, program_id: UUID) -> list[dict[str, Any]]:
    """Every published set as it was written, newest first, then what the program began with."""
    return [*session.rows(_SETS, (program_id,), into=dict_row), _BEGINNING]


def stored_set(session: Session, program_id: UUID, *, version: int | None, now: datetime) -> dict[str, Any]:
    """One published set, by version or the one in force now. Refuses: RuleSetNotFound."""
    for stored in stored_sets(session, program_id):
        in_force = stored["effective_from"] is None or stored["effective_from"] <= now
        if stored["version"] == version or (version is None and in_force):
            return stored
    raise RuleSetNotFound(f"No rules were published as version {version}.", version=version)


def draft(session: Session, program_id: UUID, *, now: datetime) -> Draft:
    """The draft; where nobody has begun one, the rules in force, to begin from."""
    row = session.row(_DRAFT, (program_id,), into=dict_row)
    if row is not None and row["rules"] is not None:
        return Draft(**row)
    in_force = stored_set(session, program_id, version=None, now=now)["rules"]
    return Draft(
        row["version"] if row else 0, [{k: v for k, v in r.items() if k != "version"} for r in in_force], begun=False
    )
