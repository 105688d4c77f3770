"""What becomes of a redemption: it is confirmed, fulfilled or cancelled, or its time runs out; one of them, once.

Who confirms, cancels or records the end of a redemption holds its member's lock; what is kept for it of a limited
reward is decided by who deletes that row (`stock`).
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from loyalty.core.answers import Answer
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.ledger import holdings, spending
from loyalty.ledger import service as ledger
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Credit
from loyalty.ledger.giving_back import grace_until
from loyalty.ledger.settling import settle
from loyalty.ledger.spending import GivenBack
from loyalty.ledger.spent import spent_by
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.members.models import Receipt
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program
from loyalty.rewards import catalogue as catalogues
from loyalty.rewards import fulfilling, queries, stock
from loyalty.rewards.domain import Redemption
from loyalty.rewards.errors import RedemptionNotConfirmed, RedemptionNotFound, RedemptionResolved
from loyalty.rewards.recording import changed_row, confirmed, tell, told
from loyalty.vouchers import service as vouchers


@dataclass(frozen=True, slots=True)
class _Case:
    """A redemption under its member's lock. `member` is who the member was merged into, if they were."""

    made: Redemption
    program: Program
    member: LockedMember


def confirm(session: Session, program_id: UUID, redemption_id: str, *, now: datetime) -> Answer:
    """Spend the points that are held for a redemption, and give what it promised.

    Refuses: RedemptionNotFound, RedemptionResolved, OutOfStock.
    """
    case = _open(session, program_id, redemption_id)
    made = case.made
    if made.expires_at is not None and made.status in ("confirmed", "fulfilled"):
        return _first_answer(session, made, "confirm")
    _require_held(made, now)
    book = _book_with_hold(session, case, now=now)
    held = book.holds[made.hold_id]
    if held.status != "held":
        raise RedemptionResolved(redemption_id, status="expired", at=held.expires_at)
    if made.took_stock and not stock.let_go(session, made.member_id, redemption_id):
        # Somebody whose clock is ahead has found its time to be over, and has what was kept for it.
        raise RedemptionResolved(redemption_id, status="expired", at=held.expires_at)
    spending.capture(book, held, made.points)
    entry = next(entry for entry in reversed(book.entries) if entry.kind == "redeem")
    settle(book, book.now)
    changes = Changes()
    reward = catalogues.at_version(session, case.program, made.reward_code, made.reward_version)
    voucher = fulfilling.give(session, changes, made, program=case.program, member=case.member, reward=reward, now=now)
    made = confirmed(made, entry.seq, voucher, now=now)
    changes.add(ledger.changes_of(book, program_id, now=now))
    return _write(session, case, changes, made, verb="confirm", answer=told(made, voucher, book), now=now)


def cancel(session: Session, program_id: UUID, redemption_id: str, *, reason: str | None, now: datetime) -> Answer:
    """Give the points of a redemption back to the lots they came from, and what was taken to the stock.

    Refuses: RedemptionNotFound, RedemptionResolved, VoucherUsed.
    """
    case = _open(session, program_id, redemption_id)
    made = case.made
    if made.status == "cancelled":
        return _first_answer(session, made, "cancel")
    if made.status in ("fulfilled", "expired"):
        raise _resolved(made, now)
    if made.status == "held":
        _require_held(made, now)
        book = _book_with_hold(session, case, now=now)
        if book.holds[made.hold_id].status != "held":
            raise RedemptionResolved(redemption_id, status="expired", at=made.expires_at or now)
        spending.release(book, book.holds[made.hold_id], at=book.now, reason="redemption cancelled")
        given_back: list[GivenBack] = []
    else:
        if made.voucher_code is not None:
            vouchers.void(
                session, program_id, made.voucher_code, reason="redemption cancelled", reward=made.reward_code, now=now
            )
        book, given_back = _given_back(session, case, now=now)
    settle(book, book.now)
    was_confirmed = made.confirmed_at is not None
    made = replace(made, status="cancelled", closed_at=now, reason=reason)
    answer = {**told(made, None, book), "points_returned": [_returned(each) for each in given_back]}
    changes = ledger.changes_of(book, program_id, now=now)
    answered = _write(session, case, changes, made, verb="cancel", answer=answer, now=now)
    if made.took_stock:
        _back_to_stock(session, program_id, made, confirmed=was_confirmed)
    return answered


