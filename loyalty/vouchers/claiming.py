"""Codes that nobody else has: claimed in the registry, by the form in which they are looked up."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from loyalty.core import codes
from loyalty.core.errors import InvalidRequest
from loyalty.db.session import Session
from loyalty.members import locks
from loyalty.vouchers.domain import CODE_LENGTH_MAX, CODE_LENGTH_MIN, CODE_RULE
from loyalty.vouchers.errors import DuplicateCodes

# 60 bits: a thousand guesses a second for a year find one of a million live codes with a chance of 3 %, and the
# guesses of a year are not what a shop's key is allowed.
CODE_CHARACTERS = 12

# Who uploads ten thousand codes twice learns enough from the first fifty.
NAMED_MAX = 50
ERRORS_MAX = 100

# A code, and the id that the registry has for it.
Owned = tuple[UUID, str]


def is_code(code: str) -> bool:
    """Whether a text can be the code of a voucher."""
    return (
        CODE_LENGTH_MIN <= len(code) <= CODE_LENGTH_MAX
        and code.isprintable()
        and code == code.strip()
        and len(codes.canonical(code)) >= CODE_LENGTH_MIN
    )


def draw(session: Session, program_id: UUID, count: int, owner: Callable[[], UUID]) -> list[Owned]:
    """So many new codes; one that somebody has is drawn again."""
    drawn: dict[str, Owned] = {}
    while (left := count - len(drawn)) > 0:
        new = (codes.new_code(characters=CODE_CHARACTERS) for _ in range(left))
        wanted = {codes.canonical(code): (owner(), code) for code in new}
        free = locks.claim_all(session, program_id, "voucher", {key: of for key, (of, _) in wanted.items()})
        drawn |= {key: owned for key, owned in wanted.items() if key in free}
    return list(drawn.values())


def claim_uploaded(
    session: Session, program_id: UUID, uploaded: Sequence[str], owner: Callable[[], UUID]
) -> list[Owned]:
    """Claim codes that somebody brings, all or none, in their order. Refuses: InvalidRequest, DuplicateCodes."""
    wrong = [{"pointer": f"/codes/{at}", "detail": CODE_RULE} for at, code in enumerate(uploaded) if not is_code(code)]
    if wrong:
        raise InvalidRequest(wrong[:ERRORS_MAX])
    first: dict[str, int] = {}
    duplicates: list[dict[str, Any]] = []
    for line, code in enumerate(uploaded, start=1):
        before = first.setdefault(codes.canonical(code), line)
        if before != line:
            duplicates.append({"code": code, "line": line, "reason": "listed_twice", "same_as_line": before})
    owners = {key: owner() for key in first}
    free = locks.claim_all(session, program_id, "voucher", owners)
    known = ((uploaded[line - 1], line) for key, line in first.items() if key not in free)
    duplicates += [{"code": code, "line": line, "reason": "known_already"} for code, line in known]
    if duplicates:
        duplicates.sort(key=lambda found: found["line"])
        raise DuplicateCodes(duplicates[:NAMED_MAX], count=len(duplicates))
    return list(zip(owners.values(), uploaded, strict=True))
