"""Recording and reading orders."""

from http import HTTPStatus

from flask import Response, g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import Session
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.orders import queries, service
from loyalty.orders.domain import NewOrder, Order
from loyalty.orders.errors import CurrencyMismatch, OrderNotFound, PlacedInFuture
from loyalty.orders.examples import NEW_ORDER, ORDER, ORDER_RECEIPT
from loyalty.orders.schemas import NewOrderSchema, OrderReceiptSchema, OrderSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.requests import stored_answer

bp = Blueprint("orders", __name__, url_prefix="/v1/orders", description="What members buy.")


@bp.post("")
@bp.refuses(MemberNotFound, MemberClosed, MemberSuspended, CurrencyMismatch, PlacedInFuture, IdempotencyConflict)
@transactional
@bp.arguments(NewOrderSchema(), example=NEW_ORDER)
@bp.response(HTTPStatus.CREATED, OrderReceiptSchema(), example=ORDER_RECEIPT)
def record_order(session: Session, order: NewOrder) -> Response:
    """Record an order and award the points it earns. The same order again is answered with the first answer."""
    answer = service.record_order(session, g.caller.program_id, order, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.get("/<shop_id:order_id>")
@bp.refuses(OrderNotFound)
@reads
@bp.response(200, OrderSchema(), example=ORDER)
def get_order(session: Session, order_id: str) -> Order:
    """One order, as reported, with what it earned when it was recorded."""
    return queries.order(session, g.caller.program_id, order_id)
