"""What an order would earn, and why a recorded one earned what it did. Nothing here is locked or written."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.earning import judging
from loyalty.earning import queries as earning
from loyalty.earning.basis import basis_of
from loyalty.earning.crediting import enter
from loyalty.earning.domain import UNKNOWN, Line, Purchase
from loyalty.earning.explaining import refusals, refused_to_guests
from loyalty.earning.judging import Case
from loyalty.earning.records import Judged, judged_from
from loyalty.earning.worth import worth
from loyalty.ledger import service as ledger
from loyalty.members import locks
from loyalty.members import queries as members
from loyalty.members.errors import MemberNotFound
from loyalty.orders import paying, queries
from loyalty.orders.domain import NewOrder, Order, receipt
from loyalty.orders.paying import Plan
from loyalty.orders.service import refusal, rules_for
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program


def preview_order(session: Session, program_id: UUID, order: NewOrder, *, now: datetime) -> dict[str, Any]:
    """What recording the order would answer, and which rules would give nothing, and why.

    Refuses what recording it would refuse: MemberNotFound, MemberClosed, MemberSuspended, CurrencyMismatch,
    PlacedInFuture, PaymentMissing, PaymentNotFound, PaymentResolved, PointsPaidMismatch.
    """
    program = programs.load(session, program_id)
    if refused := refusal(order, program, now):
        raise refused
    rules = rules_for(session, program, order, now)
    told = {"status": "preview", "rules_version": rules.version}
    if order.customer_id is None:
        _refuse(paying.plan(program, [order], {order.order_id: None}))
        return receipt(order, [], None, None, now=now) | told | {"refused": refused_to_guests(rules)}
    member_id, enrolled_at = _member(session, program, order.customer_id, now)
    named = paying.holds_of([order])
    book = ledger.foresee_book(session, program, member_id, now=now, since=order.placed_at, named=named)
    plan = paying.plan(program, [order], {order.order_id: book})
    _refuse(plan)
    verdict = judging.foresee(session, program, Case(member_id, enrolled_at, order, rules, order.order_id), now=now)
    enter(book, order, verdict.judgement, order_id=order.order_id)
    plan.carry_out(book, order, program.program_id, now=now)
    answer = receipt(order, verdict.judgement.awards, book.account(POINTS), verdict.tier, now=now)
    return answer | told | {"refused": refusals(order, rules, program, verdict.judged.facts, verdict.judgement)}


def explain_order(session: Session, program_id: UUID, order_id: str) -> dict[str, Any]:
    """Every rule that judged an order: what it gave, or why it gave nothing, with the values it saw then.

    Refuses: OrderNotFound.
    """
    order = queries.order(session, program_id, order_id)
    program = programs.current(session, program_id)
    if (judged := judged_from(order.judged)) is not None:
        program = programs.at_version(session, program_id, judged.settings)
    purchase = _purchase(order)
    if judged is None:
        # Recorded before that was kept, or a guest's: what the member was like then is not known.
        version = earning.rules_at(session, program, min(order.placed_at, order.recorded_at)).version
        judged = Judged(version, program.version, UNKNOWN)
    rules = earning.rules_of(session, programs.current(session, program_id), judged.rules)
    if order.customer_id is None:
        refused = refused_to_guests(rules)
    else:
        refused = refusals(purchase, rules, program, judged.facts, worth(purchase, rules, program, judged.facts))
    given = [
        {**award, **{name: _instant(award[name]) for name in ("matures_at", "expires_at")}} for award in order.awards
    ]
    codes = {award["rule"]["code"] for award in given}
    lines = sorted(purchase.lines, key=lambda line: line.line_id)
    bases = basis_of(purchase, lines, program.earn)
    return {
        "order_id": order_id,
        "customer_id": order.customer_id,
        "placed_at": order.placed_at,
        "rules_version": rules.version,
        "lines": [{"line_id": line.line_id, "basis": basis} for line, basis in zip(lines, bases, strict=True)],
        "awards": given,
        "refused": [each for each in refused if each["rule"]["code"] not in codes],
    }


def _refuse(plan: Plan) -> None:
    for refused in plan.refused.values():
        raise refused


def _member(session: Session, program: Program, customer_id: str, now: datetime) -> tuple[UUID, datetime]:
    """The member who would get the points, enrolled since; nobody's id where the order would enrol the customer."""
    try:
        member = members.member(session, program.program_id, customer_id)
    except MemberNotFound:
        if program.auto_enrol:
            return new_id(), now
        raise
    locks.require_active(member)
    return member.member_id, member.enrolled_at


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _purchase(order: Order) -> Purchase:
    return Purchase(
        lines=tuple(Line(**line) for line in order.lines),
        placed_at=order.placed_at,
        shipping=order.shipping,
        discount=order.discount,
        points_paid=order.points_paid,
        channel=order.channel,
        metadata=order.metadata,
    )
