"""Shapes of those who wait for a reward that is redeemed by itself."""

from marshmallow import Schema, fields

from loyalty.web.fields import Instant


class AutoRedeemWaitSchema(Schema):
    """A member who has points enough but cannot have the reward now.

    `reason` is the code of the refusal that a redemption would meet, "declined" by the member, or "books-unsound".
    `retry_at`: when it is tried again (null: when something changes).
    """

    customer_id = fields.String(required=True)
    reward = fields.String(required=True)
    reason = fields.String(required=True)
    tried_at = Instant(required=True)
    retry_at = Instant(required=True, allow_none=True)


class AutoRedeemWaitsSchema(Schema):
    """A page of those who wait."""

    data = fields.List(fields.Nested(AutoRedeemWaitSchema), required=True)
    next = fields.String(required=True, allow_none=True)
