"""Cursors for lists: opaque to callers, stable under inserts, never an offset and never a count."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

from loyalty.core.errors import InvalidRequest

LIMIT_DEFAULT = 50
LIMIT_MAX = 200

BIGINT_MAX = 2**63 - 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list: the rows, and where the next page begins (None on the last one)."""

    data: Sequence[T]
    next: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """What a caller asked for: at most `limit` rows after the position `after` (None: from the start)."""

    limit: int = LIMIT_DEFAULT
    after: str | None = None

    def position(self, *kinds: type) -> list[Any] | None:
        """The key of the last row seen, one value per kind. Raises InvalidRequest for a cursor that is not ours."""
        if self.after is None:
            return None
        try:
            values = orjson.loads(base64.urlsafe_b64decode(self.after.encode("ascii", "strict") + b"=="))
        except (ValueError, binascii.Error):
            values = None
        fits = isinstance(values, list) and len(values) == len(kinds)
        if not fits or not all(_is(value, kind) for value, kind in zip(values, kinds, strict=True)):
            raise InvalidRequest([{"pointer": "after", "detail": "Not a cursor that this list gave out."}])
        return list(values)


def _is(value: Any, kind: type) -> bool:
    # A number must also be one that a bigint holds, and a text one that PostgreSQL can hold.
    if type(value) is not kind:
        return False
    return abs(value) <= BIGINT_MAX if isinstance(value, int) else "\x00" not in str(value)


def page(rows: Sequence[T], window: Window, key: Callable[[T], list[Any]]) -> Page[T]:
    """Turn `limit + 1` fetched rows into a page; the extra row only tells that there is more."""
    shown = rows[: window.limit]
    more = len(rows) > window.limit
    return Page(shown, cursor(key(shown[-1])) if more else None)


def cursor(key: list[Any]) -> str:
    """The opaque form of a row's key."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")
