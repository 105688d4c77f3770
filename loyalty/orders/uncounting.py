"""What a return takes out of what was counted: of the member's purchases, of what rules gave, of budgets."""

from collections.abc import Mapping

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.earning import queries as earning
from loyalty.earning.counting import Tally
from loyalty.earning.domain import Awarded, Line, Purchase
from loyalty.earning.judging import contribution_of
from loyalty.earning.offering import limits_of
from loyalty.earning.records import judged_from
from loyalty.ledger.book import Book
from loyalty.orders.queries import RecordedOrder
from loyalty.orders.returning import points_of
from loyalty.programs.domain import POINTS, Program
from loyalty.tiers.domain import Amounts


def uncount(
    session: Session, order: RecordedOrder, program: Program, book: Book, returned: Mapping[str, int]
) -> tuple[Tally, Amounts]:
    """What is to be counted less, now that so many units by line have come back in all; and less for tiers.

    It is what the rules gave that is counted back, whatever became of the points.
    """
    tally, before = Tally(), order.returned.lines
    lines = tuple(Line(**line) for line in order.lines)
    purchase = Purchase(lines=lines, placed_at=order.placed_at, discount=order.discount)
    added = contribution_of(purchase, returned) - contribution_of(purchase, before)
    tally.purchase(book.member_id, added, order.placed_at)
    judged, points = judged_from(order.judged), 0
    rules = earning.rules_of(session, program, judged.rules).by_code if judged else {}
    limited = limits_of(judged.facts.offers) if judged else {}
    local = order.placed_at.astimezone(calendar.zone(program.time_zone))
    for award in order.awards:
        rule = rules.get(award.rule_code)
        was, now_is = _points(award, order, before), _points(award, order, returned)
        points += now_is - was if award.unit == POINTS else 0
        if rule is not None and now_is != was:
            wholly = now_is == award.points
            tally.taken_back(book.member_id, rule, local, points=now_is - was, wholly=wholly)
        elif award.rule_code in limited:
            tally.budget(award.rule_code, was - now_is)
    return tally, Amounts(added.total.spend, -points, added.total.orders)


def _points(award: Awarded, order: RecordedOrder, returned: Mapping[str, int]) -> int:
    return sum(points_of(award, order.lines, returned).values())
