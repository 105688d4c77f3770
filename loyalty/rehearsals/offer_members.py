"""The members on whom offers are tried, read by their ids, a page at a time, with all that offers ask of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.features.domain import NO_FEATURES
from loyalty.features.queries import features_of
from loyalty.offers.domain import OfferSet, rule_code
from loyalty.personalisation import gathering
from loyalty.personalisation.gathering import DECLINES
from loyalty.programs.domain import Program
from loyalty.rehearsals.offer_rehearsing import Guest, OfferRehearsing
from loyalty.tiers.reading import Asked

# About a fifth of a second of work: so soon a rehearsal stops when it is told to.
PAGE = 100

NOBODY = UUID(int=0)

_BUYERS = """
FROM member_features f JOIN members m ON m.member_id = f.member_id
WHERE f.program_id = %(program_id)s AND f.member_id > %(after)s AND f.last_at >= %(since)s AND m.status = 'active'
"""
_COUNT = f"SELECT count(*) {_BUYERS}"
_PAGE = f"SELECT m.member_id, m.customer_id, m.enrolled_at, {DECLINES} {_BUYERS} ORDER BY f.member_id LIMIT %(limit)s"
_SPENT = "SELECT rule_code, spent FROM rule_budgets WHERE program_id = %s AND rule_code = ANY(%s::text[])"


@dataclass(frozen=True, slots=True)
class Buyers:
    """The active members of a program who bought something since an instant."""

    program: Program
    since: datetime

    def where(self, after: UUID) -> dict[str, Any]:
        """The parameters of the next page."""
        return {"program_id": self.program.program_id, "since": self.since, "after": after, "limit": PAGE}


def count(session: Session, buyers: Buyers) -> int:
    """How many there are."""
    return session.row(_COUNT, buyers.where(NOBODY), into=scalar_row) or 0


def page_of(
    session: Session, buyers: Buyers, rehearsing: OfferRehearsing, skus: Sequence[str], *, after: UUID
) -> list[Guest]:
    """The next of them, in the order of their ids."""
    found = session.rows(_PAGE, buyers.where(after), into=tuple_row)
    if not found:
        return []
    at_sight = rehearsing.at_sight
    asked = [Asked(member_id, enrolled_at, at_sight.at) for member_id, _, enrolled_at, _ in found]
    askings = gathering.asking_all(session, buyers.program, asked, rehearsing.shelf, (), at_sight=at_sight)
    wanted = [member_id for member_id, *_, declines in found if not declines]
    features = features_of(session, wanted, skus=skus, recent=False)
    return [
        Guest(member_id, customer_id, features.get(member_id, NO_FEATURES), askings[member_id])
        for member_id, customer_id, *_ in found
        if member_id in askings
    ]


def spent(session: Session, program: Program, draft: OfferSet) -> Mapping[str, int]:
    """What budgets of the same codes have spent, by the code of the offer."""
    codes = {rule_code(offer.code): offer.code for offer in draft.offers if offer.limit is not None}
    rows = session.rows(_SPENT, (program.program_id, array_of(list(codes))), into=tuple_row)
    return {codes[rule]: points for rule, points in rows}
