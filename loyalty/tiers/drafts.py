"""The draft of a ladder, and what there is to say of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.core.errors import NothingToPublish
from loyalty.core.findings import Finding
from loyalty.db.session import Session
from loyalty.programs import queries as programs
from loyalty.tiers import queries
from loyalty.tiers.checking import check

_DRAFT = "SELECT version, ladder FROM ladder_drafts WHERE program_id = %s"

# What a ladder is made of; the rest of what is stored says when it was published, and by whom.
CONTENT = ("basis", "window", "validity", "downgrade", "grace", "tiers")

# To begin from, where there never was a ladder. It cannot be sent as it is: a ladder has tiers.
EMPTY: dict[str, Any] = {
    "basis": "spend", "window": {"mode": "lifetime"}, "validity": {"mode": "forever"}, "downgrade": "none", "tiers": [],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """The ladder being edited. Not `begun`: the ladder in force, to begin from."""

    version: int
    ladder: dict[str, Any]
    begun: bool = True


def draft(session: Session, program_id: UUID, *, now: datetime) -> Draft:
    """The draft; where nobody has begun one, the ladder in force, to begin from, or an empty one."""
    row = session.row(_DRAFT, (program_id,), into=dict_row)
    if row is not None and row["ladder"] is not None:
        return Draft(**row)
    in_force = queries.in_force(session, program_id, now=now)
    ladder = EMPTY if in_force is None else {name: in_force[name] for name in CONTENT if name in in_force}
    return Draft(row["version"] if row else 0, ladder, begun=False)


def review(session: Session, program_id: UUID, given: dict[str, Any], *, now: datetime) -> list[Finding]:
    """What is to be said of the ladder that is given or, without any, of the draft. Refuses: NothingToPublish."""
    if not given:
        current = draft(session, program_id, now=now)
        if not current.begun:
            raise NothingToPublish("There is no draft; PUT one first, or send the ladder to be checked.")
        given = current.ladder
    in_force = queries.in_force(session, program_id, now=now)
    known = {tier["code"] for tier in in_force["tiers"]} if in_force else set()
    return check(given, programs.load(session, program_id), known, now=now)
