"""Shapes of what marketers write: an offer, with all that it may say, and how offers are chosen."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.earning.rule_schemas import EXPRESSION_MAX, PRIORITY_MAX
from loyalty.offers.domain import DAYS, IN_POINTS
from loyalty.web.fields import (
    MINOR_UNITS_MAX,
    POINTS_MAX,
    ByName,
    Code,
    Instant,
    Locale,
    MinorUnits,
    Points,
    Text,
    Whole,
)

CATEGORIES_MAX = 1_000
SKUS_MAX = 10_000
# Ten years, and a hundred.
DAYS_MAX = 3_650
COOLDOWN_MAX = 36_500
TIMES_MAX = 1_000_000
PRIORITY = 10

_WRITTEN = re.compile(r"[0-9]{1,13}(\.[0-9]{1,4})?")
_INSTANTS = ("valid_from", "valid_to")
# What says something even where it is false or 0, because what is absent says something else.
_EVEN_NOTHING = ("days", "activation", "priority", "favourites_percent")
# What an offer says that does not say it.
_UNSAID: dict[str, Any] = {"days": DAYS, "activation": "automatic", "priority": PRIORITY}


class Bounds(NamedTuple):
    """What the number of a promise may be, and with how many decimals. `above`: more than `least`."""

    least: int
    most: int
    decimals: int = 0
    above: bool = False

    def refusal(self, number: Decimal) -> str | None:
        """What is wrong with a number, if anything is."""
        if number != round(number, self.decimals):
            return f"Must have at most {self.decimals} decimals." if self.decimals else "Must be a whole number."
        if number > self.most or number < self.least or (self.above and number == self.least):
            return f"Must be {'more than' if self.above else 'at least'} {self.least}, and at most {self.most}."
        return None


# Points, a factor, minor units, percent, and pieces.
VALUES = {
    "bonus_points": Bounds(1, POINTS_MAX),
    "multiplier": Bounds(1, 100, decimals=4, above=True),
    "discount_amount": Bounds(1, MINOR_UNITS_MAX),
    "discount_percent": Bounds(1, 100, decimals=2),
    "free_product": Bounds(1, 1_000),
}
HOLDOUT = Bounds(0, 100, decimals=2)


class Number(fields.Field[Any]):
    """A number of which its neighbours say what it may be: 200, or "1.5" in a string, so that no float touches it."""

    def __init__(self, **kwargs: Any) -> None:
        shapes: list[dict[str, Any]] = [{"type": "integer"}, {"type": "string", "pattern": f"^{_WRITTEN.pattern}$"}]
        if kwargs.get("allow_none"):
            shapes.append({"type": "null"})
        super().__init__(metadata={"oneOf": shapes}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        is_written = type(value) is str and _WRITTEN.fullmatch(value) is not None
        if not is_written and (type(value) is not int or not 0 <= value <= MINOR_UNITS_MAX):
            raise ValidationError('Must be a whole number, or a decimal number in a string, such as "1.5".')
        return Decimal(value)


class PromiseSchema(Schema):
    """What an offer promises: `value` points, times the points, minor units, percent, or pieces of `sku`.

    With a `least_value`, who is likely to buy anyway is promised less than `value`, down to this. `most`: what percent
    come to at the most, or what the pieces cost, in minor units.
    """

    kind = fields.String(required=True, validate=OneOf(list(VALUES)))
    value = Number()
    least_value = Number(allow_none=True)
    most = MinorUnits(least=1, allow_none=True)
    sku = Text(most=64, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        kind = data["kind"]
        if "value" not in data and kind != "free_product":
            raise ValidationError("Missing data for required field.", "value")
        for name in ("value", "least_value"):
            if data.get(name) is not None and (wrong := VALUES[kind].refusal(data[name])):
                raise ValidationError(f"Of a {kind}: {wrong[0].lower()}{wrong[1:]}", name)
        if data.get("least_value") is not None and data["least_value"] > data.get("value", 1):
            raise ValidationError("Must not be more than value.", "least_value")
        if kind == "free_product" and data.get("sku") is None:
            raise ValidationError("Say which product is free.", "sku")
        if kind != "free_product" and data.get("sku") is not None:
            raise ValidationError('Belongs to the kind "free_product".', "sku")
        if data.get("most") is not None and kind not in ("discount_percent", "free_product"):
            raise ValidationError('Belongs to the kinds "discount_percent" and "free_product".', "most")

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        kept = {name: value for name, value in {"value": Decimal(1), **data}.items() if value is not None}
        for name in ("value", "least_value"):
            if name in kept:
                kept[name] = _plain(kept[name]) if VALUES[data["kind"]].decimals else int(kept[name])
        return kept


class OfferCapsSchema(Schema):
    """How often a member may redeem an offer in a calendar period of the program's zone, or ever."""

    day = Whole(least=1, most=TIMES_MAX, allow_none=True)
    week = Whole(least=1, most=TIMES_MAX, allow_none=True)
    month = Whole(least=1, most=TIMES_MAX, allow_none=True)
    quarter = Whole(least=1, most=TIMES_MAX, allow_none=True)
    year = Whole(least=1, most=TIMES_MAX, allow_none=True)
    ever = Whole(least=1, most=TIMES_MAX, allow_none=True)


