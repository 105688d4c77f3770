"""Shapes of vouchers."""

from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.vouchers.domain import (
    BATCH_MAX,
    CODE_LENGTH_MAX,
    CODE_LENGTH_MIN,
    STATUSES,
    VALUE_NEEDED,
    NewBatch,
    VoucherTerms,
    Wish,
)
from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Instant, MinorUnits, ShopId, Text, Whole

USES_MAX = 10**9


class VoucherValueSchema(Schema):
    """What a voucher is worth: its kind, and minor units, percent, or a product."""

    type = fields.String(required=True, validate=OneOf(tuple(VALUE_NEEDED)))
    amount = MinorUnits(least=1)
    percent = Whole(least=1, most=100)
    sku = Text(most=64)
    most = MinorUnits(dump_only=True, metadata={"description": "The most that percent of an offer come to."})
    quantity = Whole(
        most=1_000_000, dump_only=True, metadata={"description": "How many pieces of a product an offer gives."}
    )

    @validates_schema(skip_on_field_errors=True)
    def _says_enough(self, data: dict[str, Any], **_kwargs: Any) -> None:
        needed = VALUE_NEEDED[data["type"]]
        if needed and needed not in data:
            raise ValidationError(f"A {data['type']} needs it.", needed)


class NewBatchSchema(Schema):
    """Vouchers to be made together: so many with new codes, or of codes that you bring."""

    batch_id = ShopId(required=True)
    count = Whole(least=1, most=BATCH_MAX)
    codes = fields.List(Text(least=CODE_LENGTH_MIN, most=CODE_LENGTH_MAX), validate=Length(min=1, max=BATCH_MAX))
    value = fields.Nested(VoucherValueSchema, required=True)
    valid_from = Instant(allow_none=True, load_default=None)
    expires_at = Instant(
        allow_none=True,
        load_default=None,
        metadata={"description": "The first instant at which they are no longer valid."},
    )
    uses_allowed = Whole(
        least=1, most=USES_MAX, allow_none=True, load_default=1, metadata={"description": "null: without end."}
    )
    per_customer = Whole(least=1, most=USES_MAX, allow_none=True, load_default=None)
    customer_id = ShopId(
        allow_none=True, load_default=None, metadata={"description": "The member who alone can use them."}
    )

    @validates_schema(skip_on_field_errors=True)
    def _makes_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("count" in data) == ("codes" in data):
            raise ValidationError("Give either count or codes.", "count")
        begin, end = data["valid_from"], data["expires_at"]
        if begin and end and end <= begin:
            raise ValidationError("Must be later than valid_from.", "expires_at")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewBatch:
        names = ("value", "valid_from", "expires_at", "uses_allowed", "per_customer")
        terms = VoucherTerms(**{name: data[name] for name in names})
        return NewBatch(
            batch_id=data["batch_id"], terms=terms, count=data.get("count"), codes=tuple(data.get("codes", ())),
            customer_id=data["customer_id"],
        )  # fmt: skip


class VoucherBatchSchema(Schema):
    """Vouchers just made."""

    batch_id = fields.String(required=True)
    count = fields.Integer(required=True)
    codes = fields.List(fields.String(), required=True)


class WishSchema(Schema):
    """The order, who buys, and for how much."""

    order_id = ShopId(required=True)
    customer_id = ShopId(allow_none=True, load_default=None)
    order_total = MinorUnits(
        allow_none=True,
        load_default=None,
        metadata={"description": "What the order costs, in minor units: a discount is worked out of it."},
    )

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> Wish:
        return Wish(**data)


class UsesSchema(Schema):
    """How often a voucher can be used, was used, and can be used yet. `null`: without end."""

    allowed = fields.Integer(required=True, allow_none=True)
    used = fields.Integer(required=True)
    left = fields.Integer(required=True, allow_none=True)


class VoucherReasonSchema(Schema):
    """Why a voucher cannot be used. Further members state the facts, as in a problem."""

    class Meta:
        """An answer, which says more than its shape."""

        unknown = INCLUDE

    code = fields.String(required=True)
    detail = fields.String(required=True)


class VoucherValidationSchema(Schema):
    """Whether a voucher can be used, and what for."""

    code = fields.String(required=True)
    valid = fields.Boolean(required=True)
    value = fields.Dict(required=True)
    discount = fields.Integer(required=True, allow_none=True)
    uses = fields.Nested(UsesSchema, required=True)
    valid_from = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)
    reasons = fields.List(fields.Nested(VoucherReasonSchema), required=True)


class VoucherUseSchema(Schema):
    """What a voucher was used for."""

    code = fields.String(required=True)
    order_id = fields.String(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    order_total = fields.Integer(required=True, allow_none=True)
    value = fields.Dict(required=True)
    discount = fields.Integer(required=True, allow_none=True)
    uses = fields.Nested(UsesSchema, required=True)
    redeemed_at = Instant(required=True)


class VoucherReleaseSchema(Schema):
    """A use that was given back."""

    code = fields.String(required=True)
    order_id = fields.String(required=True)
    uses = fields.Nested(UsesSchema, required=True)
    released_at = Instant(required=True)


class VoucherStateSchema(Schema):
    """A voucher as it stands."""

    code = fields.String(required=True)
    status = fields.String(required=True, validate=OneOf(STATUSES))
    value = fields.Dict(required=True)
    bound = fields.Boolean(required=True)
    uses = fields.Nested(UsesSchema, required=True)
    per_customer = fields.Integer(required=True, allow_none=True)
    issued_at = Instant(required=True)
    valid_from = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)
    voided_at = Instant(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)
    origin = fields.String(required=True, validate=OneOf(("reward", "batch", "offer")))
    batch_id = fields.String(required=True, allow_none=True)
    redemption_id = fields.String(required=True, allow_none=True)
    assignment_id = fields.UUID(required=True, allow_none=True, metadata={"description": "The offer that gave it."})


class VouchersSchema(Schema):
    """A page of vouchers."""

    data = fields.List(fields.Nested(VoucherStateSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class BatchVoucherSchema(VoucherStateSchema):
    """A voucher of a batch, with the member whom it was given to."""

    customer_id = fields.String(required=True, allow_none=True)


class BatchVouchersSchema(Schema):
    """A page of a batch."""

    data = fields.List(fields.Nested(BatchVoucherSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class VouchersQuerySchema(WindowSchema):
    """Which vouchers of a member, and how many of them."""

    status = fields.String(
        load_default=None, validate=OneOf(STATUSES), metadata={"description": "Only vouchers that are that."}
    )

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and what is looked for."""
        status = data.pop("status")
        return {"window": super().build(data), "status": status}


class BatchQuerySchema(WindowSchema):
    """Which batch, and how many of its vouchers."""

    batch_id = ShopId(required=True, metadata={"description": "Your own id of the batch."})

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and what is looked for."""
        batch_id = data.pop("batch_id")
        return {"window": super().build(data), "batch_id": batch_id}


class VoidSchema(Schema):
    """Why a voucher is withdrawn."""

    reason = Text(most=200, required=True)
