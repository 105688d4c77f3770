"""The log: one JSON object a line on standard error, with the request id and without personal data."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
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
        # To where stderr leads by then: whoever configured this may have redirected it for a while.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


@contextmanager
def adopting_libraries() -> Iterator[None]:
    """Let the libraries' warnings and errors speak through this log, without the data that an error may quote."""
    handler = _Adopted(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


class _Adopted(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        facts = described(error.__cause__ or error) if error else {}
        word = "error" if record.levelno >= logging.ERROR else "warning"
        structlog.get_logger().log(record.levelno, f"{record.name}.{word}", said=record.getMessage(), **facts)


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
