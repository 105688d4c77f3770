"""The draft of offers, and what there is to say of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.core.errors import NothingToPublish
from loyalty.core.findings import Finding
from loyalty.db.session import Session
from loyalty.earning import queries as earning
from loyalty.personalisation import sets
from loyalty.personalisation.checking import check
from loyalty.personalisation.checks.proposal import Around
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.tiers import queries as ladders

_DRAFT = "SELECT version, offers, personalising FROM offer_drafts WHERE program_id = %s"


@dataclass(frozen=True, slots=True)
class Draft:
    """The offers being edited. Not `begun`: those in force, to begin from."""

    version: int
    offers: list[dict[str, Any]]
    personalising: dict[str, Any]
    begun: bool = True


def draft(session: Session, program_id: UUID, *, now: datetime) -> Draft:
    """The draft; where nobody has begun one, the offers in force, to begin from, or none."""
    row = session.row(_DRAFT, (program_id,), into=dict_row)
    if row is not None and row["offers"] is not None:
        return Draft(**row)
    found = sets.in_force(session, program_id, now=now) or {"offers": [], "personalising": {}}
    return Draft(row["version"] if row else 0, found["offers"], found["personalising"], begun=False)


def review(session: Session, program_id: UUID, given: dict[str, Any], *, now: datetime) -> list[Finding]:
    """What is to be said of the offers that are given or, without any, of the draft. Refuses: NothingToPublish."""
    if "offers" not in given:
        current = draft(session, program_id, now=now)
        if not current.begun:
            raise NothingToPublish("There is no draft; PUT one first, or send the offers to be checked.")
        given = {"offers": current.offers, "personalising": current.personalising}
    program = programs.load(session, program_id)
    there = around(session, program, now=now)
    return check(given["offers"], given.get("personalising", {}), program, there, now=now)


def around(session: Session, program: Program, *, now: datetime) -> Around:
    """What offers may name: goods that were sold lately, the tiers of the ladder in force, and segments."""
    ladder = ladders.ladders(session, program).at(now)
    return Around(
        earning.known(session, program, now=now),
        {tier.code: tier.benefits.multiplier for tier in ladder.tiers} if ladder else {},
        frozenset(earning.segments_at(session, program, now)),
    )
