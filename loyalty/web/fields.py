"""Fields that refuse what a plain marshmallow field lets through.

Integers are strict (3.9, "7" and true are refused), texts have a length and no NUL (PostgreSQL cannot store one),
instants carry an offset and lie in a sane range, free JSON is bounded in size and depth.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import orjson
from marshmallow import Schema, ValidationError, fields, missing
from marshmallow.validate import Length, Range, Validator

from loyalty.core import calendar
from loyalty.web.quick import Quick

# Ids are the shop's own; this alphabet needs no escaping in a URL.
SHOP_ID = r"[A-Za-z0-9._:@+-]{1,64}"
SHOP_ID_RULE = "Must be 1 to 64 of A-Z a-z 0-9 . _ : @ + -"
CODE = r"[a-z0-9][a-z0-9_-]{0,63}"
CODE_RULE = "Must be 1 to 64 of a-z 0-9 _ -, beginning with a letter or digit."

# A million million minor units: no order, and no sum of a day's orders, comes near; 64 bits hold a million of them.
MINOR_UNITS_MAX = 10**12
POINTS_MAX = 10**12
QUANTITY_MAX = 1_000_000

# A first loyalty program was printed on stamps in 1891, but no shop system sends instants from before its own epoch;
# the upper bound keeps calendar arithmetic away from the year 9999.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

JSON_BYTES_MAX = 16_384
JSON_DEPTH_MAX = 8

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _no_control_characters(value: str) -> None:
    if _CONTROL.search(value):
        raise ValidationError("Must not contain control characters.")


class Matches(Validator):
    """The whole text matches a pattern, which is documented in the dialect of JSON Schema."""

    def __init__(self, pattern: str, *, error: str) -> None:
        self.regex = re.compile(f"^{pattern}$")
        self.rule = error

    def __call__(self, value: str) -> str:
        """Refuse anything but a full match ($ alone would let a trailing newline through)."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self.rule)
        return value


class Text(Quick, fields.String):
    """A text of `least` to `most` characters."""

    def __init__(self, *, most: int, least: int = 1, **kwargs: Any) -> None:
        super().__init__(validate=[Length(min=least, max=most), _no_control_characters], **kwargs)
        self.least, self.most = least, most

    def plainly_right(self, value: Any) -> bool:
        """A str of the right length without control characters."""
        return type(value) is str and self.least <= len(value) <= self.most and not _CONTROL.search(value)


class Patterned(Quick, fields.String):
    """A text that matches a pattern as a whole."""

    def __init__(self, pattern: str, *, error: str, **kwargs: Any) -> None:
        self.pattern = Matches(pattern, error=error)
        super().__init__(validate=self.pattern, **kwargs)

    def plainly_right(self, value: Any) -> bool:
        """A str that matches."""
        return type(value) is str and self.pattern.regex.fullmatch(value) is not None


class ShopId(Patterned):
    """An id given by the shop, of characters that need no escaping in a URL."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(SHOP_ID, error=SHOP_ID_RULE, **kwargs)


class Code(Patterned):
    """The code of a configured thing: 1 to 64 of a-z 0-9 _ -, beginning with a letter or digit."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CODE, error=CODE_RULE, **kwargs)


