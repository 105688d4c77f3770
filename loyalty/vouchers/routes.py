"""Vouchers at the checkout, those of a member, and vouchers made by hand."""

from http import HTTPStatus
from typing import Any

from flask import Response, g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, TooManyAttempts
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.vouchers import batches, examples, queries, redeeming, schemas, service
from loyalty.vouchers.domain import NewBatch, Wish
from loyalty.vouchers.errors import (
    DuplicateCodes,
    VoucherBoundToAnother,
    VoucherCustomerLimit,
    VoucherExpired,
    VoucherNotFound,
    VoucherNotRedeemed,
    VoucherNotStarted,
    VoucherUsed,
    VoucherUsedUp,
    VoucherVoid,
)
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.requests import json_answer, stored_answer
from loyalty.web.throttling import throttled

bp = Blueprint("vouchers", __name__, url_prefix="/v1", description="Codes that are worth something.")
admin = Blueprint(
    "voucher-administration", __name__, url_prefix="/v1/admin/vouchers", description="Vouchers, made by hand."
)

# What all attempts at codes are counted as, whatever is asked about them.
CODES = "voucher"


@bp.get("/vouchers/<written:voucher_code>")
@bp.refuses(VoucherNotFound, TooManyAttempts)
@throttled(CODES, VoucherNotFound)
@reads
@bp.response(200, schemas.VoucherStateSchema(), example=examples.VOUCHER)
def get_voucher(session: Session, voucher_code: str) -> dict[str, Any]:
    """A voucher as it stands. The code may be written in any way in which it can be read."""
    return queries.voucher(session, g.caller.program_id, voucher_code, now=clock.now())


@bp.post("/vouchers/<written:voucher_code>/validate")
@bp.refuses(VoucherNotFound, TooManyAttempts)
@reading_operation
@throttled(CODES, VoucherNotFound)
@reads
@bp.arguments(schemas.WishSchema(), example=examples.WISH)
@bp.response(200, schemas.VoucherValidationSchema(), example=examples.VALIDATION)
def validate_voucher(session: Session, wish: Wish, voucher_code: str) -> Response:
    """Whether an order could use a voucher now, what it would take off, and every reason why not. Writes nothing."""
    return json_answer(redeeming.validate(session, g.caller.program_id, voucher_code, wish, now=clock.now()))


@bp.post("/vouchers/<written:voucher_code>/redeem")
@bp.refuses(
    VoucherNotFound, VoucherNotStarted, VoucherExpired, VoucherUsedUp, VoucherVoid, VoucherBoundToAnother,
    VoucherCustomerLimit, MemberClosed, MemberSuspended, IdempotencyConflict, TooManyAttempts,
)  # fmt: skip
@throttled(CODES, VoucherNotFound)
@transactional
@bp.arguments(schemas.WishSchema(), example=examples.WISH)
@bp.response(HTTPStatus.CREATED, schemas.VoucherUseSchema(), example=examples.REDEEMED)
def redeem_voucher(session: Session, wish: Wish, voucher_code: str) -> Response:
    """Use a voucher for an order. The same order again is answered with the first answer, until it is released."""
    answer = redeeming.redeem(session, g.caller.program_id, voucher_code, wish, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@bp.post("/vouchers/<written:voucher_code>/release")
@bp.refuses(VoucherNotFound, VoucherNotRedeemed, IdempotencyConflict, TooManyAttempts)
@throttled(CODES, VoucherNotFound)
@transactional
@bp.arguments(schemas.WishSchema(), example=examples.RELEASE)
@bp.response(200, schemas.VoucherReleaseSchema(), example=examples.RELEASED)
def release_voucher(session: Session, wish: Wish, voucher_code: str) -> Response:
    """Give back the use of an order that came to nothing. Customer and total need not be said again."""
    answer = redeeming.release(session, g.caller.program_id, voucher_code, wish, now=clock.now())
    return stored_answer(answer, HTTPStatus.OK)


@bp.get("/members/<shop_id:customer_id>/vouchers")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(schemas.VouchersQuerySchema(), location="query")
@bp.response(200, schemas.VouchersSchema(), example=examples.VOUCHERS)
def list_vouchers(session: Session, wanted: dict[str, Any], customer_id: str) -> Page[dict[str, Any]]:
    """The vouchers bound to a member, newest first."""
    return queries.vouchers_of(session, g.caller.program_id, customer_id, **wanted, now=clock.now())


@admin.post("")
@admin.refuses(MemberNotFound, MemberClosed, MemberSuspended, DuplicateCodes, IdempotencyConflict)
@transactional
@admin.arguments(schemas.NewBatchSchema(), example=examples.NEW_BATCH)
@admin.response(HTTPStatus.CREATED, schemas.VoucherBatchSchema(), example=examples.BATCH)
def create_vouchers(session: Session, new: NewBatch) -> Response:
    """Make vouchers: so many with new codes, or of the codes that are sent, all or none."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    answer = batches.create_batch(session, program_id, new, actor=actor, now=clock.now())
    return stored_answer(answer, HTTPStatus.CREATED)


@admin.get("")
@reads
@admin.arguments(schemas.BatchQuerySchema(), location="query")
@admin.response(200, schemas.BatchVouchersSchema(), example=examples.BATCH_VOUCHERS)
def list_batch_vouchers(session: Session, wanted: dict[str, Any]) -> Page[dict[str, Any]]:
    """The vouchers of a batch, by code."""
    return queries.vouchers_of_batch(session, g.caller.program_id, **wanted, now=clock.now())


@admin.post("/<written:voucher_code>/void")
@admin.refuses(VoucherNotFound, VoucherUsed, IdempotencyConflict)
@transactional
@idempotent
@admin.arguments(schemas.VoidSchema(), example=examples.VOID)
@admin.response(200, schemas.VoucherStateSchema(), example=examples.VOIDED)
def void_voucher(session: Session, wanted: dict[str, str], voucher_code: str) -> dict[str, Any]:
    """Withdraw a voucher. What it was used for stands; nobody can use it any more."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return service.stop(session, program_id, voucher_code, wanted["reason"], actor=actor, now=clock.now())
