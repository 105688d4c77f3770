"""Counting what is sent to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that any connection sends meanwhile, in order.

    The driver begins and ends transactions by itself, so BEGIN, COMMIT and ROLLBACK are not among them.
    """
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: psycopg.Cursor[Any], query: bytes | str, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        sent.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(cursor, query, *args, **kwargs)

    with patch.object(psycopg.Cursor, "execute", noting):
        yield sent
