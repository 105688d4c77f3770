"""Recording orders: gather, decide, write. One order or five hundred take the same path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError, IdempotencyConflict
from loyalty.core.ids import fingerprint, new_id
from loyalty.db.session import Session, array_of
from loyalty.db.writer import Changes, write
from loyalty.earning import judging
from loyalty.earning import queries as earning
from loyalty.earning.crediting import enter
from loyalty.earning.domain import CLOCK_SKEW
from loyalty.earning.judging import Case, Decision, Verdict
from loyalty.earning.metrics import observe
from loyalty.earning.rules import RuleSet
from loyalty.events import service as facts
from loyalty.ledger import service as ledger
from loyalty.ledger.book import Book
from loyalty.members import locks
from loyalty.members import service as members
from loyalty.members.domain import LockedMember, NewMember
from loyalty.members.errors import MemberNotFound
from loyalty.members.models import ReferralRow
from loyalty.orders import events, paying, queries
from loyalty.orders.domain import NewOrder, payment_of, receipt
from loyalty.orders.errors import CurrencyMismatch, PlacedInFuture
from loyalty.orders.models import OrderRow
from loyalty.orders.paying import Plan
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program

Outcome = Answer | DomainError


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose a newly claimed order is: a locked member's or, for a guest's order, nobody's."""

    member_id: UUID
    member: LockedMember | None


def record_order(session: Session, program_id: UUID, order: NewOrder, *, now: datetime) -> Answer:
    """Record an order and award the points it earns.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended, CurrencyMismatch, PlacedInFuture, PaymentMissing,
    PaymentNotFound, PaymentResolved, PointsPaidMismatch, IdempotencyConflict.
    """
    outcome = record_orders(session, program_id, [order], now=now)[order.order_id]
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def record_orders(
    session: Session, program_id: UUID, orders: Sequence[NewOrder], *, now: datetime
) -> dict[str, Outcome]:
    """Record a batch of orders with distinct ids; each has its own outcome, by order id.

    Orders of one member are judged in the order given, so a batch should be in the order of time.
    """
    program = programs.current(session, program_id)
    # An order is refused by the settings of now, not of a second ago.
    if any(order.currency != program.currency for order in orders):
        program = programs.load(session, program_id)
    outcomes: dict[str, Outcome] = {o.order_id: r for o in orders if (r := refusal(o, program, now))}
    prints = {order.order_id: fingerprint(order) for order in orders if order.order_id not in outcomes}
    sound = [order for order in orders if order.order_id in prints]

    owners = _claim(session, program_id, sound, prints, now=now)
    if len(owners) < len(sound):
        outcomes |= _unclaimed(session, program_id, [o for o in sound if o.order_id not in owners], prints)
    locked = {owner.member_id: owner.member for owner in owners.values() if owner.member is not None}
    if locked:
        # Judged by the configuration as it was when the members were locked.
        seen = max(member.config_version for member in locked.values())
        program = programs.current(session, program_id, config_version=seen)
    books: dict[UUID, Book] = {}
    if locked:
        oldest, named = _oldest(sound, owners), paying.holds_of([o for o in sound if o.order_id in owners])
        books = ledger.open_books(session, program, list(locked.values()), now=now, news_of=oldest, named=named)
    plan = _plan_payments(session, program, sound, owners, books)
    outcomes |= plan.refused

    verdicts, decision = _judge(session, program, sound, owners, now)
    changes = Changes()
    for order in (order for order in sound if order.order_id in owners):
        owner = owners[order.order_id]
        verdict, book = verdicts.get(order.order_id), books.get(owner.member_id)
        seqs: list[int] = []
        if verdict is not None and book is not None:
            seqs = enter(book, order, verdict.judgement, order_id=order.order_id)
            changes.add(plan.carry_out(book, order, program_id, now=now))
        body = _body(order, verdict, book, now)
        row = _row(order, owner.member_id, program_id, body, now) | _judged(verdict, seqs)
        _keep(changes, order, owner, verdict, row)
        outcomes[order.order_id] = Answer(body)
    for book in books.values():
        changes.add(ledger.changes_of(book, program_id, now=now))
    changes.add(decision.changes(program_id, locked, now=now))
    changes.add(_referrals_due(sound, owners))
    write(session, changes)
    observe(verdicts.values())
    return outcomes


