"""Reading redemptions: one, those of a member, those of a program.

One that nobody confirmed in time has expired, whenever that is written down.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row, scalar_row

from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session
from loyalty.members import queries as members
from loyalty.members.locks import Holder
from loyalty.rewards.domain import Redemption
from loyalty.rewards.errors import RedemptionNotFound
from loyalty.vouchers.domain import Voucher

COLUMNS = (
    "member_id", "redemption_id", "reward_code", "reward_version", "status", "points", "fulfilment", "took_stock",
    "redeemed_at", "expires_at", "confirmed_at", "fulfilled_at", "closed_at", "voucher_code", "entry_seq", "reference",
    "reason",
)  # fmt: skip

_ANSWER = "SELECT receipt FROM redemptions WHERE member_id = %s AND redemption_id = %s"
_KEPT = "SELECT body FROM receipts WHERE member_id = %s AND kind = %s AND key = %s"
_RECORDED = f"SELECT {', '.join(COLUMNS)} FROM redemptions WHERE member_id = %s AND redemption_id = %s"

_SHOWN = """
SELECT r.redemption_id, m.customer_id, r.reward_code AS reward, r.reward_version, r.status, r.points, r.fulfilment,
       r.redeemed_at, r.expires_at, r.confirmed_at, r.fulfilled_at, r.closed_at, r.reference, r.reason,
       r.voucher_code, v.value, v.expires_at AS voucher_expires_at
FROM redemptions r JOIN members m ON m.member_id = r.member_id
LEFT JOIN vouchers v ON v.member_id = r.member_id AND v.code = r.voucher_code
"""
_ONE = f"""
{_SHOWN} JOIN natural_keys k ON r.member_id = k.member_id AND r.redemption_id = k.key
WHERE k.program_id = %s AND k.kind = 'redemption' AND k.key = %s
"""
# Newest first. A page ends before an instant and an id; the first one before the end of time.
_BEFORE = "(r.redeemed_at, r.redemption_id) < (%(at)s, %(id)s) ORDER BY r.redeemed_at DESC, r.redemption_id DESC"
# Member by member, each by the index in this order: what it costs does not grow with what they redeemed.
_OF_MEMBER = f"""
WITH RECURSIVE mine (member_id) AS (
    SELECT %(member_id)s::uuid
    UNION ALL
    SELECT s.member_id FROM mine JOIN members s ON s.merged_into = mine.member_id),
newest AS (
    SELECT n.* FROM mine CROSS JOIN LATERAL (
        SELECT * FROM redemptions r WHERE r.member_id = mine.member_id AND {_BEFORE} LIMIT %(limit)s) n)
{_SHOWN.replace("FROM redemptions r", "FROM newest r")}
ORDER BY r.redeemed_at DESC, r.redemption_id DESC LIMIT %(limit)s
"""
_IN_STATUS = f"{_SHOWN} WHERE r.program_id = %(program_id)s AND r.status = %(status)s"
_OF_PROGRAM = f"{_IN_STATUS} AND {_BEFORE} LIMIT %(limit)s"
_HELD = f"{_IN_STATUS} AND r.expires_at > %(now)s AND {_BEFORE} LIMIT %(limit)s"
# Those that were recorded, and those that were not yet.
_EXPIRED = f"""
SELECT * FROM (
    ({_OF_PROGRAM})
    UNION ALL
    ({_SHOWN} WHERE r.program_id = %(program_id)s AND r.status = 'held' AND r.expires_at <= %(now)s AND {_BEFORE}
     LIMIT %(limit)s)) both_kinds
ORDER BY redeemed_at DESC, redemption_id DESC LIMIT %(limit)s
"""
_BY_STATUS = {"held": _HELD, "expired": _EXPIRED}
_VOUCHER = "SELECT code, value, expires_at FROM vouchers WHERE member_id = %s AND code = %s"
_END = "infinity"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRedemption:
    """A redemption as it is read."""

    redemption_id: str
    customer_id: str
    reward: str
    reward_version: int
    status: str
    points: int
    fulfilment: str
    redeemed_at: datetime
    expires_at: datetime | None
    confirmed_at: datetime | None
    fulfilled_at: datetime | None
    closed_at: datetime | None
    reference: str | None
    reason: str | None
    voucher: dict[str, Any] | None


def stored_receipt(session: Session, held: Holder, redemption_id: str) -> bytes:
    """The answer that the redemption's first request got."""
    receipt = session.row(_ANSWER, (held.member_id, redemption_id), into=scalar_row)
    assert isinstance(receipt, str), "a claimed redemption is written in the same transaction"
    return receipt.encode()


def kept_answer(session: Session, member_id: UUID, kind: str, redemption_id: str) -> bytes:
    """The answer to the request that made a redemption what it is."""
    body = session.row(_KEPT, (member_id, kind, redemption_id), into=scalar_row)
    assert isinstance(body, str), "what a redemption became was answered"
    return body.encode()


def recorded(session: Session, member_id: UUID, redemption_id: str) -> Redemption:
    """A redemption of a member whom the caller has locked. Refuses: RedemptionNotFound."""
    found = session.row(_RECORDED, (member_id, redemption_id), into=class_row(Redemption))
    if found is None:
        raise RedemptionNotFound(redemption_id)
    return found


def voucher_of(session: Session, made: Redemption) -> Voucher | None:
    """The voucher that a redemption gave."""
    if made.voucher_code is None:
        return None
    return session.row(_VOUCHER, (made.member_id, made.voucher_code), into=class_row(Voucher))


def redemption(session: Session, program_id: UUID, redemption_id: str, *, now: datetime) -> ShownRedemption:
    """One redemption. Refuses: RedemptionNotFound."""
    row = session.row(_ONE, (program_id, redemption_id), into=dict_row)
    if row is None:
        raise RedemptionNotFound(redemption_id)
    return _shown(row, now)


def redemptions_of(
    session: Session, program_id: UUID, customer_id: str, window: Window, *, now: datetime
) -> Page[ShownRedemption]:
    """The redemptions of a member, and of those who were merged into them, newest first. Refuses: MemberNotFound."""
    member_id = members.member_id_of(session, program_id, customer_id)
    return _page(session, _OF_MEMBER, {"member_id": member_id}, window, now)


def redemptions(
    session: Session, program_id: UUID, status: str, window: Window, *, now: datetime
) -> Page[ShownRedemption]:
    """The redemptions of a program in one status, newest first."""
    where = {"program_id": program_id, "status": status, "now": now}
    return _page(session, _BY_STATUS.get(status, _OF_PROGRAM), where, window, now)


def _page(
    session: Session, statement: str, where: dict[str, Any], window: Window, now: datetime
) -> Page[ShownRedemption]:
    at, last = window.position(str, str) or (_END, "")
    at = _instant(at)
    rows = session.rows(statement, {**where, "at": at, "id": last, "limit": window.limit + 1}, into=dict_row)
    found = page(rows, window, lambda row: [row["redeemed_at"].isoformat(), row["redemption_id"]])
    return Page([_shown(row, now) for row in found.data], found.next)


def _instant(text: str) -> str:
    """An instant out of a cursor; the start of the list for anything else."""
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return _END


def _shown(row: dict[str, Any], now: datetime) -> ShownRedemption:
    code, value, expires_at = row.pop("voucher_code"), row.pop("value"), row.pop("voucher_expires_at")
    if row["status"] == "held" and row["expires_at"] <= now:
        row |= {"status": "expired", "closed_at": row["expires_at"]}
    return ShownRedemption(**row, voucher=code and {"code": code, "value": value, "expires_at": expires_at})
