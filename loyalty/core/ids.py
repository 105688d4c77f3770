"""Internal ids and unguessable secrets."""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique everywhere, and ordered by time, so that indexes grow at their right edge."""
    return uuid_utils.compat.uuid7()


def secret_token(*, entropy_bytes: int = 32) -> str:
    """A URL-safe secret that cannot be guessed."""
    return secrets.token_urlsafe(entropy_bytes)


def fingerprint(content: Any) -> bytes:
    """SHA-256 of the canonical JSON of `content` (32 bytes): equal content, equal fingerprint.

    Keys are sorted and times are written in UTC, so neither the order of fields nor the offset a caller
    happened to use makes two equal requests different.
    """
    written = orjson.dumps(content, default=_written, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
    return hashlib.sha256(written).digest()


def _written(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