def _plan_payments(
    session: Session,
    program: Program,
    orders: Sequence[NewOrder],
    owners: dict[str, _Owner],
    books: dict[UUID, Book],
) -> Plan:
    """Plan what payments are captured. Orders that are refused leave `owners`, and their ids are free again."""
    claimed = [order for order in orders if order.order_id in owners]
    plan = paying.plan(program, claimed, {o.order_id: books.get(owners[o.order_id].member_id) for o in claimed})
    if plan.refused:
        for order_id in plan.refused:
            del owners[order_id]
        locks.disclaim(session, program.program_id, "order", list(plan.refused))
        # What nothing is entered into is neither settled nor written.
        left = {owner.member_id for owner in owners.values()}
        for member_id in books.keys() - left:
            del books[member_id]
    return plan


def _judge(
    session: Session, program: Program, orders: Sequence[NewOrder], owners: Mapping[str, _Owner], now: datetime
) -> tuple[dict[str, Verdict], Decision]:
    """What the orders of members are worth, by order id, and what else came of them."""
    cases = {
        order.order_id: case_of(order, owner.member, rules_for(session, program, order, now))
        for order in orders
        if (owner := owners.get(order.order_id)) is not None and owner.member is not None
    }
    decision = judging.judge(session, program, list(cases.values()), now=now)
    return dict(zip(cases, decision.verdicts, strict=True)), decision


def case_of(order: NewOrder, member: LockedMember, rules: RuleSet) -> Case:
    """An order of a member as a case to be judged."""
    return Case(member.member_id, member.enrolled_at, order, rules, order.order_id)


def refusal(order: NewOrder, program: Program, now: datetime) -> DomainError | None:
    """Why an order is refused, whoever it is of."""
    if order.currency != program.currency:
        return CurrencyMismatch(currency=order.currency, program_currency=program.currency)
    if order.placed_at > now + CLOCK_SKEW:
        return PlacedInFuture(f"placed_at lies in the future; it is {now.isoformat()} here.", placed_at=order.placed_at)
    return None


def _claim(
    session: Session,
    program_id: UUID,
    orders: Sequence[NewOrder],
    prints: Mapping[str, bytes],
    *,
    now: datetime,
) -> dict[str, _Owner]:
    """Claim the order ids that are free, and lock their members; by order id. A guest order belongs to a fresh id."""
    owners: dict[str, _Owner] = {}
    of_members = [(o, c) for o in orders if (c := o.customer_id) is not None]
    if of_members:
        wanted = [locks.Claim(customer, order.order_id, prints[order.order_id]) for order, customer in of_members]
        claimed = locks.lock_and_claim(session, program_id, "order", wanted, now=now)
        strangers = {customer for order, customer in of_members if claimed[order.order_id].member is None}
        if strangers and programs.load(session, program_id).auto_enrol:
            newcomers = [NewMember(customer_id=stranger) for stranger in sorted(strangers)]
            # Written at once, for only a row can be locked.
            write(session, members.enrol(session, program_id, newcomers, now=now).changes)
            claimed |= locks.lock_and_claim(
                session, program_id, "order", [w for w in wanted if w.customer_id in strangers], now=now
            )
        for key, claim in claimed.items():
            if claim.is_new and claim.member is not None:
                owners[key] = _Owner(claim.member.member_id, claim.member)
    guests: dict[str, UUID] = {order.order_id: new_id() for order in orders if order.customer_id is None}
    if guests:
        free = locks.claim(session, program_id, "order", [(key, owner, prints[key]) for key, owner in guests.items()])
        owners |= {key: _Owner(owner, None) for key, owner in guests.items() if key in free}
    return owners