class Currency(Patterned):
    """An ISO 4217 code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("[A-Z]{3}", error="Must be an ISO 4217 code such as EUR.", **kwargs)


class Locale(Patterned):
    """A language tag (BCP 47, without extensions)."""

    def __init__(self, **kwargs: Any) -> None:
        rule = 'Must be a language tag such as "pl" or "pt-BR".'
        super().__init__("[a-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", error=rule, **kwargs)


class Whole(Quick, fields.Integer):
    """A whole number from `least` to `most`; nothing is converted."""

    def __init__(self, *, least: int = 0, most: int, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=Range(min=least, max=most), **kwargs)
        self.least, self.most = least, most

    def plainly_right(self, value: Any) -> bool:
        """An int (a bool is none) within the bounds."""
        return type(value) is int and self.least <= value <= self.most

    def _validated(self, value: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class MinorUnits(Whole):
    """Money in minor units (cents) of the order's or the program's currency."""

    def __init__(self, *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(least=least, most=MINOR_UNITS_MAX, **kwargs)


class Points(Whole):
    """A number of points."""

    def __init__(self, *, least: int = 0, **kwargs: Any) -> None:
        super().__init__(least=least, most=POINTS_MAX, **kwargs)


class Flag(fields.Boolean):
    """true or false, and nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Rate(fields.Decimal):
    """A rate or multiplier, written as a string ("1.5") so that no float ever touches points. Six decimals at most."""

    def __init__(self, *, above: Decimal = Decimal(0), most: Decimal = Decimal(1_000_000), **kwargs: Any) -> None:
        bounds = Range(min=above, max=most, min_inclusive=False)
        super().__init__(as_string=True, validate=bounds, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, str) or not re.fullmatch(r"\d{1,7}(\.\d{1,6})?", value, re.ASCII):
            raise ValidationError('Must be a decimal number in a string, such as "1.5", with at most six decimals.')
        return super()._deserialize(value, attr, data, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else format(Decimal(value).normalize(), "f")


class Instant(Quick, fields.AwareDateTime):
    """RFC 3339 with an offset in, UTC with a Z out."""

    def quickly(self, value: Any) -> Any:
        """The instant, if it is written as RFC 3339 has it."""
        if type(value) is not str or not _RFC_3339.fullmatch(value):
            return None if value is None and self.allow_none else missing
        try:
            instant = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            return missing
        return instant if EARLIEST <= instant < LATEST else missing

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            instant: datetime = super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None
        if not EARLIEST <= instant < LATEST:
            raise ValidationError("Must lie between 1970 and 2200.")
        return instant

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Zone(fields.String):
    """The name of an IANA time zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name = super()._deserialize(value, attr, data, **kwargs)
        try:
            calendar.zone(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValidationError('Must be an IANA time zone such as "Europe/Warsaw".') from None
        return str(name)


class Document(Quick, fields.Dict):
    """A free JSON object of the shop: at most 16 KiB and 8 levels."""

    def plainly_right(self, value: Any) -> bool:
        """An object within the bounds."""
        try:
            _bounded(value)
        except ValidationError:
            return False
        return type(value) is dict

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keys=fields.String(), validate=_bounded, **kwargs)


def _bounded(value: dict[str, Any]) -> None:
    try:
        size = len(orjson.dumps(value))
    except (TypeError, ValueError):
        raise ValidationError("Must be plain JSON.") from None
    if size > JSON_BYTES_MAX:
        raise ValidationError(f"Must not be larger than {JSON_BYTES_MAX} bytes.")
    _walk(value, JSON_DEPTH_MAX)


def _walk(value: Any, depth: int) -> None:
    if depth < 0:
        raise ValidationError(f"Must not be nested deeper than {JSON_DEPTH_MAX} levels.")
    if isinstance(value, str):
        _no_control_characters(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _no_control_characters(key)
            _walk(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _walk(item, depth - 1)


class ByName(fields.Dict):
    """Something for each name, such as a unit or a language; a mistake is named by the name it was made at."""

    def __init__(self, keys: fields.Field[str], values: type[Schema] | fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(keys=keys, values=fields.Nested(values) if isinstance(values, type) else values, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            found = error.messages
            # marshmallow says whether the key or the value is wrong: {"points": {"value": ...}}.
            if isinstance(found, dict):
                found = {name: wrong.get("key") or wrong["value"] for name, wrong in found.items()}
            raise ValidationError(found) from None


class NotYet(fields.Raw):
    """A field of the contract whose feature is still to come: empty values pass and are dropped, others are refused."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"description": "Not available yet: leave it empty."}
        super().__init__(allow_none=True, load_only=True, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> None:
        if not _is_empty(value, EMPTY_DEPTH_MAX):
            raise ValidationError("Not available yet: leave it empty.")


# `{"per_member": {"day": null}}`, the deepest way of saying nothing that the contract shows.
EMPTY_DEPTH_MAX = 2


def _is_empty(value: Any, depth: int) -> bool:
    if isinstance(value, dict) and depth:
        return all(_is_empty(item, depth - 1) for item in value.values())
    return value is None or value in ("", [], {})
