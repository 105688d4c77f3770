"""Points that one member gives another."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.ledger import moving, service
from loyalty.ledger.errors import SelfTransfer, UnitUnknown
from loyalty.members import locks, receipts
from loyalty.members.errors import MemberNotFound
from loyalty.members.receipts import Request
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """Points to be given to the member `to`."""

    transfer_id: str
    to: str
    points: int
    unit: str = POINTS
    reason: str | None = None


def transfer(session: Session, program_id: UUID, customer_id: str, new: NewTransfer, *, now: datetime) -> Answer:
    """Move points to another member; each keeps the date on which it lapses.

    Refuses: SelfTransfer, MemberNotFound, MemberClosed, MemberSuspended, UnitUnknown, InsufficientPoints,
    IdempotencyConflict.
    """
    if new.to == customer_id:
        raise SelfTransfer(f"'{customer_id}' is both who gives and who gets.")
    members = locks.lock_members(session, program_id, [customer_id, new.to])
    for named in (customer_id, new.to):
        if named not in members:
            raise MemberNotFound(named)
    giver, taker = members[customer_id], members[new.to]
    request = Request("transfer", new.transfer_id, fingerprint([customer_id, new]))
    if answer := receipts.first_answer(session, program_id, request, giver.member_id):
        return answer
    locks.require_active(giver)
    locks.require_active(taker)
    program = programs.current(session, program_id, config_version=giver.config_version)
    if new.unit not in program.units:
        raise UnitUnknown(new.unit)
    books = service.open_books(session, program, [giver, taker], now=now, together=True)
    source, target = books[giver.member_id], books[taker.member_id]
    if source.account(new.unit).available >= new.points:
        service.read_lots_to_spend(session, source, new.unit, new.points)
    moving.transfer(source, target, new.unit, new.points, reference=new.transfer_id, reason=new.reason)
    changes = service.changes_of(source, program_id, now=now)
    changes.add(service.changes_of(target, program_id, now=now))
    told = {
        "transfer_id": new.transfer_id, "from": customer_id, "to": new.to, "unit": new.unit, "points": new.points,
        "reason": new.reason, "balance": service.brief(source, new.unit),
    }  # fmt: skip
    answer = receipts.keep(changes, request, giver.member_id, told)
    write(session, changes)
    return answer
