"""Paying with points: how many can be used, held, captured with the order, refunded."""

from http import HTTPStatus
from typing import Any

from flask import Response, g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.ledger.errors import CaptureExceedsHold, InsufficientPoints, OrderCancelled
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.members.queries import member_id_of
from loyalty.payments import examples, queries, refunding, schemas, service
from loyalty.payments.domain import NewPayment, Quote
from loyalty.payments.errors import (
    PaymentBelowMinimum,
    PaymentNotAMultiple,
    PaymentNotCaptured,
    PaymentNotFound,
    PaymentOverLimit,
    PaymentResolved,
    RefundExceedsPayment,
)
from loyalty.payments.refunding import NewRefund
from loyalty.web.arguments import NothingSchema, WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.requests import stored_answer

bp = Blueprint("payments", __name__, url_prefix="/v1", description="Paying with points.")


@bp.post("/members/<shop_id:customer_id>/point-payments/quote")
@bp.refuses(MemberNotFound, MemberClosed, MemberSuspended)
@reading_operation
@reads
@bp.arguments(schemas.QuoteQuerySchema(), example=examples.QUOTE_QUERY)
@bp.response(200, schemas.QuoteSchema(), example=examples.QUOTE)
def quote_payment(session: Session, query: dict[str, Any], customer_id: str) -> Quote:
    """How many points a member could use for an order now, and what they would pay. Nothing is held."""
    return service.quote_payment(session, g.caller.program_id, customer_id, **query, now=clock.now())


@bp.post("/members/<shop_id:customer_id>/point-payments")
@bp.refuses(
    MemberNotFound, MemberClosed, MemberSuspended, PaymentBelowMinimum, PaymentOverLimit, PaymentNotAMultiple,
    InsufficientPoints, OrderCancelled, IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.arguments(schemas.NewPaymentSchema(), example=examples.NEW_PAYMENT)
@bp.response(HTTPStatus.CREATED, schemas.PaymentReceiptSchema(), example=examples.PAYMENT_HELD)
def hold_payment(session: Session, new: dict[str, Any], customer_id: str) -> Response:
    """Hold points for an order, by what is allowed and available now. The same payment_id again changes nothing."""
    answer = service.hold_payment(session, g.caller.program_id, customer_id, NewPayment(**new), now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.get("/members/<shop_id:customer_id>/point-payments")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, schemas.PaymentsSchema(), example=examples.PAYMENTS)
def list_payments(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """A member's payments with points, newest first."""
    member_id = member_id_of(session, g.caller.program_id, customer_id)
    return queries.payments(session, member_id, window, now=clock.now())


@bp.get("/point-payments/<shop_id:payment_id>")
@bp.refuses(PaymentNotFound)
@reads
@bp.response(200, schemas.PaymentSchema(), example=examples.PAYMENT)
def get_payment(session: Session, payment_id: str) -> dict[str, Any]:
    """A payment with points as it stands."""
    return queries.payment(session, g.caller.program_id, payment_id, now=clock.now())


@bp.post("/point-payments/<shop_id:payment_id>/capture")
@bp.refuses(
    PaymentNotFound, PaymentResolved, CaptureExceedsHold, PaymentNotAMultiple, OrderCancelled, IdempotencyConflict
)
@transactional
@idempotent
@bp.arguments(schemas.PaymentCaptureSchema(), example=examples.CAPTURE)
@bp.response(200, schemas.PaymentReceiptSchema(), example=examples.PAYMENT_CAPTURED)
def capture_payment(session: Session, wanted: dict[str, Any], payment_id: str) -> dict[str, Any]:
    """Spend the points of a payment: all, or some, and the rest is released.

    Not needed for an order that names the payment: recording it captures the payment.
    """
    return service.capture_payment(session, g.caller.program_id, payment_id, **wanted, now=clock.now())


@bp.post("/point-payments/<shop_id:payment_id>/release")
@bp.refuses(PaymentNotFound, PaymentResolved, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(200, schemas.PaymentReceiptSchema(), example=examples.PAYMENT_RELEASED)
def release_payment(session: Session, _nothing: dict[str, Any], payment_id: str) -> dict[str, Any]:
    """Give all points of a payment that was not captured back to their lots."""
    return service.release_payment(session, g.caller.program_id, payment_id, now=clock.now())


@bp.post("/point-payments/<shop_id:payment_id>/refund")
@bp.refuses(PaymentNotFound, PaymentNotCaptured, PaymentResolved, RefundExceedsPayment, IdempotencyConflict)
@transactional
@bp.arguments(schemas.NewRefundSchema(), example=examples.NEW_REFUND)
@bp.response(HTTPStatus.CREATED, schemas.RefundSchema(), example=examples.REFUND)
def refund_payment(session: Session, new: dict[str, Any], payment_id: str) -> Response:
    """Give points of a captured payment back to the lots they came from: all that are left, or some.

    What was given back by returns of the order is not given back again. The same refund_id again changes nothing.
    """
    answer = refunding.refund_payment(session, g.caller.program_id, payment_id, NewRefund(**new), now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)
