"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields

from loyalty.events.schemas import Kind
from loyalty.web.fields import Code, Instant, ShopId


class VoucherFactSchema(Schema):
    """What a voucher comes from, never its code. `customer_id` is null where it is nobody's."""

    redemption_id = ShopId(required=True, allow_none=True, metadata={"description": "The redemption that gave it."})
    batch_id = ShopId(required=True, allow_none=True, metadata={"description": "The batch that it was made in."})
    reward = Code(
        required=True,
        allow_none=True,
        metadata={"description": "The reward, when it is issued or its redemption cancelled."},
    )
    order_id = ShopId(required=True, allow_none=True, metadata={"description": "The order that used it."})
    uses_left = fields.Integer(
        required=True, allow_none=True, strict=True, metadata={"description": "Null: without end."}
    )
    expires_at = Instant(required=True, allow_none=True)
    count = fields.Integer(
        required=True, strict=True, metadata={"description": "How many vouchers: a batch is told as one."}
    )


KINDS = (
    Kind("voucher.issued", 1, "Somebody has a voucher, or there is a batch of them.", VoucherFactSchema),
    Kind("voucher.redeemed", 1, "An order used a voucher.", VoucherFactSchema),
    Kind("voucher.released", 1, "An order gave its use of a voucher back.", VoucherFactSchema),
    Kind("voucher.voided", 1, "A voucher was withdrawn.", VoucherFactSchema),
)
