"""Entering into a member's book what an occasion earned."""

from loyalty.earning.domain import Award, Judgement, Occasion
from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn
from loyalty.ledger.domain import Credit
from loyalty.ledger.settling import settle


def enter(
    book: Book, occasion: Occasion, judgement: Judgement, *, order_id: str | None = None, reference: str | None = None
) -> list[int]:
    """Enter the awards of an order, or of an activity called `reference`; answers the numbers of the entries."""
    seqs = [earn(book, _credit(award, occasion, order_id, reference)).seq for award in judgement.awards]
    # What is told late may bring points that have matured, or even lapsed, since it happened.
    settle(book, book.now)
    return seqs


def _credit(award: Award, occasion: Occasion, order_id: str | None, reference: str | None) -> Credit:
    return Credit(
        points=award.points,
        unit=award.unit,
        earned_at=occasion.at,
        dates=award.dates,
        order_id=order_id,
        reference=reference,
        rule_code=award.rule_code,
        rule_version=award.rule_version,
        reason=award.reason,
        detail={"lines": [{"line_id": line_id, "points": points} for line_id, points in award.lines]},
    )
