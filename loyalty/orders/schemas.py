"""Shapes of orders."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.earning.award_schemas import AwardedPointsSchema, AwardSchema, RefusedSchema
from loyalty.earning.domain import Line
from loyalty.ledger.schemas import BalanceBriefSchema, RuleVersionSchema
from loyalty.orders.domain import NewOrder, PaidOrder
from loyalty.orders.returning import NewReturn, ReturnedLine
from loyalty.web.fields import (
    MINOR_UNITS_MAX,
    QUANTITY_MAX,
    Currency,
    Document,
    Instant,
    MinorUnits,
    ShopId,
    Text,
    Whole,
)
from loyalty.web.quick import QuickList, QuickSchema

LINES_MAX = 1_000


class NewLineSchema(QuickSchema):
    """A line. Amounts are minor units; `discount` and `tax` are of the whole line."""

    line_id = Text(most=64, required=True)
    sku = Text(most=64, required=True)
    category = Text(most=200, allow_none=True)
    quantity = Whole(least=1, most=QUANTITY_MAX, load_default=1)
    unit_price = MinorUnits(required=True)
    discount = MinorUnits()
    tax = MinorUnits()

    def check(self, data: dict[str, Any]) -> None:
        """The discount is not larger than the price."""
        price = data["quantity"] * data["unit_price"]
        if price > MINOR_UNITS_MAX:
            raise ValidationError(f"quantity x unit_price must not exceed {MINOR_UNITS_MAX}.", "unit_price")
        if data.get("discount", 0) > price:
            raise ValidationError("Must not exceed quantity x unit_price.", "discount")

    def build(self, data: dict[str, Any]) -> Line:
        """A frozen line."""
        return Line(**data)


class NewOrderSchema(QuickSchema):
    """An order. Without `customer_id` it is a guest's."""

    order_id = ShopId(required=True)
    customer_id = ShopId(allow_none=True)
    currency = Currency(required=True)
    placed_at = Instant(required=True)
    lines = QuickList(NewLineSchema, most=LINES_MAX, required=True)
    shipping = MinorUnits()
    discount = MinorUnits()
    points_paid = MinorUnits()
    payment_id = ShopId(
        allow_none=True,
        metadata={"description": "The payment with points to be captured with the order; it is worth `points_paid`."},
    )
    channel = Text(most=64, allow_none=True)
    metadata = Document()

    def check(self, data: dict[str, Any]) -> None:
        """The order adds up."""
        lines: list[Line] = data["lines"]
        net = sum(line.net for line in lines)
        if net > MINOR_UNITS_MAX:
            raise ValidationError(f"All lines together must not exceed {MINOR_UNITS_MAX}.", "lines")
        if data.get("discount", 0) > net:
            raise ValidationError("Must not exceed what the lines cost.", "discount")
        if data.get("points_paid", 0) > net - data.get("discount", 0) + data.get("shipping", 0):
            raise ValidationError("Must not exceed what the order costs.", "points_paid")
        if len({line.line_id for line in lines}) != len(lines):
            raise ValidationError("Each line needs a line_id of its own.", "lines")

    def build(self, data: dict[str, Any]) -> NewOrder:
        """A frozen order."""
        paid = data.get("payment_id") is not None
        given = {name: value for name, value in data.items() if paid or name != "payment_id"}
        return (PaidOrder if paid else NewOrder)(**{**given, "lines": tuple(data["lines"])})


