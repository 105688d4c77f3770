"""What a member holds, and the proof of the books."""

from http import HTTPStatus
from typing import Any

from flask import Response, g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.ledger import adjustments, balances, examples, holds, queries, schemas, transfers, verification
from loyalty.ledger.adjustments import NewAdjustment, NewReinstatement
from loyalty.ledger.balances import Moment
from loyalty.ledger.errors import (
    CaptureExceedsHold,
    HoldNotFound,
    HoldResolved,
    InsufficientPoints,
    LotNotFound,
    NothingToReinstate,
    OrderCancelled,
    ReinstatementTooLate,
    SelfTransfer,
    TimeUnknown,
    UnitUnknown,
)
from loyalty.ledger.holds import NewHold
from loyalty.ledger.transfers import NewTransfer
from loyalty.ledger.verification import Verification
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.members.queries import member_id_of
from loyalty.web.arguments import NothingSchema, WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.requests import json_answer, stored_answer

bp = Blueprint("ledger", __name__, url_prefix="/v1/members", description="What a member holds.")
payments = Blueprint("holds", __name__, url_prefix="/v1", description="Points in payments under way.")
proof = Blueprint("verification", __name__, url_prefix="/v1/ledger", description="The proof of the books.")


@bp.get("/<shop_id:customer_id>/balance")
@bp.refuses(MemberNotFound, UnitUnknown, TimeUnknown)
@reads
@bp.arguments(schemas.BalanceQuerySchema(), location="query")
@bp.response(200, schemas.BalanceSchema(), example=examples.BALANCE)
def get_balance(session: Session, query: dict[str, Any], customer_id: str) -> Response:
    """What a member holds, exactly, and what is about to mature or lapse.

    `as_of` in the past answers as it was; with `known_at`, as it was known then; in the future, as it will be if
    nothing else happens.
    """
    moment = Moment(now=clock.now(), as_of=query.get("as_of"), known_at=query.get("known_at"))
    return json_answer(balances.balance(session, g.caller.program_id, customer_id, query["unit"], moment))


