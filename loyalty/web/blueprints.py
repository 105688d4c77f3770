"""Blueprints whose operations are named after their views and list what they refuse.

    @bp.post("/orders")
    @bp.refuses(MemberNotFound, OrderConflict)
    @transactional
    @bp.arguments(NewOrderSchema())
    @bp.response(HTTPStatus.CREATED, OrderReceiptSchema())
    def record_order(session: Session, order: NewOrder) -> Response:
"""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

import flask_smorest
from flask import request

from loyalty.core.errors import DomainError, InvalidRequest, PreconditionMissing, Stale
from loyalty.db.session import reading, transaction
from loyalty.web.arguments import Parser
from loyalty.web.problems import HTTP_CODES, status_of

View = TypeVar("View", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):
    """A flask-smorest blueprint that documents operation ids and problem codes from the code itself."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_describe_operation)

    def refuses(self, *errors: type[DomainError]) -> Callable[[View], View]:
        """Say what this operation refuses; the contract lists the codes by status."""

        def decorator(view: View) -> View:
            view._apidoc = {**deepcopy(getattr(view, "_apidoc", {})), "refuses": errors}  # type: ignore[attr-defined]
            return view

        return decorator

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, *args: Any, **kwargs: Any) -> None:
        """Register a view; its name becomes the operationId."""
        if view_func is not None:
            documented = dict(getattr(view_func, "_apidoc", {}))
            documented["name"] = view_func.__name__
            view_func._apidoc = documented
        super().add_url_rule(rule, endpoint, view_func, *args, **kwargs)


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
    try:
        return int(header.removeprefix("W/").strip('"'))
    except ValueError:
        raise InvalidRequest([{"pointer": "If-Match", "detail": 'Must be an ETag such as "3".'}]) from None


def require_version(actual: int, *, existing: bool = True) -> None:
    """Refuse a change that was made from another version than `actual`, the current one (0 where nothing exists yet)."""
    expected = version_expected(existing=existing)
    if expected is not None and expected != actual:
        raise Stale(f"You changed version {expected}, but version {actual} is current.", expected=expected, current=actual)


def camel_case(name: str) -> str:
    """`record_order` -> `recordOrder`."""
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def _describe_operation(doc: dict[str, Any], info: dict[str, Any], **_context: Any) -> dict[str, Any]:
    doc["operationId"] = camel_case(info["name"])
    codes: dict[int, set[str]] = {}
    for error in info.get("refuses", ()):
        codes.setdefault(status_of(error), set()).add(error.code)
    if info.get("arguments"):
        codes.setdefault(422, set()).add(InvalidRequest.code)
        if "requestBody" in info["arguments"]:
            for status in (400, 413, 415):
                codes.setdefault(status, set()).add(HTTP_CODES[status][0])
    responses = doc.setdefault("responses", {})
    for status, named in sorted(codes.items()):
        responses[str(status)] = problem_response(status, named)
    responses.setdefault("default", problem_response(0, set()))
    return doc


def problem_response(status: int, codes: set[str]) -> dict[str, Any]:
    """The OpenAPI response object for the problems `codes` of one status."""
    schema: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
    if codes:
        schema = {"allOf": [schema, {"properties": {"code": {"enum": sorted(codes)}}}]}
        description = "Refused: " + ", ".join(f"`{code}`" for code in sorted(codes))
    else:
        description = "Any other problem."
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
