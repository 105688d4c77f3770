"""Loading what is plainly right at once.

An order of nine lines has seventy values, nearly always all of them right, and marshmallow's general way costs some
five microseconds for each: as much as the rest of the request. So a schema on the request path first looks whether
every value is plainly right: of the exact type, within its bounds, needing no conversion. If so, that is what it
loads. If anything is not, the whole document goes the general way, which accepts more (a field of another type that
can be converted, a null) and says what is wrong. Both ways end in the same `check` and `build`.
"""

from typing import Any

from marshmallow import Schema, ValidationError, fields, missing, post_load, validates_schema
from marshmallow.validate import Length


class Quick(fields.Field[Any]):
    """A field that knows its plainly right values."""

    def quickly(self, value: Any) -> Any:
        """The loaded value if `value` is plainly right, else `missing`."""
        if value is None and self.allow_none:
            return None
        return value if self.plainly_right(value) else missing

    def plainly_right(self, value: Any) -> bool:
        """Whether `value` needs no conversion and breaks no rule."""
        raise NotImplementedError


class QuickSchema(Schema):
    """A schema that builds a value: at once when everything is plainly right, by marshmallow's rules otherwise."""

    def check(self, data: dict[str, Any]) -> None:
        """Refuse what is wrong although every field is right: raise ValidationError."""

    def build(self, data: dict[str, Any]) -> Any:
        """The value, from loaded and checked fields."""
        raise NotImplementedError

    def quickly(self, data: Any) -> Any:
        """The value if `data` is plainly right in every field, else `missing`."""
        if type(data) is not dict:
            return missing
        loaded = {}
        for name, value in data.items():
            field = self.load_fields.get(name)
            made = field.quickly(value) if isinstance(field, Quick) else missing
            if made is missing:
                return missing
            loaded[name] = made
        for name, field in self.load_fields.items():
            if name not in loaded:
                if field.required:
                    return missing
                if field.load_default is not missing:
                    loaded[name] = field.load_default() if callable(field.load_default) else field.load_default
        try:
            self.check(loaded)
        except ValidationError:
            return missing
        return self.build(loaded)

    def load(self, data: Any, **kwargs: Any) -> Any:
        """The value. Raises ValidationError."""
        made = self.quickly(data)
        return super().load(data, **kwargs) if made is missing else made

    @validates_schema(skip_on_field_errors=True)
    def _check(self, data: dict[str, Any], **_kwargs: Any) -> None:
        self.check(data)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        return self.build(data)


class QuickList(Quick, fields.List[Any]):
    """A list of values of one quick schema: at least one, at most `most`."""

    def __init__(self, schema: type[QuickSchema], *, most: int, **kwargs: Any) -> None:
        super().__init__(fields.Nested(schema), validate=Length(min=1, max=most), **kwargs)
        self.schema, self.most = schema(), most

    def quickly(self, value: Any) -> Any:
        """The list of values if each is plainly right, else `missing`."""
        if type(value) is not list or not 1 <= len(value) <= self.most:
            return missing
        made = [self.schema.quickly(item) for item in value]
        return missing if any(item is missing for item in made) else made