@bp.get("/<shop_id:customer_id>/entries")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, schemas.EntriesSchema(), example=examples.ENTRIES)
def list_entries(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """A member's history, newest first."""
    program_id = g.caller.program_id
    member_id = member_id_of(session, program_id, customer_id)
    return queries.entries(session, program_id, member_id, window, now=clock.now())


@bp.get("/<shop_id:customer_id>/lots")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, schemas.LotsSchema(), example=examples.LOTS)
def list_lots(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """A member's lots, newest first, spent ones too."""
    program_id = g.caller.program_id
    member_id = member_id_of(session, program_id, customer_id)
    return queries.lots(session, program_id, member_id, window, now=clock.now())


@bp.get("/<shop_id:customer_id>/debts")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, schemas.DebtsSchema(), example=examples.DEBTS)
def list_debts(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """What a member owes after returns, and what is still to be paid of it; the latest first, paid ones too."""
    program_id = g.caller.program_id
    member_id = member_id_of(session, program_id, customer_id)
    return queries.debts(session, program_id, member_id, window, now=clock.now())


@bp.post("/<shop_id:customer_id>/adjustments")
@bp.refuses(MemberNotFound, MemberClosed, UnitUnknown, InsufficientPoints, IdempotencyConflict)
@transactional
@bp.arguments(schemas.NewAdjustmentSchema(), example=examples.NEW_ADJUSTMENT)
@bp.response(HTTPStatus.CREATED, schemas.AdjustmentSchema(), example=examples.ADJUSTMENT)
def adjust_points(session: Session, new: dict[str, Any], customer_id: str) -> Response:
    """Give points (a positive number) or take some by hand. What is given pays what the member owes first."""
    wanted, by = NewAdjustment(**new), f"key {g.caller.key_id}"
    answer = adjustments.adjust(session, g.caller.program_id, customer_id, wanted, now=clock.now(), by=by)
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.post("/<shop_id:customer_id>/reinstatements")
@bp.refuses(MemberNotFound, MemberClosed, LotNotFound, NothingToReinstate, ReinstatementTooLate, IdempotencyConflict)
@transactional
@bp.arguments(schemas.NewReinstatementSchema(), example=examples.NEW_REINSTATEMENT)
@bp.response(HTTPStatus.CREATED, schemas.ReinstatementSchema(), example=examples.REINSTATEMENT)
def reinstate_points(session: Session, new: dict[str, Any], customer_id: str) -> Response:
    """Bring points back that lapsed not too long ago, as a new lot."""
    wanted, by = NewReinstatement(**new), f"key {g.caller.key_id}"
    answer = adjustments.reinstate(session, g.caller.program_id, customer_id, wanted, now=clock.now(), by=by)
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.post("/<shop_id:customer_id>/transfers")
@bp.refuses(
    MemberNotFound, MemberClosed, MemberSuspended, SelfTransfer, UnitUnknown, InsufficientPoints, IdempotencyConflict
)
@transactional
@bp.arguments(schemas.NewTransferSchema(), example=examples.NEW_TRANSFER)
@bp.response(HTTPStatus.CREATED, schemas.TransferSchema(), example=examples.TRANSFER)
def transfer_points(session: Session, new: dict[str, Any], customer_id: str) -> Response:
    """Give points to another member. Each keeps the date on which it lapses."""
    answer = transfers.transfer(session, g.caller.program_id, customer_id, NewTransfer(**new), now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@payments.post("/members/<shop_id:customer_id>/holds")
@payments.refuses(MemberNotFound, MemberClosed, MemberSuspended, UnitUnknown, InsufficientPoints, IdempotencyConflict)
@transactional
@payments.arguments(schemas.NewHoldSchema(), example=examples.NEW_HOLD)
@payments.response(HTTPStatus.CREATED, schemas.HoldReceiptSchema(), example=examples.HOLD_RECEIPT)
def hold_points(session: Session, new: dict[str, Any], customer_id: str) -> Response:
    """Keep points for a payment under way: nobody else can spend them until it is captured, released or over."""
    answer = holds.place_hold(session, g.caller.program_id, customer_id, NewHold(**new), now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@payments.get("/holds/<shop_id:hold_id>")
@payments.refuses(HoldNotFound)
@reads
@payments.response(200, schemas.HoldSchema(), example=examples.HOLD)
def get_hold(session: Session, hold_id: str) -> dict[str, Any]:
    """A hold as it stands."""
    return queries.hold(session, g.caller.program_id, hold_id, now=clock.now())


@payments.post("/holds/<shop_id:hold_id>/capture")
@payments.refuses(HoldNotFound, HoldResolved, CaptureExceedsHold, OrderCancelled)
@transactional
@idempotent
@payments.arguments(schemas.CaptureSchema(), example=examples.CAPTURE)
@payments.response(200, schemas.HoldReceiptSchema(), example=examples.CAPTURED)
def capture_hold(session: Session, wanted: dict[str, Any], hold_id: str) -> dict[str, Any]:
    """Spend points of a hold: all, or some, and the rest is released."""
    return holds.capture_hold(session, g.caller.program_id, hold_id, **wanted, now=clock.now())


@payments.post("/holds/<shop_id:hold_id>/release")
@payments.refuses(HoldNotFound, HoldResolved)
@transactional
@idempotent
@payments.arguments(NothingSchema(), example={})
@payments.response(200, schemas.HoldReceiptSchema(), example=examples.RELEASED)
def release_hold(session: Session, _nothing: dict[str, Any], hold_id: str) -> dict[str, Any]:
    """Give all points of a hold back to their lots."""
    return holds.release_hold(session, g.caller.program_id, hold_id, now=clock.now())


@proof.get("/verification")
@proof.refuses(MemberNotFound)
@transactional
@proof.arguments(schemas.WhoseSchema(), location="query")
@proof.response(200, schemas.VerificationSchema(), example=examples.VERIFICATION)
def verify_ledger(session: Session, whose: dict[str, str]) -> Verification:
    """Prove the books, of the program or of one member: accounts, entries, lots and all else against each other."""
    verification.take_snapshot(session)
    program_id = g.caller.program_id
    one = [member_id_of(session, program_id, customer_id) for customer_id in whose.values()]
    return verification.verify(session, program_id=program_id, member_id=next(iter(one), None))
