"""Recording and reading orders."""

from http import HTTPStatus
from typing import Any

from flask import Response, g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import Session
from loyalty.ledger.errors import OrderCancelled
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.orders import previews, queries, returns, service
from loyalty.orders.domain import NewOrder, Order
from loyalty.orders.errors import (
    CurrencyMismatch,
    LineUnknown,
    OrderNotFound,
    OverReturn,
    PlacedInFuture,
    ReturnedBeforePlaced,
    ReturnedInFuture,
)
from loyalty.orders.examples import (
    CANCELLATION,
    CONFIRMATION,
    CONFIRMATION_RECEIPT,
    EXPLANATION,
    NEW_ORDER,
    NEW_RETURN,
    ORDER,
    ORDER_RECEIPT,
    PREVIEW,
    RETURN,
)
from loyalty.orders.returning import NewReturn
from loyalty.orders.schemas import (
    CancellationSchema,
    ConfirmationReceiptSchema,
    ConfirmationSchema,
    ExplanationSchema,
    NewOrderSchema,
    NewReturnSchema,
    OrderReceiptSchema,
    OrderSchema,
    PreviewSchema,
    ReturnSchema,
)
from loyalty.payments.errors import PaymentMissing, PaymentNotFound, PaymentResolved, PointsPaidMismatch
from loyalty.web.arguments import NothingSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.requests import stored_answer

bp = Blueprint("orders", __name__, url_prefix="/v1/orders", description="What members buy.")


@bp.post("")
@bp.refuses(
    MemberNotFound, MemberClosed, MemberSuspended, CurrencyMismatch, PlacedInFuture, PaymentMissing, PaymentNotFound,
    PaymentResolved, PointsPaidMismatch, IdempotencyConflict,
)  # fmt: skip
@transactional
@bp.arguments(NewOrderSchema(), example=NEW_ORDER)
@bp.response(HTTPStatus.CREATED, OrderReceiptSchema(), example=ORDER_RECEIPT)
def record_order(session: Session, order: NewOrder) -> Response:
    """Record an order and award the points it earns. The same order again is answered with the first answer."""
    answer = service.record_order(session, g.caller.program_id, order, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.post("/preview")
@bp.refuses(
    MemberNotFound, MemberClosed, MemberSuspended, CurrencyMismatch, PlacedInFuture, PaymentMissing, PaymentNotFound,
    PaymentResolved, PointsPaidMismatch,
)  # fmt: skip
@reading_operation
@reads
@bp.arguments(NewOrderSchema(), example=NEW_ORDER)
@bp.response(HTTPStatus.OK, PreviewSchema(), example=PREVIEW)
def preview_order(session: Session, order: NewOrder) -> dict[str, Any]:
    """What recording this order now would earn, and why each other rule would give nothing. Nothing is written."""
    return previews.preview_order(session, g.caller.program_id, order, now=clock.now())


@bp.get("/<shop_id:order_id>/explanation")
@bp.refuses(OrderNotFound)
@reads
@bp.response(HTTPStatus.OK, ExplanationSchema(), example=EXPLANATION)
def explain_order(session: Session, order_id: str) -> dict[str, Any]:
    """Why an order earned what it did: every rule that judged it, with the values it saw then."""
    return previews.explain_order(session, g.caller.program_id, order_id)


@bp.post("/<shop_id:order_id>/returns")
@bp.refuses(
    OrderNotFound, OrderCancelled, LineUnknown, OverReturn, ReturnedBeforePlaced, ReturnedInFuture, IdempotencyConflict
)
@transactional
@bp.arguments(NewReturnSchema(), example=NEW_RETURN)
@bp.response(HTTPStatus.CREATED, ReturnSchema(), example=RETURN)
def return_lines(session: Session, new: NewReturn, order_id: str) -> Response:
    """Take back what the returned units earned, and give back the points that were spent on them.

    Any number of partial returns ends exactly where the return of everything does. The same return_id again is answered
    with the first answer.
    """
    answer = returns.return_lines(session, g.caller.program_id, order_id, new, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.post("/<shop_id:order_id>/cancel")
@bp.refuses(OrderNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(200, CancellationSchema(), example=CANCELLATION)
def cancel_order(session: Session, _nothing: dict[str, Any], order_id: str) -> Response:
    """Return all that has not come back yet, and close the order. Once more is answered with the first answer."""
    return stored_answer(returns.cancel_order(session, g.caller.program_id, order_id, now=clock.now()), HTTPStatus.OK)


@bp.post("/<shop_id:order_id>/confirm")
@bp.refuses(OrderNotFound, OrderCancelled, ReturnedBeforePlaced, ReturnedInFuture, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(ConfirmationSchema(), example=CONFIRMATION)
@bp.response(200, ConfirmationReceiptSchema(), example=CONFIRMATION_RECEIPT)
def confirm_order(session: Session, wanted: dict[str, Any], order_id: str) -> Response:
    """Confirm an order, for instance as delivered: the points that waited for it become available."""
    answer = returns.confirm_order(session, g.caller.program_id, order_id, **wanted, now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)


@bp.get("/<shop_id:order_id>")
@bp.refuses(OrderNotFound)
@reads
@bp.response(200, OrderSchema(), example=ORDER)
def get_order(session: Session, order_id: str) -> Order:
    """One order, as reported, with what it earned when it was recorded."""
    return queries.order(session, g.caller.program_id, order_id)