def fulfil(session: Session, program_id: UUID, redemption_id: str, *, reference: str | None, now: datetime) -> Answer:
    """Say that the member has what the redemption promised; `reference` is what the shop calls that.

    Refuses: RedemptionNotFound, RedemptionNotConfirmed, RedemptionResolved.
    """
    case = _open(session, program_id, redemption_id)
    made = case.made
    if made.status == "fulfilled" and made.reference == reference:
        return _first_answer(session, made, "fulfil")
    if made.status != "confirmed":
        if made.expires_at is not None and made.resolved(now) is None:
            raise RedemptionNotConfirmed(redemption_id, expires_at=made.expires_at)
        raise _resolved(made, now)
    made = replace(made, status="fulfilled", fulfilled_at=now, reference=reference)
    book = ledger.open_book(session, case.program, case.member, now=now)
    answer = {**told(made, queries.voucher_of(session, made), book), "reference": reference}
    changes = ledger.changes_of(book, program_id, now=now)
    return _write(session, case, changes, made, verb="fulfil", answer=answer, now=now)


def _open(session: Session, program_id: UUID, redemption_id: str) -> _Case:
    """The redemption, with its member locked. Redemptions under way end, whoever is suspended."""
    found = locks.lock_holder(session, program_id, "redemption", redemption_id)
    if found is None:
        raise RedemptionNotFound(redemption_id)
    owner_id, member = found
    made = queries.recorded(session, owner_id, redemption_id)
    return _Case(made, programs.current(session, program_id, config_version=member.config_version), member)


def _book_with_hold(session: Session, case: _Case, *, now: datetime) -> Book:
    """The book of the member, with the hold of the redemption and its lots. Who has points on hold is not merged."""
    made, hold_id = case.made, case.made.hold_id
    book = ledger.open_book(session, case.program, case.member, now=now, named=[hold_id])
    if book.holds.get(hold_id) is None:
        # It has timed out, and its member was merged since.
        held = holdings.hold(session, made.member_id, hold_id)
        assert held is not None, "what is held has a hold"
        book.holds.take_in([held])
    return book


def _given_back(session: Session, case: _Case, *, now: datetime) -> tuple[Book, list[GivenBack]]:
    """The book after the points that were spent went back to their lots, and what became of them."""
    made, book = case.made, ledger.open_book(session, case.program, case.member, now=now)
    assert made.entry_seq is not None, "what is confirmed was paid by an entry"
    spent = [(piece.lot, piece.points) for piece in spent_by(session, made.member_id, made.entry_seq)]
    book.lots.take_in(lot for lot, _ in spent if lot.member_id == book.member_id)
    credit = Credit(
        points=0, unit=POINTS, earned_at=book.now, reference=made.redemption_id, reason="redemption cancelled"
    )
    return book, spending.give_back(book, spent, grace_until=grace_until(case.program, book.now), credit=credit)


def _write(
    session: Session, case: _Case, changes: Changes, made: Redemption, *, verb: str, answer: dict[str, Any],
    now: datetime,
) -> Answer:  # fmt: skip
    body = orjson.dumps(answer, option=orjson.OPT_UTC_Z)
    changed_row(changes, made)
    row = {"member_id": made.member_id, "kind": _receipt_kind(verb), "key": made.redemption_id, "body": body.decode()}
    changes.insert(Receipt, row)
    tell(changes, case.program.program_id, (case.member.member_id, case.member.customer_id), made, now=now)
    write(session, changes)
    return Answer(body)


def _first_answer(session: Session, made: Redemption, verb: str) -> Answer:
    body = queries.kept_answer(session, made.member_id, _receipt_kind(verb), made.redemption_id)
    return Answer(body, replayed=True)


def _receipt_kind(verb: str) -> str:
    return f"redemption-{verb}"


def _back_to_stock(session: Session, program_id: UUID, made: Redemption, *, confirmed: bool) -> None:
    if not confirmed:
        stock.give_back(session, [(made.member_id, made.redemption_id)])
    elif fulfilling.returns_to_stock(made.fulfilment, confirmed=confirmed):
        stock.put_back(session, program_id, made.reward_code)


def _require_held(made: Redemption, now: datetime) -> None:
    if made.resolved(now) is not None:
        raise _resolved(made, now)


def _resolved(made: Redemption, now: datetime) -> RedemptionResolved:
    found = made.resolved(now)
    assert found is not None, "only what is decided is refused for it"
    return RedemptionResolved(made.redemption_id, status=found[0], at=found[1])


def _returned(back: GivenBack) -> dict[str, Any]:
    return {name: value for name, value in asdict(back).items() if name != "lot"}
