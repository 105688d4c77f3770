"""The log: one JSON object a line on standard error, with the request id and without personal data."""

import logging
import sys
import traceback
from typing import Any

import orjson
import psycopg
import structlog

# A stack deeper than this is a recursion, and its middle says nothing new.
FRAMES_MAX = 30


def configure(level: str) -> None:
    """Log from `level` on."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level, logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def described(error: BaseException) -> dict[str, Any]:
    """What the log may know of an error: where, and what kind.

    The detail of a database error quotes the row, which may hold a name or an address, so only its code, constraint and
    first line are kept.
    """
    facts: dict[str, Any] = {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "stack": traceback.format_tb(error.__traceback__)[-FRAMES_MAX:],
    }
    if isinstance(error, psycopg.Error):
        diagnosis = error.diag
        facts |= {
            "sqlstate": error.sqlstate, "constraint": diagnosis.constraint_name, "message": diagnosis.message_primary,
        }  # fmt: skip
    else:
        facts["message"] = str(error)
    return facts


def _json(event: Any, **_kwargs: Any) -> str:
    return orjson.dumps(event, default=str).decode()
