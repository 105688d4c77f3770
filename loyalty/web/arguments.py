"""Reading requests: JSON bodies and query parameters, refused with a pointer to each mistake."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import orjson
from flask import Flask, Request
from flask_smorest import Api
from marshmallow import RAISE, Schema, ValidationError, fields, post_load
from marshmallow.validate import Range
from webargs.core import is_json
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.routing import BaseConverter, IntegerConverter, PathConverter

from loyalty.core.errors import InvalidRequest
from loyalty.db.paging import LIMIT_DEFAULT, LIMIT_MAX, Window
from loyalty.web.fields import CODE, CODE_RULE, SHOP_ID, SHOP_ID_RULE
from loyalty.web.problems import RefusedWhileRouting

# A caller with a thousand mistakes learns enough from the first hundred.
ERRORS_MAX = 100

_SHOP_ID = re.compile(SHOP_ID)
_CODE = re.compile(CODE)


def pointers(messages: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Flatten marshmallow's messages into `{"pointer", "detail"}`, pointers as in RFC 6901."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            # `_schema` speaks of the object itself; `value` is what a dictionary field wraps its items' errors in.
            step = "" if key == "_schema" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from pointers(below, path + step)
    elif isinstance(messages, list):
        for message in messages:
            yield from pointers(message, path)
    else:
        yield {"pointer": path or "/", "detail": str(messages)}


class Parser(FlaskParser):
    """webargs, answering in our problems: 400 for broken JSON, 415 for another type, 422 with pointers for shapes."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}  # noqa: RUF012  (webargs declares it so)

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The JSON body; `{}` when there is none."""
        body = req.get_data(cache=True)
        if not body:
            return {}
        if req.content_length is None and req.max_content_length and len(body) >= req.max_content_length:
            # A body that comes in chunks is cut at the limit.
            raise RequestEntityTooLarge
        if not is_json(req.mimetype):
            raise UnsupportedMediaType("Send the body as application/json.")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"The body is not valid JSON: {error.msg} at character {error.pos}.") from None

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """The query parameters."""
        return MultiDictProxy(req.args, schema)

    def handle_error(self, error: ValidationError, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse, naming each mistake by its place."""
        found = [
            {"pointer": e["pointer"] if location == "json" else e["pointer"].lstrip("/"), "detail": e["detail"]}
            for location, messages in error.normalized_messages().items()  # type: ignore[no-untyped-call]
            for e in pointers(messages)
        ]
        raise InvalidRequest(found[:ERRORS_MAX])


class ShopIdConverter(BaseConverter):
    """A shop's id in a path. What cannot be one is refused with the reason, not with a bare 404."""

    def to_python(self, value: str) -> str:
        """The id, if it is one. Raises RefusedWhileRouting otherwise."""
        if not _SHOP_ID.fullmatch(value):
            raise RefusedWhileRouting(InvalidRequest([{"pointer": "path", "detail": SHOP_ID_RULE}]))
        return value


class CodeConverter(BaseConverter):
    """The code of a configured thing in a path."""

    def to_python(self, value: str) -> str:
        """The code, if it is one. Raises RefusedWhileRouting otherwise."""
        if not _CODE.fullmatch(value):
            raise RefusedWhileRouting(InvalidRequest([{"pointer": "path", "detail": CODE_RULE}]))
        return value


def _code_parameter(_converter: BaseConverter) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{CODE}$"}


class WrittenConverter(PathConverter):
    """What somebody wrote, in a path: anything, slashes included. What it means, the use case says."""


def _written_parameter(_converter: BaseConverter) -> dict[str, Any]:
    return {"type": "string", "minLength": 1}


class VersionConverter(IntegerConverter):
    """The version of a configuration in a path: a number that can be one."""

    regex = r"[0-9]{1,9}"


def _version_parameter(_converter: BaseConverter) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": 999_999_999}


def _shop_id_parameter(_converter: BaseConverter) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{SHOP_ID}$"}


class NothingSchema(Schema):
    """Nothing to say. A body may be left out; one that says something is refused, for it would not be heard."""


class WindowSchema(Schema):
    """`limit` and `after` of a list."""

    limit = fields.Integer(
        load_default=LIMIT_DEFAULT,
        validate=Range(1, LIMIT_MAX),
        metadata={"description": "How many rows at most."},
    )
    after = fields.String(load_default=None, metadata={"description": "The `next` of the page before."})

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Window:
        """A frozen window."""
        return Window(**data)


def init_app(app: Flask, api: Api) -> None:
    """Teach the application and its contract what ids and codes in a path are."""
    app.url_map.converters["shop_id"] = ShopIdConverter
    app.url_map.converters["code"] = CodeConverter
    app.url_map.converters["version"] = VersionConverter
    app.url_map.converters["written"] = WrittenConverter
    api.register_converter(WrittenConverter, _written_parameter)
    api.register_converter(VersionConverter, _version_parameter)
    api.register_converter(ShopIdConverter, _shop_id_parameter)
    api.register_converter(CodeConverter, _code_parameter)
