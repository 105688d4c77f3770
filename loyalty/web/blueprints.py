"""Blueprints whose operations are named after their views and list what they refuse.

The decorators of a view stand in this order:

    @bp.post("/orders")
    @bp.refuses(MemberNotFound, IdempotencyConflict)
    @transactional
    @bp.arguments(NewOrderSchema(), example=NEW_ORDER)
    @bp.response(HTTPStatus.CREATED, OrderReceiptSchema(), example=ORDER_RECEIPT)
    def record_order(session: Session, order: NewOrder) -> Response:
"""

import re
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

import flask_smorest
from flask import request
from marshmallow import Schema

from loyalty.core.errors import DomainError, IdempotencyConflict, InvalidRequest, PreconditionMissing, Stale
from loyalty.db.session import reading, reading_first, transaction
from loyalty.web.arguments import Parser
from loyalty.web.openapi import PATH_PARAMETERS, problem_response
from loyalty.web.problems import HTTP_CODES, status_of

# `<shop_id:customer_id>` in a rule.
_IN_PATH = re.compile(r"<(?:(?P<converter>\w+)[^:<>]*:)?(?P<name>\w+)>")

# An ETag as `etag` makes them; a proxy may have made it weak, and a person may have forgotten the quotes.
_VERSION = re.compile(r'(?:W/)?(?P<quote>"?)(?P<version>[0-9]{1,18})(?P=quote)')

# Path converters that refuse a value with its shape, and those for which it is just another address.
_REFUSE_SHAPES = ("shop_id", "code")
_REFUSE_ADDRESSES = ("version", "uuid", "any")

View = TypeVar("View", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):
    """A flask-smorest blueprint that documents operations from the code itself. Without a guard, it asks for no key."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(self._describe)
        self._area = ""
        self._guard_refuses: tuple[type[DomainError], ...] = ()

    def guarded(self, area: str, *refusals: type[DomainError]) -> None:
        """Document that every operation needs a key that opens `area`, and what callers without one are told."""
        self._area, self._guard_refuses = area, refusals

    def refuses(self, *errors: type[DomainError]) -> Callable[[View], View]:
        """Say what this operation refuses; the contract lists the codes by status."""

        def decorator(view: View) -> View:
            # flask-smorest keeps here what its own decorators say, too.
            documented = {**deepcopy(getattr(view, "_apidoc", {})), "refuses": errors}
            view._apidoc = documented  # type: ignore[attr-defined]  # noqa: SLF001
            return view

        return decorator

    def arguments(self, schema: Schema, *, location: str = "json", **kwargs: Any) -> Callable[[View], View]:
        """Load what is sent with `schema`. A body may be left out if all of its fields may: none is like `{}`."""
        needed = any(field.required for field in schema.load_fields.values())
        decorator: Callable[[View], View] = super().arguments(schema, location=location, required=needed, **kwargs)
        return decorator

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """Register a view; its name becomes the operationId."""
        if view_func is not None:
            in_path = {found["name"]: found["converter"] for found in _IN_PATH.finditer(rule)}
            view_func._apidoc = {  # noqa: SLF001
                **getattr(view_func, "_apidoc", {}),
                "name": view_func.__name__,
                "in_path": in_path,
                "only_reads": getattr(view_func, "only_reads", False),
                "takes_idempotency_key": "loyalty.web.idempotency" in _decorators(view_func),
            }
            kwargs["parameters"] = [_path_parameter(name) for name in in_path]
        super().add_url_rule(rule, endpoint, view_func, *args, **kwargs)

    def _describe(self, doc: dict[str, Any], info: dict[str, Any], *, method: str, **_context: Any) -> dict[str, Any]:
        refused = [*self._guard_refuses, *info.get("refuses", ())]
        arguments, converters = info.get("arguments", {}), set(info["in_path"].values())
        headers_in, headers_out = ["X-Request-Id"], ["X-Request-Id"]
        if info["takes_idempotency_key"]:
            headers_in.append("Idempotency-Key")
            refused.append(IdempotencyConflict)
        if PreconditionMissing in refused:
            headers_in.append("If-Match")
        if IdempotencyConflict in refused:
            headers_out.append("Idempotent-Replayed")
        if arguments or len(headers_in) > 1 or not converters.isdisjoint(_REFUSE_SHAPES):
            refused.append(InvalidRequest)
        statuses = [503] if self._area else []
        statuses += [] if converters.isdisjoint(_REFUSE_ADDRESSES) else [404]
        statuses += [400, 413, 415] if "requestBody" in arguments else []

        doc |= {"operationId": camel_case(info["name"]), "parameters": [*doc.get("parameters", ()), *headers_in]}
        doc |= {} if self._area else {"security": []}
        responses = doc.setdefault("responses", {})
        for status in info.get("success_status_codes", ()):
            responses[status].setdefault("headers", {}).update({name: name for name in headers_out})
        notes = {403: f"Needs the scope `{self._scope(reads_only=method == 'get' or info['only_reads'])}`."}
        for status, codes in _codes(refused, statuses).items():
            responses[str(status)] = problem_response(status, codes, note=notes.get(status, ""))
        responses["default"] = problem_response(0, set())
        return doc

    def _scope(self, *, reads_only: bool) -> str:
        return self._area if self._area == "admin" else f"{self._area}:{'read' if reads_only else 'write'}"


def transactional(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run a view in one transaction: its session comes first; any answer commits, any exception rolls back."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with transaction() as session:
            return view(session, *args, **kwargs)

    return wrapper


def reads(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run a view that only reads: each of its statements is its own transaction."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with reading() as session:
            return view(session, *args, **kwargs)

    return wrapper


def reads_first(view: Callable[..., Any]) -> Callable[..., Any]:
    """Run a view that mostly only reads: `reads` until there is something to write, then a transaction."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with reading_first() as session:
            return view(session, *args, **kwargs)

    return wrapper


