"""Issuing vouchers, and withdrawing them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.core import codes
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.members.domain import LockedMember
from loyalty.members.models import NaturalKey
from loyalty.vouchers import claiming, events, queries
from loyalty.vouchers.domain import HeldVoucher, Origin, Voucher, VoucherTerms
from loyalty.vouchers.errors import VoucherUsed
from loyalty.vouchers.models import VoucherRow

__all__ = ["Origin", "Voucher", "VoucherTerms", "add", "issue", "issue_code", "stop", "void"]


def issue(
    session: Session,
    changes: Changes,
    member: LockedMember,
    terms: VoucherTerms,
    *,
    program_id: UUID,
    redemption_id: str | None = None,
    assignment_id: UUID | None = None,
    reward: str | None = None,
    now: datetime,
) -> Voucher:
    """Draw a code nobody has, and add the member's voucher to the rows to be written."""
    ((_, code),) = claiming.draw(session, program_id, 1, lambda: member.member_id)
    origin = Origin(redemption_id=redemption_id, assignment_id=assignment_id)
    _tell_issued(changes, member, terms, origin, program_id=program_id, reward=reward, now=now)
    return add(changes, member.member_id, code, terms, program_id=program_id, bound=True, origin=origin, now=now)


def issue_code(
    changes: Changes,
    member: LockedMember,
    code: str,
    terms: VoucherTerms,
    *,
    program_id: UUID,
    redemption_id: str | None,
    reward: str | None = None,
    now: datetime,
) -> Voucher:
    """Make a code out of a pool the member's voucher. The registry has had it since the upload, and learns whose."""
    key = {"program_id": program_id, "kind": "voucher", "key": codes.canonical(code)}
    changes.update(NaturalKey, {**key, "member_id": member.member_id})
    origin = Origin(redemption_id=redemption_id)
    _tell_issued(changes, member, terms, origin, program_id=program_id, reward=reward, now=now)
    return add(changes, member.member_id, code, terms, program_id=program_id, bound=True, origin=origin, now=now)


def add(
    changes: Changes,
    owner: UUID,
    code: str,
    terms: VoucherTerms,
    *,
    program_id: UUID,
    bound: bool,
    origin: Origin,
    now: datetime,
) -> Voucher:
    """Add the row of a voucher whose code is claimed. That it is issued, the caller tells."""
    changes.insert(
        VoucherRow,
        {
            "member_id": owner,
            "code": code,
            "key": codes.canonical(code),
            "program_id": program_id,
            "bound": bound,
            "value": terms.value,
            "issued_at": now,
            "valid_from": terms.valid_from,
            "expires_at": terms.expires_at,
            "uses_allowed": terms.uses_allowed,
            "uses": 0,
            "per_customer": terms.per_customer,
            "voided_at": None,
            "void_reason": None,
            "origin": origin.kind,
            "batch_id": origin.batch_id,
            "redemption_id": origin.redemption_id,
            "assignment_id": origin.assignment_id,
        },
    )
    return Voucher(code, terms.value, terms.expires_at)


def void(
    session: Session, program_id: UUID, code: str, *, reason: str, reward: str | None = None, now: datetime
) -> None:
    """Withdraw a voucher that nobody has used, or that was given back. One that is withdrawn stays so.

    `reward`: which gave it, as is told.

    Refuses: VoucherNotFound, VoucherUsed.
    """
    voucher = queries.locked_voucher(session, program_id, code)
    if voucher.voided_at is None:
        if voucher.uses:
            raise _used(session, voucher)
        _void(session, program_id, voucher, reason, reward=reward, now=now)


def stop(session: Session, program_id: UUID, code: str, reason: str, *, actor: str, now: datetime) -> dict[str, Any]:
    """Withdraw a voucher by hand. What it was used for stands; nothing is used any more.

    One that cannot be used any more anyway is refused: nothing is left to be withdrawn.
    Refuses: VoucherNotFound, VoucherUsed.
    """
    voucher = queries.locked_voucher(session, program_id, code)
    before = queries.voucher(session, program_id, code, now=now)
    if voucher.voided_at is not None:
        return before
    if voucher.uses == voucher.uses_allowed:
        raise _used(session, voucher)
    _void(session, program_id, voucher, reason, reward=None, now=now)
    after = queries.voucher(session, program_id, code, now=now)
    audit.record(
        session, program_id, actor=actor, action="voucher.voided", resource=f"vouchers/{voucher.code}", before=before,
        after=after, now=now,
    )  # fmt: skip
    return after


def _tell_issued(
    changes: Changes, member: LockedMember, terms: VoucherTerms, origin: Origin, *, program_id: UUID,
    reward: str | None, now: datetime,
) -> None:  # fmt: skip
    who = (member.member_id, member.customer_id)
    facts.tell(changes, program_id, events.issued(who, terms, origin, reward=reward, count=1, now=now), now=now)


def _void(
    session: Session, program_id: UUID, voucher: HeldVoucher, reason: str, *, reward: str | None, now: datetime
) -> None:
    changes = Changes()
    row = {"member_id": voucher.member_id, "code": voucher.code, "voided_at": now, "void_reason": reason}
    changes.update(VoucherRow, row)
    fact = events.happened("voided", voucher.holder, voucher, used=voucher.uses, reward=reward, now=now)
    facts.tell(changes, program_id, fact, now=now)
    write(session, changes)


def _used(session: Session, voucher: HeldVoucher) -> VoucherUsed:
    return VoucherUsed(voucher.code, uses=voucher.uses, orders=queries.orders_of(session, voucher))