class LineSchema(Schema):
    """A line as it was reported."""

    line_id = fields.String(required=True)
    sku = fields.String(required=True)
    category = fields.String(required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    unit_price = fields.Integer(required=True)
    discount = fields.Integer(required=True)
    tax = fields.Integer(required=True)


class ReceiptTierSchema(Schema):
    """The member's tier after the order."""

    code = fields.String(required=True)
    changed_from = fields.String(required=True, allow_none=True)


class OrderReceiptSchema(Schema):
    """What recording an order did. A guest's order has no balance."""

    order_id = fields.String(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    points = fields.Nested(AwardedPointsSchema, required=True)
    awards = fields.List(fields.Nested(AwardSchema), required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True, allow_none=True)
    tier = fields.Nested(ReceiptTierSchema, required=True, allow_none=True)


class PreviewSchema(OrderReceiptSchema):
    """What recording an order would do (`status` is "preview"), and every rule that would give nothing."""

    rules_version = fields.Integer(required=True)
    refused = fields.List(fields.Nested(RefusedSchema), required=True)


class LineBasisSchema(Schema):
    """What a line earned on, in minor units."""

    line_id = fields.String(required=True)
    basis = fields.Integer(required=True)


class ExplanationSchema(Schema):
    """Every rule that judged an order: what it gave, or why it gave nothing."""

    order_id = fields.String(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    placed_at = Instant(required=True)
    rules_version = fields.Integer(required=True)
    lines = fields.List(fields.Nested(LineBasisSchema), required=True)
    awards = fields.List(fields.Nested(AwardSchema), required=True)
    refused = fields.List(fields.Nested(RefusedSchema), required=True)


class ReturnedLineSchema(Schema):
    """So many units of a line."""

    line_id = Text(most=64, required=True)
    quantity = Whole(least=1, most=QUANTITY_MAX, required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> ReturnedLine:
        return ReturnedLine(**data)


class NewReturnSchema(Schema):
    """Lines of an order that came back, and when (by default now)."""

    return_id = ShopId(required=True)
    lines = fields.List(fields.Nested(ReturnedLineSchema), required=True, validate=Length(min=1, max=LINES_MAX))
    returned_at = Instant(allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _each_line_once(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if len({line.line_id for line in data["lines"]}) != len(data["lines"]):
            raise ValidationError("Name each line once.", "lines")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewReturn:
        return NewReturn(**{**data, "lines": tuple(data["lines"])})


class ConfirmationSchema(Schema):
    """When the order was confirmed, by default now."""

    confirmed_at = Instant(load_default=None, allow_none=True)


class UndoneLineSchema(Schema):
    """Units that came back, and the points they had earned."""

    line_id = fields.String(required=True)
    quantity = fields.Integer(required=True)
    points = fields.Integer(required=True)


class UndonePointsSchema(Schema):
    """What became of the points, in the unit points.

    Taken back; lapsed before anybody had them; owed from now on; forgiven; and given back to the member, who had spent
    them on what is returned.
    """

    reversed = fields.Integer(required=True)
    expired = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    forgiven = fields.Integer(required=True)
    returned_to_member = fields.Integer(required=True)


class UndoneAwardSchema(Schema):
    """What became of one award's points."""

    rule = fields.Nested(RuleVersionSchema, required=True)
    unit = fields.String(required=True)
    reversed = fields.Integer(required=True)
    expired = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    forgiven = fields.Integer(required=True)


class GivenBackSchema(Schema):
    """Points that had been spent on what is returned.

    `returned` to the lot they came from; `extended`: that lot had lapsed, a new one gives them some more time; or
    `forfeited`: it had lapsed, and the program gives no time.
    """

    outcome = fields.String(required=True, validate=OneOf(["returned", "extended", "forfeited"]))
    unit = fields.String(required=True)
    points = fields.Integer(required=True)
    lot = fields.Integer(required=True)
    expires_at = Instant(required=True, allow_none=True)


class CancellationSchema(Schema):
    """What cancelling an order did. A guest's order has no balance."""

    order_id = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Nested(UndonePointsSchema, required=True)
    lines = fields.List(fields.Nested(UndoneLineSchema), required=True)
    awards = fields.List(fields.Nested(UndoneAwardSchema), required=True)
    spent = fields.List(fields.Nested(GivenBackSchema), required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True, allow_none=True)
    tier = fields.Nested(ReceiptTierSchema, allow_none=True)


class ReturnSchema(CancellationSchema):
    """What a return did. A guest's order has no balance."""

    class Meta:
        """Without what only a cancellation tells."""

        exclude = ("status",)

    return_id = fields.String(required=True)


class MaturedSchema(Schema):
    """How many points became available."""

    matured = fields.Integer(required=True)


class ConfirmationReceiptSchema(Schema):
    """What confirming an order did. A guest's order has no balance."""

    order_id = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Nested(MaturedSchema, required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True, allow_none=True)


class OrderSchema(Schema):
    """An order, as reported, with what it earned when it was recorded."""

    order_id = fields.String(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    status = fields.String(required=True)
    currency = fields.String(required=True)
    placed_at = Instant(required=True)
    recorded_at = Instant(required=True)
    confirmed_at = Instant(required=True, allow_none=True)
    lines = fields.List(fields.Nested(LineSchema), required=True)
    shipping = fields.Integer(required=True)
    discount = fields.Integer(required=True)
    points_paid = fields.Integer(required=True)
    payment_id = fields.String(required=True, allow_none=True)
    channel = fields.String(required=True, allow_none=True)
    metadata = fields.Dict(required=True)
    points = fields.Nested(AwardedPointsSchema, required=True)
    awards = fields.List(fields.Dict(), required=True)
    returned = fields.List(
        fields.Nested(ReturnedLineSchema), required=True, metadata={"description": "What came back so far."}
    )
