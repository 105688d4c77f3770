"""Every error leaves as `application/problem+json` (RFC 9457), through this one module.

Kinds of refusal get their status in one table. What nobody foresaw is logged once, with the request id, and answers
500 without a word of internals. What the database could not do right now (restart, lock or statement timeout) is a
503 that may be retried: nothing was written.
"""

from http import HTTPStatus
from typing import Any

import orjson
import psycopg
import psycopg.errors
import sqlalchemy.exc
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from loyalty.core.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidRequest,
    NotFound,
    PreconditionMissing,
    RuleRefused,
    Stale,
    TooManyRequests,
    Unauthenticated,
)
from loyalty.web.logs import described

STATUS: dict[type[DomainError], int] = {
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Stale: HTTPStatus.PRECONDITION_FAILED,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    RuleRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    PreconditionMissing: HTTPStatus.PRECONDITION_REQUIRED,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
}

# What the framework refuses before a slice is reached: status -> (code, title).
HTTP_CODES: dict[int, tuple[str, str]] = {
    400: ("malformed-request", "The request cannot be read."),
    404: ("not-found", "Nothing lives at this address."),
    405: ("method-not-allowed", "This address does not answer to that method."),
    408: ("request-timeout", "The request took too long to arrive."),
    413: ("too-large", "The request is larger than this service accepts."),
    415: ("unsupported-media-type", "This service speaks JSON."),
    500: ("internal-error", "Something went wrong on our side."),
    503: ("unavailable", "The service cannot answer right now; try again."),
}

RETRY_AFTER_SECONDS = 1

# Refused by the database because of others, not because of the request: trying again is right.
_TRANSIENT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.IdleInTransactionSessionTimeout,
    sqlalchemy.exc.TimeoutError,
)

log = structlog.get_logger()


class RefusedWhileRouting(HTTPException):
    """A refusal met while the router reads the path, where only HTTP exceptions may pass."""

    code = 422  # Flask shows handlers only exceptions that have one

    def __init__(self, refusal: DomainError) -> None:
        super().__init__()
        self.refusal = refusal


def status_of(error: type[DomainError]) -> int:
    """The HTTP status of a refusal: that of its nearest kind."""
    return next(int(STATUS[kind]) for kind in error.__mro__ if kind in STATUS)


def problem(status: int, code: str, title: str, detail: str, **facts: Any) -> Response:
    """A problem document. `facts` become extra members."""
    document = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": g.get("request_id", ""),
        **facts,
    }
    body = orjson.dumps(document, option=orjson.OPT_UTC_Z, default=str)
    return Response(body, status, mimetype="application/problem+json")


def _refused(error: DomainError) -> Response:
    response = problem(status_of(type(error)), error.code, error.title(), error.detail, **error.facts)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="loyalty"'
    if isinstance(error, TooManyRequests):
        _tell_the_limit(response, error)
    return response


def _tell_the_limit(response: Response, error: TooManyRequests) -> None:
    """When to try again, and what the limit is (draft-ietf-httpapi-ratelimit-headers)."""
    limit = error.limit
    response.headers["Retry-After"] = str(error.wait_seconds)
    response.headers["RateLimit-Policy"] = f'"{limit.name}";q={limit.quota};w={limit.window_seconds}'
    response.headers["RateLimit"] = f'"{limit.name}";r=0;t={error.wait_seconds}'


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, RefusedWhileRouting):
        return _refused(error.refusal)
    status = error.code or 500
    if (
        status < HTTPStatus.BAD_REQUEST and error.response is None
    ):  # a redirect of the router is an answer, not a problem
        return Response(error.get_body(), status, error.get_headers())
    code, title = HTTP_CODES.get(status, (HTTPStatus(status).name.lower().replace("_", "-"), HTTPStatus(status).phrase))
    response = problem(status, code, title, error.description or title)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _unavailable(error: Exception) -> Response:
    log.warning("database unavailable", error=type(error).__name__, request_id=g.get("request_id"))
    code, title = HTTP_CODES[503]
    response = problem(
        503, code, title, "Send the same request again; what it changed, if anything, is not done twice."
    )
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _unexpected(error: Exception) -> Response:
    wrapped = isinstance(error, sqlalchemy.exc.DBAPIError) and isinstance(error.orig, Exception)
    cause: Exception = error.orig if wrapped else error  # type: ignore[attr-defined]
    if isinstance(cause, _TRANSIENT):
        return _unavailable(cause)
    log.error("unexpected error", request_id=g.get("request_id"), operation=request.endpoint, **described(cause))
    code, title = HTTP_CODES[500]
    return problem(500, code, title, "It was recorded under this request id.")


def init_app(app: Flask) -> None:
    """Answer every error of the application from here."""
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
