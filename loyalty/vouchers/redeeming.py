"""Vouchers at the checkout: asked about, used by an order, and given back."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import orjson

from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError, IdempotencyConflict
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.members import locks
from loyalty.members import queries as members
from loyalty.members.domain import LockedMember, Member
from loyalty.members.errors import MemberNotFound
from loyalty.offers import using as offers
from loyalty.vouchers import events, queries
from loyalty.vouchers.domain import (
    Circumstances,
    HeldVoucher,
    Validation,
    Wish,
    discount,
    refusals,
    uses,
    validation,
)
from loyalty.vouchers.errors import VoucherNotRedeemed
from loyalty.vouchers.models import VoucherRow, VoucherUseRow
from loyalty.vouchers.queries import Use


def validate(session: Session, program_id: UUID, code: str, wish: Wish, *, now: datetime) -> Validation:
    """Whether an order could use a voucher now, and every reason why not. Nothing is written.

    Refuses: VoucherNotFound.
    """
    voucher = queries.held_voucher(session, program_id, code)
    customer = _customer(session, program_id, wish.customer_id)
    use = queries.use(session, voucher, wish.order_id)
    return validation(voucher, wish, _circumstances(session, voucher, wish, customer, use), now=now)


def redeem(session: Session, program_id: UUID, code: str, wish: Wish, *, now: datetime) -> Answer:
    """Use a voucher for an order. The same order again gets the same answer, until the use is given back.

    Refuses: VoucherNotFound, VoucherNotStarted, VoucherExpired, VoucherUsedUp, VoucherVoid, VoucherBoundToAnother,
    VoucherCustomerLimit, MemberClosed, MemberSuspended, IdempotencyConflict.
    """
    customer = None
    if wish.customer_id is not None:
        customer = locks.lock_members(session, program_id, [wish.customer_id]).get(wish.customer_id)
    voucher = queries.locked_voucher(session, program_id, code)
    content = fingerprint(asdict(wish))
    use = queries.use(session, voucher, wish.order_id)
    if use is not None and use.released_at is None:
        return _again(voucher, wish, content, use.content, use.receipt)
    given = _circumstances(session, voucher, wish, customer, use)
    if refused := next(refusals(voucher, wish, given, now=now), None):
        raise refused
    who = None if customer is None else (customer.member_id, customer.customer_id)
    return _write_use(session, program_id, voucher, wish, content, who=who, is_new=use is None, now=now)


def release(session: Session, program_id: UUID, code: str, wish: Wish, *, now: datetime) -> Answer:
    """Give a use back, because the order came to nothing. Who bought, and for how much, is known from the redemption.

    Refuses: VoucherNotFound, VoucherNotRedeemed, IdempotencyConflict.
    """
    voucher = queries.locked_voucher(session, program_id, code)
    content = fingerprint(asdict(wish))
    use = queries.use(session, voucher, wish.order_id)
    if use is None:
        raise VoucherNotRedeemed(voucher.code, wish.order_id)
    if use.release_content is not None and use.release_receipt is not None:
        return _again(voucher, wish, content, use.release_content, use.release_receipt)
    left = voucher.uses - 1
    told = {
        "code": voucher.code,
        "order_id": wish.order_id,
        "uses": uses(voucher.uses_allowed, left),
        "released_at": now,
    }
    receipt = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    row = {"released_at": now, "release_content": content, "release_receipt": receipt.decode()}
    changes = _counted(voucher, left)
    changes.update(VoucherUseRow, {**_place(voucher, wish), **row})
    fact = events.happened("released", use.user, voucher, used=left, order_id=wish.order_id, now=now)
    facts.tell(changes, program_id, fact, now=now)
    if voucher.assignment_id is not None and use.user is not None:
        offers.give_back(session, changes, program_id, use.user, voucher.assignment_id, now=now)
    write(session, changes)
    return Answer(receipt)


def _customer(session: Session, program_id: UUID, customer_id: str | None) -> Member | None:
    """Who buys, if it is a member: a free voucher can be used by anybody."""
    if customer_id is None:
        return None
    try:
        return members.member(session, program_id, customer_id)
    except MemberNotFound:
        return None


def _circumstances(
    session: Session, voucher: HeldVoucher, wish: Wish, customer: Member | LockedMember | None, use: Use | None
) -> Circumstances:
    """What is to be known of who buys: no more than this voucher asks for."""
    who = {} if customer is None else {customer.member_id: customer.customer_id}
    if customer is not None and (voucher.per_customer or (voucher.bound and voucher.member_id not in who)):
        who |= members.identities(session, customer.member_id)
    used = 0
    if voucher.per_customer is not None and wish.customer_id is not None:
        customer_ids = [*who.values()] or [wish.customer_id]
        used = queries.used_by(session, voucher, customer_ids, but_for=wish.order_id)
    return Circumstances(
        is_owner=voucher.member_id in who,
        unfit=None if customer is None else _unfit(customer),
        used=used,
        own_use=use is not None and use.released_at is None,
    )


def _unfit(customer: Member | LockedMember) -> DomainError | None:
    try:
        locks.require_active(customer)
    except DomainError as refusal:
        return refusal
    return None


def _again(voucher: HeldVoucher, wish: Wish, content: bytes, first: bytes, receipt: str) -> Answer:
    """The answer that the first request got, if this is the same."""
    if content != first:
        detail = f"Order '{wish.order_id}' was sent before for '{voucher.code}', with another customer or total."
        raise IdempotencyConflict(detail, order_id=wish.order_id, voucher=voucher.code)
    return Answer(receipt.encode(), replayed=True)


def _write_use(
    session: Session,
    program_id: UUID,
    voucher: HeldVoucher,
    wish: Wish,
    content: bytes,
    *,
    who: events.Who,
    is_new: bool,
    now: datetime,
) -> Answer:
    used = voucher.uses + 1
    off = discount(voucher.value, wish.order_total)
    told = {
        "code": voucher.code,
        **asdict(wish),
        "value": voucher.value,
        "discount": off,
        "uses": uses(voucher.uses_allowed, used),
        "redeemed_at": now,
    }
    receipt = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    row = {
        **_place(voucher, wish),
        "program_id": program_id,
        "customer_id": wish.customer_id,
        "order_total": wish.order_total,
        "discount": off,
        "redeemed_at": now,
        "content": content,
        "receipt": receipt.decode(),
        "released_at": None,
        "release_content": None,
        "release_receipt": None,
    }
    changes = _counted(voucher, used)
    changes.keep(VoucherUseRow, row, is_new=is_new)
    fact = events.happened("redeemed", who, voucher, used=used, order_id=wish.order_id, now=now)
    facts.tell(changes, program_id, fact, now=now)
    if voucher.assignment_id is not None and who is not None:
        offers.use(
            session, changes, program_id, who, voucher.assignment_id, order_id=wish.order_id, amount=off, now=now
        )
    write(session, changes)
    return Answer(receipt)


def _counted(voucher: HeldVoucher, used: int) -> Changes:
    changes = Changes()
    changes.update(VoucherRow, {"member_id": voucher.member_id, "code": voucher.code, "uses": used})
    return changes


def _place(voucher: HeldVoucher, wish: Wish) -> dict[str, object]:
    return {"member_id": voucher.member_id, "code": voucher.code, "order_id": wish.order_id}
