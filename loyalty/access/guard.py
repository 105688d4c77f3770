"""The guard in front of every blueprint: key, scope, caller.

A key that was found is remembered for a second per process: a revoked key is refused everywhere within that time, at
once in the process that revoked it. Keys of sandboxes are not remembered: when the clock of one is moved, the next
request sees it, whichever process it meets.

The guard also sets the clock of the request to that of the caller's program. Keys themselves expire by the real one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app, g, request

from loyalty.access import queries
from loyalty.access.domain import Caller
from loyalty.access.errors import KeyMissing, ScopeMissing
from loyalty.access.service import hash_of
from loyalty.core import clock
from loyalty.db.session import reading

# A revoked key works at most this long in the other processes; one statement per second and key pays for it.
REMEMBERED_SECONDS = 1.0
REMEMBERED_MAX = 10_000

T = TypeVar("T", bound=Callable[..., Any])

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    until: float


_known: dict[bytes, _Known] = {}


def forget_keys() -> None:
    """Look every key up anew: one has just been revoked here."""
    _known.clear()


def guard(area: str) -> Callable[[], None]:
    """A before-request function that lets a request through if its key opens `area`."""

    def check() -> None:
        caller = identify()
        if not caller.may(area, _access()):
            needed = f"{area}:{_access()}" if area != "admin" else "admin"
            raise ScopeMissing(f"This needs a key with the scope '{needed}'.", required=needed)

    return check


def identify() -> Caller:
    """The caller, from the Authorization header; kept for the request as `g.caller`. Refuses: KeyMissing."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise KeyMissing("Send a key: 'Authorization: Bearer <key>'.")
    caller = _caller(hash_of(secret.strip()))
    if caller is None:
        raise KeyMissing("This key is unknown, expired or revoked.")
    g.caller = caller
    clock.run_ahead(caller.clock_ahead)
    return caller


def back_to_real_time(_error: BaseException | None = None) -> None:
    """At the end of a request: whatever its thread does next has nothing to do with its program."""
    clock.run_ahead(clock.REAL)


def reading_operation(view: T) -> T:
    """Mark a POST that only reads, such as a search whose terms do not belong into a URL."""
    view.only_reads = True  # type: ignore[attr-defined]
    return view


def _access() -> str:
    view = current_app.view_functions.get(request.endpoint or "")
    return "read" if request.method in READING_METHODS or getattr(view, "only_reads", False) else "write"


def _caller(secret_hash: bytes) -> Caller | None:
    now = clock.real_now()
    known = _known.get(secret_hash)
    if known is not None and time.monotonic() < known.until:
        caller: Caller | None = known.caller
    else:
        with reading() as session:
            caller = queries.caller_with(session, secret_hash, now=now)
        if len(_known) >= REMEMBERED_MAX:
            _known.clear()
        if caller is not None and not caller.sandbox:
            _known[secret_hash] = _Known(caller, time.monotonic() + REMEMBERED_SECONDS)
        else:
            _known.pop(secret_hash, None)
    if caller is None or (caller.expires_at is not None and caller.expires_at <= now):
        return None
    return caller
