"""Published offers, remembered by the program's configuration version."""

from collections.abc import Iterable
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session
from loyalty.offers.domain import NO_OFFERS, Assignment, OfferSet, OfferSets
from loyalty.offers.storing import set_from
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program

# Versions are numbered without gaps, from 1.
_NEWER = """
SELECT version, offers, personalising, effective_from, published_at, published_by FROM offer_sets
WHERE program_id = %s AND version > %s ORDER BY version
"""

_remembered: dict[UUID, tuple[int, tuple[OfferSet, ...], OfferSets]] = {}
_NONE = (0, (), NO_OFFERS)


def offer_sets(session: Session, program: Program) -> OfferSets:
    """Every published set of offers. No statement while the configuration stays as it is."""
    version, published, found = _remembered.get(program.program_id, _NONE)
    if version < program.config_version:
        rows = session.rows(_NEWER, (program.program_id, len(published)), into=dict_row)
        published = (*published, *(set_from(**row) for row in rows))
        found = OfferSets(published)
        _remembered[program.program_id] = (program.config_version, published, found)
    return found


def sets_of(session: Session, program: Program, given: Iterable[Assignment]) -> OfferSets:
    """`offer_sets`, with those of these assignments: a process may remember a program a second longer than it is."""
    sets = offer_sets(session, program)
    if all(each.offer_version in sets.by_version for each in given):
        return sets
    return offer_sets(session, programs.load(session, program.program_id))
