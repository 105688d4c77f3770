"""Taking back what an occasion earned: award by award, out of wherever its points are now."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session, array_of
from loyalty.earning.domain import Awarded
from loyalty.ledger import holdings, service
from loyalty.ledger.book import Book
from loyalty.ledger.holdings import AwardLot
from loyalty.ledger.reversing import Claim, Reversal, reverse
from loyalty.programs.domain import ReturnSettings

_AWARDED = """
SELECT seq, unit, points, rule_code, rule_version, detail FROM entries
WHERE member_id = %s AND seq = ANY(%s::bigint[]) ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class Because:
    """Why points move: the order, if it is of one; the return or the activity; and the words for it."""

    order_id: str | None
    reference: str
    reason: str


def awards_given(session: Session, owner_id: UUID, seqs: Sequence[int]) -> tuple[Awarded, ...]:
    """The awards that the entries `seqs` of a member gave."""
    entries = session.rows(_AWARDED, (owner_id, array_of(seqs)), into=dict_row) if seqs else []
    return tuple(
        Awarded(lines={line["line_id"]: line["points"] for line in entry.pop("detail")["lines"]}, **entry)
        for entry in entries
    )


def take_back(
    session: Session,
    book: Book,
    owner_id: UUID,
    claims: Sequence[tuple[Awarded, int]],
    *,
    settings: ReturnSettings,
    because: Because,
    counted: Mapping[str, int],
) -> list[tuple[Awarded, Reversal]]:
    """Take back so many points of each award; answers what became of them, where there were any.

    `owner_id` is who was given the awards, `book` that of the member or of who it was merged into. `counted`: by entry
    of an award, how many of its points earlier claims found lapsed.
    """
    lots = lots_of_awards(session, book, owner_id, [award for award, _ in claims])
    for unit in sorted({award.unit for award, _ in claims}):
        points = sum(points for award, points in claims if award.unit == unit)
        if points:
            service.read_lots_to_spend(session, book, unit, points)
    taken = []
    for award, points in claims:
        if points:
            own = [found for found in lots if found.lot.origin[1] == award.seq]
            claim = _claim(book, award, points, own, counted=counted.get(str(award.seq), 0), because=because)
            taken.append((award, reverse(book, claim, settings)))
    return taken


def lots_of_awards(session: Session, book: Book, owner_id: UUID, awards: Sequence[Awarded]) -> list[AwardLot]:
    """The lots that hold, or held, what was awarded; those of the book are read into it."""
    lots = holdings.lots_of_awards(session, owner_id, [award.seq for award in awards])
    book.lots.take_in(found.lot for found in lots if found.lot.member_id == book.member_id)
    return lots


def shown(award: Awarded, result: Reversal) -> dict[str, Any]:
    """What became of an award, as callers see it."""
    rule = {"code": award.rule_code, "version": award.rule_version}
    return {"rule": rule, "unit": award.unit, **asdict(result)}


def _claim(
    book: Book, award: Awarded, points: int, lots: Sequence[AwardLot], *, counted: int, because: Because
) -> Claim:
    """The claim on an award; `counted` of its lapsed points were claimed before."""
    own = tuple(found.lot.seq for found in lots if found.lot.member_id == book.member_id)
    lapsed = sum(found.lapsed - (found.lot.points if found.reinstated else 0) for found in lots)
    # Those that the book has just found lapsed are not in what was read.
    lapsed -= sum(e.points for e in book.entries if e.kind == "expire" and e.reference in {str(seq) for seq in own})
    as_is = [book.lots[found.lot.seq] if found.lot.member_id == book.member_id else found.lot for found in lots]
    return Claim(
        points=points,
        unit=award.unit,
        own=own,
        waiting=all(lot.pending for lot in as_is),
        lapsed=max(0, lapsed - counted),
        rule_code=award.rule_code,
        rule_version=award.rule_version,
        **asdict(because),
    )