def _unclaimed(
    session: Session, program_id: UUID, orders: Sequence[NewOrder], prints: Mapping[str, bytes]
) -> dict[str, Outcome]:
    """Orders whose id was not free to claim: seen before (replay or conflict), or not allowed to this customer."""
    stored = queries.stored_answers(session, program_id, [order.order_id for order in orders])
    outcomes: dict[str, Outcome] = {}
    for order in orders:
        first = stored.get(order.order_id)
        if first is None:
            outcomes[order.order_id] = _why_not(session, program_id, order)
        elif first.fingerprint == prints[order.order_id]:
            outcomes[order.order_id] = Answer(first.body, replayed=True)
        else:
            detail = f"'{order.order_id}' was recorded before with other content."
            outcomes[order.order_id] = IdempotencyConflict(detail, order_id=order.order_id)
    return outcomes


def _why_not(session: Session, program_id: UUID, order: NewOrder) -> DomainError:
    assert order.customer_id is not None, "a guest's order is refused only for its id"
    try:
        locks.require_active(locks.lock_member(session, program_id, order.customer_id))
    except DomainError as refusal:
        return refusal
    return MemberNotFound(order.customer_id)


def _oldest(orders: Sequence[NewOrder], owners: Mapping[str, _Owner]) -> dict[UUID, datetime]:
    """When the first of each member's orders was placed."""
    oldest: dict[UUID, datetime] = {}
    for order in orders:
        if (owner := owners.get(order.order_id)) is not None:
            oldest[owner.member_id] = min(order.placed_at, oldest.get(owner.member_id, order.placed_at))
    return oldest


def rules_for(session: Session, program: Program, order: NewOrder, now: datetime) -> RuleSet:
    """The rules in force when the order was placed, which is not later than now, whatever the shop's clock says."""
    return earning.rules_at(session, program, min(order.placed_at, now))


def _referrals_due(orders: Sequence[NewOrder], owners: Mapping[str, _Owner]) -> Changes:
    """Mark the members for whose first order somebody waits; a job does the rest, for it needs two members."""
    first: dict[UUID, NewOrder] = {}
    for order in orders:
        owner = owners.get(order.order_id)
        if owner is not None and owner.member is not None and owner.member.referral_waits:
            first.setdefault(owner.member_id, order)
    changes = Changes()
    for member_id, order in first.items():
        row = {"member_id": member_id, "status": "due", "order_id": order.order_id, "ordered_at": order.placed_at}
        changes.update(ReferralRow, row)
    return changes


def _body(order: NewOrder, verdict: Verdict | None, book: Book | None, now: datetime) -> bytes:
    awards = verdict.judgement.awards if verdict else ()
    account = book.account(POINTS) if book is not None else None
    tier = verdict.tier if verdict else None
    return orjson.dumps(receipt(order, awards, account, tier, now=now), option=orjson.OPT_UTC_Z)


def _keep(changes: Changes, order: NewOrder, owner: _Owner, verdict: Verdict | None, row: dict[str, Any]) -> None:
    """Add an order to the rows to be written, and the fact that it was recorded."""
    changes.insert(OrderRow, row)
    awards = verdict.judgement.awards if verdict else ()
    points, now = sum(award.points for award in awards if award.unit == POINTS), row["recorded_at"]
    fact = events.recorded(order, owner.member, total=row["total"], points=points, occurred_at=now)
    facts.tell(changes, row["program_id"], fact, now=now)


def _judged(verdict: Verdict | None, seqs: list[int]) -> dict[str, Any]:
    return {"award_seqs": array_of(seqs), "judged": verdict.judged.document() if verdict else {}}


def _row(order: NewOrder, owner_id: UUID, program_id: UUID, body: bytes, now: datetime) -> dict[str, Any]:
    return {
        "member_id": owner_id,
        "order_id": order.order_id,
        "program_id": program_id,
        "customer_id": order.customer_id,
        "status": "recorded",
        "currency": order.currency,
        "placed_at": order.placed_at,
        "recorded_at": now,
        "total": sum(line.net for line in order.lines) + order.shipping - order.discount,
        "shipping": order.shipping,
        "discount": order.discount,
        "points_paid": order.points_paid,
        "payment_id": payment_of(order),
        "channel": order.channel,
        "lines": order.lines,
        "metadata": order.metadata,
        "receipt": body.decode(),
    }