class OfferSchema(Schema):
    """An offer. Without `categories` and `skus` it is on the whole basket; empty filters match everybody.

    A member has it for `days`, `valid_to` at the latest, and of a `group` one at a time. An offer with a `trigger` is
    given when that happens, never by rank. `holdout_percent` of the members who would get it do not, and are measured.
    """

    code = Code(required=True)
    title = Text(most=200, required=True)
    titles = ByName(Locale(), Text(most=200), validate=Length(max=100))
    promise = fields.Nested(PromiseSchema, required=True)
    categories = fields.List(Text(most=200), validate=Length(max=CATEGORIES_MAX))
    skus = fields.List(Text(most=64), validate=Length(max=SKUS_MAX))
    exclude_categories = fields.List(Text(most=200), validate=Length(max=CATEGORIES_MAX))
    exclude_skus = fields.List(Text(most=64), validate=Length(max=SKUS_MAX))
    min_basis = MinorUnits()
    tiers = fields.List(Code(), validate=Length(max=100))
    segments = fields.List(Code(), validate=Length(max=100))
    when = Text(most=EXPRESSION_MAX, allow_none=True)
    valid_from = Instant(allow_none=True)
    valid_to = Instant(allow_none=True)
    days = Whole(least=1, most=DAYS_MAX)
    activation = fields.String(validate=OneOf(["automatic", "opt_in"]))
    caps = fields.Nested(OfferCapsSchema, allow_none=True)
    cooldown_days = Whole(most=COOLDOWN_MAX)
    budget_points = Points(least=1, allow_none=True)
    budget_amount = MinorUnits(least=1, allow_none=True)
    priority = Whole(most=PRIORITY_MAX)
    holdout_percent = Number()
    group = Code(allow_none=True)
    trigger = fields.String(allow_none=True, validate=OneOf(["win_back", "referral"]))

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        begin, end = data.get("valid_from"), data.get("valid_to")
        if begin and end and end <= begin:
            raise ValidationError("Must be later than valid_from.", "valid_to")
        if wrong := HOLDOUT.refusal(data.get("holdout_percent", Decimal(0))):
            raise ValidationError(wrong, "holdout_percent")

    @validates_schema(skip_on_field_errors=True)
    def _budget_of_its_promise(self, data: dict[str, Any], **_kwargs: Any) -> None:
        promise = data["promise"]
        if promise["kind"] in IN_POINTS and data.get("budget_amount"):
            raise ValidationError("What it promises are points: say budget_points.", "budget_amount")
        if promise["kind"] not in IN_POINTS and data.get("budget_points"):
            raise ValidationError("What it promises is money: say budget_amount.", "budget_points")
        if data.get("budget_amount") and promise["kind"] != "discount_amount" and not promise.get("most"):
            detail = "A budget in money counts what each may cost: say the most of the promise, too."
            raise ValidationError({"promise": {"most": [detail]}})

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Without what says nothing, so that two ways of writing the same offer are the same offer."""
        made = {**data, "caps": _said(data.get("caps") or {}), "holdout_percent": data.get("holdout_percent", 0)}
        kept = {name: value for name, value in _said(made).items() if _UNSAID.get(name) != value}
        if "holdout_percent" in kept:
            kept["holdout_percent"] = _plain(kept["holdout_percent"])
        for name in _INSTANTS:
            if name in kept:
                kept[name] = kept[name].isoformat()
        return kept

    @pre_dump
    def _whole(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        shown = {**_UNSAID, **stored}
        for name in _INSTANTS:
            if name in stored:
                shown[name] = datetime.fromisoformat(stored[name])
        return shown


class NeverPersonaliseSchema(Schema):
    """What nobody is personally offered, such as tobacco."""

    categories = fields.List(Text(most=200), validate=Length(max=CATEGORIES_MAX))
    skus = fields.List(Text(most=64), validate=Length(max=SKUS_MAX))


class PersonalisingSchema(Schema):
    """How offers are chosen for members.

    `exploration_percent` of the places go, by lot, to goods that a member never bought; at most `favourites_percent`
    to goods bought lately (null: as many as they earn).
    """

    exploration_percent = Whole(most=100)
    favourites_percent = Whole(most=100, allow_none=True)
    never_personalise = fields.Nested(NeverPersonaliseSchema, allow_none=True)

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return _said({**data, "never_personalise": _said(data.get("never_personalise") or {})})

    @pre_dump
    def _whole(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        never = {"categories": [], "skus": [], **stored.get("never_personalise", {})}
        return {"exploration_percent": 0, "favourites_percent": None, **stored, "never_personalise": never}


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """What says something: no nulls, zeros, and nothing empty, but for what does even so."""
    return {
        name: value
        for name, value in data.items()
        if value is not None and (name in _EVEN_NOTHING or value not in ([], {}, 0))
    }


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
