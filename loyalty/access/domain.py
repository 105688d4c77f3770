"""Keys and scopes as values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

AREAS = ("members", "orders", "rewards", "offers", "reports")

# `orders` stands for both of its halves; `admin` for everything.
SCOPES = frozenset({"admin"} | set(AREAS) | {f"{area}:{access}" for area in AREAS for access in ("read", "write")})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the program and the scopes of the key. In a sandbox, the clock may run ahead of the real one."""

    program_id: UUID
    key_id: UUID
    scopes: frozenset[str]
    expires_at: datetime | None = None
    sandbox: bool = False
    clock_ahead: timedelta = timedelta(0)

    def may(self, area: str, access: str) -> bool:
        """Whether the key opens `area` ("orders") for `access` ("read" or "write")."""
        return not self.scopes.isdisjoint(("admin", area, f"{area}:{access}"))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made."""

    scopes: tuple[str, ...]
    name: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed: never its secret."""

    key_id: UUID
    prefix: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key just made, with its secret: shown once, stored nowhere."""

    key: Key
    secret: str
