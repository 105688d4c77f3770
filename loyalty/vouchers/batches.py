"""Vouchers made by hand, many at once."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint, new_id
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.members import locks, receipts
from loyalty.members.domain import LockedMember
from loyalty.members.receipts import Request
from loyalty.vouchers import claiming, events, service
from loyalty.vouchers.claiming import Owned
from loyalty.vouchers.domain import NewBatch
from loyalty.vouchers.service import Origin


def create_batch(session: Session, program_id: UUID, new: NewBatch, *, actor: str, now: datetime) -> Answer:
    """Make vouchers, of new codes or of those that are brought, all or none.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended, InvalidRequest, DuplicateCodes, IdempotencyConflict.
    """
    member = None if new.customer_id is None else locks.lock_member(session, program_id, new.customer_id)
    request = Request("batch", new.batch_id, fingerprint(asdict(new)))
    owner = new_id() if member is None else member.member_id
    if answer := receipts.first_answer(session, program_id, request, owner):
        return answer
    if member is not None:
        locks.require_active(member)
    changes, origin = Changes(), Origin(batch_id=new.batch_id)
    owned = _claimed(session, program_id, new, member)
    for of, code in owned:
        service.add(
            changes, of, code, new.terms, program_id=program_id, bound=member is not None, origin=origin, now=now
        )
    who = None if member is None else (member.member_id, member.customer_id)
    fact = events.issued(who, new.terms, origin, reward=None, count=len(owned), now=now)
    facts.tell(changes, program_id, fact, now=now)
    told = {"batch_id": new.batch_id, "count": len(owned)}
    answer = receipts.keep(changes, request, owner, {**told, "codes": [code for _, code in owned]})
    write(session, changes)
    # The codes are as good as money, and the log is read by many.
    audit.record(
        session, program_id, actor=actor, action="vouchers.created", resource=f"vouchers/{new.batch_id}",
        after={**told, "customer_id": new.customer_id, **asdict(new.terms)}, now=now,
    )  # fmt: skip
    return answer


def _claimed(session: Session, program_id: UUID, new: NewBatch, member: LockedMember | None) -> list[Owned]:
    """The codes, each with its owner: the member, or an id of its own."""

    def owner() -> UUID:
        return new_id() if member is None else member.member_id

    if new.count is None:
        return claiming.claim_uploaded(session, program_id, new.codes, owner)
    return claiming.draw(session, program_id, new.count, owner)