def etag(version: int) -> dict[str, str]:
    """The header that names the version of a configuration resource."""
    return {"ETag": f'"{version}"'}


def version_expected(*, existing: bool = True) -> int | None:
    """The version that a change was made from, out of `If-Match`; None where nothing exists yet and none is named.

    Raises PreconditionMissing or InvalidRequest.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        if not existing:
            return None
        raise PreconditionMissing('Send If-Match with the ETag of the version you changed, such as "3".')
    named = _VERSION.fullmatch(header)
    if named is None:
        raise InvalidRequest([{"pointer": "If-Match", "detail": 'Must be an ETag such as "3".'}])
    return int(named["version"])


def require_version(actual: int, *, existing: bool = True) -> None:
    """Refuse a change made from another version than `actual`, the current one (0 where nothing exists yet)."""
    expected = version_expected(existing=existing)
    if expected is not None and expected != actual:
        raise Stale(
            f"You changed version {expected}, but version {actual} is current.", expected=expected, current=actual
        )


def camel_case(name: str) -> str:
    """`record_order` -> `recordOrder`."""
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def _codes(refused: Iterable[type[DomainError]], statuses: Iterable[int]) -> dict[int, set[str]]:
    """Problem codes by status: of refusals, and of what the framework says at `statuses`."""
    codes: dict[int, set[str]] = {}
    for error in refused:
        codes.setdefault(status_of(error), set()).add(error.code)
    for status in statuses:
        codes.setdefault(status, set()).add(HTTP_CODES[status][0])
    return codes


def _decorators(view: Any) -> Iterator[str]:
    """The modules of the decorators that a view wears, from the outside in."""
    while view is not None:
        yield view.__globals__["__name__"]
        view = getattr(view, "__wrapped__", None)


def _path_parameter(name: str) -> dict[str, Any]:
    description, example = PATH_PARAMETERS[name]
    return {"in": "path", "name": name, "description": description, "example": example}
