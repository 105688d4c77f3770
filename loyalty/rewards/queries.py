"""Reading the catalogue and redemptions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row, scalar_row

from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session
from loyalty.members.locks import Holder
from loyalty.rewards.domain import Reward
from loyalty.rewards.errors import RedemptionNotFound, RewardNotFound

_REWARD = """
SELECT r.program_id, r.code, r.version, r.name, r.type, r.points, r.value, r.limited, s.remaining AS stock,
       r.stock AS configured_stock, r.valid_from, r.valid_to, r.fulfilment
FROM rewards r LEFT JOIN reward_stock s ON s.program_id = r.program_id AND s.code = r.code
"""
_ONE = f"{_REWARD} WHERE r.program_id = %s AND r.code = %s"
_LIST = f"""{_REWARD} WHERE r.program_id = %(program_id)s AND r.code > %(after)s
ORDER BY r.code LIMIT %(limit)s"""

_ANSWER = "SELECT receipt FROM redemptions WHERE member_id = %s AND redemption_id = %s"
_REDEMPTION = """
SELECT r.redemption_id, m.customer_id, r.reward_code AS reward, r.status, r.points, r.redeemed_at,
       r.voucher_code, v.value, v.expires_at
FROM natural_keys k
JOIN redemptions r ON r.member_id = k.member_id AND r.redemption_id = k.key
JOIN members m ON m.member_id = r.member_id
LEFT JOIN vouchers v ON v.member_id = r.member_id AND v.code = r.voucher_code
WHERE k.program_id = %s AND k.kind = 'redemption' AND k.key = %s
"""

_remembered: dict[UUID, tuple[int, dict[str, Reward]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A redemption as it is read."""

    redemption_id: str
    customer_id: str
    reward: str
    status: str
    points: int
    redeemed_at: datetime
    voucher: dict[str, Any] | None


def reward(session: Session, program_id: UUID, code: str) -> Reward:
    """One reward as it is now, stock included. Refuses: RewardNotFound."""
    found = session.row(_ONE, (program_id, code), into=class_row(Reward))
    if found is None:
        raise RewardNotFound(code)
    return found


def reward_at(session: Session, program_id: UUID, code: str, *, config_version: int) -> Reward:
    """One reward as configured; remembered while the configuration stays, so its `stock` says nothing.

    Refuses: RewardNotFound.
    """
    known = _remembered.get(program_id)
    if known is None or known[0] != config_version:
        known = (config_version, {})
        _remembered[program_id] = known
    if code not in known[1]:
        known[1][code] = reward(session, program_id, code)
    return known[1][code]


def rewards(session: Session, program_id: UUID, window: Window) -> Page[Reward]:
    """The catalogue, by code."""
    after = window.position(str)
    where = {"program_id": program_id, "after": after[0] if after else "", "limit": window.limit + 1}
    return page(session.rows(_LIST, where, into=class_row(Reward)), window, lambda r: [r.code])


def stored_receipt(session: Session, held: Holder, redemption_id: str) -> bytes:
    """The answer that the redemption's first request got."""
    receipt = session.row(_ANSWER, (held.member_id, redemption_id), into=scalar_row)
    assert isinstance(receipt, str), "a claimed redemption is written in the same transaction"
    return receipt.encode()


def redemption(session: Session, program_id: UUID, redemption_id: str) -> Redemption:
    """One redemption. Refuses: RedemptionNotFound."""
    row = session.row(_REDEMPTION, (program_id, redemption_id), into=dict_row)
    if row is None:
        raise RedemptionNotFound(f"There is no redemption '{redemption_id}'.", redemption_id=redemption_id)
    code, value, expires_at = row.pop("voucher_code"), row.pop("value"), row.pop("expires_at")
    return Redemption(**row, voucher=code and {"code": code, "value": value, "expires_at": expires_at})


_VERSION = "SELECT version FROM rewards WHERE program_id = %s AND code = %s"


def version_of(session: Session, program_id: UUID, code: str) -> int:
    """The current version of a reward; 0 when there is none."""
    return session.row(_VERSION, (program_id, code), into=scalar_row) or 0
