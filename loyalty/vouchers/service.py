"""Issuing vouchers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.core import codes
from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.vouchers.models import VoucherRow

# 60 bits: a thousand guesses a second for a year find one of a million live codes with a chance of 3 %, and the
# guesses of a year are not what a shop's key is allowed.
CODE_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher just issued."""

    code: str
    value: dict[str, Any]
    expires_at: datetime | None


def issue(
    session: Session, changes: Changes, member: LockedMember, value: dict[str, Any], *, program_id: Any, now: datetime
) -> Voucher:
    """Draw a code nobody has, and add the voucher to the rows to be written."""
    while True:
        voucher = Voucher(codes.new_code(characters=CODE_CHARACTERS), value, None)
        if locks.claim(session, program_id, "voucher", [(codes.canonical(voucher.code), member.member_id, None)]):
            break
    changes.insert(
        VoucherRow,
        {
            "member_id": member.member_id,
            "code": voucher.code,
            "program_id": program_id,
            "value": value,
            "issued_at": now,
            "expires_at": voucher.expires_at,
        },
    )
    return voucher
