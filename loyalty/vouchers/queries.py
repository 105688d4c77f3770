"""Reading vouchers, by their codes, by whose they are, by batch."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.core import codes
from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session, array_of
from loyalty.members import queries as members
from loyalty.vouchers.domain import HeldVoucher, uses
from loyalty.vouchers.errors import VoucherNotFound

# What nobody could type is not looked for.
KEY_LENGTH_MAX = 64

# A refusal names so many of the orders that used a voucher.
ORDERS_MAX = 10

_BY_KEY = """
FROM natural_keys k JOIN vouchers v ON v.member_id = k.member_id AND v.key = k.key
WHERE k.program_id = %(program_id)s AND k.kind = 'voucher' AND k.key = %(key)s
"""
_HELD = f"""
SELECT v.member_id, v.code, v.value, v.bound, v.valid_from, v.expires_at, v.uses_allowed, v.uses, v.per_customer,
       v.voided_at, v.batch_id, v.redemption_id, v.assignment_id {{more}} {_BY_KEY}
"""
# The member of an id or, if that one was merged, who it was merged into, by both ids; of nobody's id, nobody.
_STAYED = """
(WITH RECURSIVE stayed AS (
    SELECT m.member_id, m.customer_id, m.merged_into FROM members m WHERE m.member_id = {of}
    UNION ALL
    SELECT m.member_id, m.customer_id, m.merged_into FROM stayed s JOIN members m ON m.member_id = s.merged_into)
 SELECT json_build_array(member_id, customer_id) FROM stayed WHERE merged_into IS NULL)
"""
_LOCKED = _HELD.format(more=f", {_STAYED.format(of='v.member_id')} AS holder") + " FOR NO KEY UPDATE OF v"
_HELD = _HELD.format(more="")

# What can be told of a voucher that is several things at once is what no time will change.
_STATUS = """CASE WHEN v.voided_at IS NOT NULL THEN 'void' WHEN v.uses >= v.uses_allowed THEN 'used'
WHEN v.expires_at <= %(now)s THEN 'expired' WHEN v.valid_from > %(now)s THEN 'not_started' ELSE 'active' END"""
_SHOWN = f"""
v.code, v.key, v.value, {_STATUS} AS status, v.issued_at, v.valid_from, v.expires_at, v.uses_allowed, v.uses,
v.per_customer, v.bound, v.voided_at, v.void_reason, v.origin, v.batch_id, v.redemption_id, v.assignment_id
"""
_ONE = f"SELECT {_SHOWN} {_BY_KEY}"
# Of each owner the newest, in the order of the index; then the newest of all.
_OF_MEMBER = f"""
SELECT f.* FROM unnest(%(owners)s::uuid[]) AS o (member_id) CROSS JOIN LATERAL (
    SELECT {_SHOWN} FROM vouchers v
    WHERE v.member_id = o.member_id AND (v.issued_at, v.key) < (%(at)s, %(key)s)
      AND (%(status)s::text IS NULL OR {_STATUS} = %(status)s)
    ORDER BY v.issued_at DESC, v.key DESC LIMIT %(limit)s) f
ORDER BY f.issued_at DESC, f.key DESC LIMIT %(limit)s
"""
_OF_BATCH = f"""
SELECT {_SHOWN}, m.customer_id FROM vouchers v LEFT JOIN members m ON m.member_id = v.member_id
WHERE v.program_id = %(program_id)s AND v.batch_id = %(batch_id)s AND v.key > %(after)s
ORDER BY v.key LIMIT %(limit)s
"""

_USER = """
(SELECT k.member_id FROM natural_keys k
 WHERE k.program_id = u.program_id AND k.kind = 'member' AND k.key = u.customer_id)
"""
_USE = f"""
SELECT u.order_id, u.content, u.receipt, u.released_at, u.release_content, u.release_receipt,
       {_STAYED.format(of=_USER)} AS "user"
FROM voucher_uses u WHERE u.member_id = %s AND u.code = %s AND u.order_id = %s
"""
_USED_BY = """
SELECT count(*) FROM voucher_uses
WHERE member_id = %s AND code = %s AND customer_id = ANY(%s::text[]) AND released_at IS NULL AND order_id <> %s
"""
_ORDERS = """
SELECT order_id FROM voucher_uses WHERE member_id = %s AND code = %s AND released_at IS NULL
ORDER BY order_id LIMIT %s
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Later than any voucher is issued.
_END = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Use:
    """An order that used a voucher, with the answers that its requests got. `user` is the member, if one bought."""

    order_id: str
    content: bytes
    receipt: str
    released_at: datetime | None
    release_content: bytes | None
    release_receipt: str | None
    user: tuple[UUID, str] | None


def held_voucher(session: Session, program_id: UUID, code: str) -> HeldVoucher:
    """The voucher that a typed code means. Refuses: VoucherNotFound."""
    return _held(session, _HELD, program_id, code)


def locked_voucher(session: Session, program_id: UUID, code: str) -> HeldVoucher:
    """The same, locked: its uses are counted by whoever holds this lock. Refuses: VoucherNotFound."""
    return _held(session, _LOCKED, program_id, code)


def _held(session: Session, statement: str, program_id: UUID, code: str) -> HeldVoucher:
    where = {"program_id": program_id, "key": _key(code)}
    found = session.row(statement, where, into=dict_row)
    if found is None:
        raise VoucherNotFound
    return HeldVoucher(**{**found, "holder": _who(found.get("holder"))})


def _key(code: str) -> str:
    key = codes.canonical(code)
    if not 0 < len(key) <= KEY_LENGTH_MAX:
        raise VoucherNotFound
    return key


def voucher(session: Session, program_id: UUID, code: str, *, now: datetime) -> dict[str, Any]:
    """A voucher as it is shown. Refuses: VoucherNotFound."""
    where = {"program_id": program_id, "key": _key(code), "now": now}
    found = session.row(_ONE, where, into=dict_row)
    if found is None:
        raise VoucherNotFound
    return _shown(found)


def vouchers_of(
    session: Session, program_id: UUID, customer_id: str, status: str | None, window: Window, *, now: datetime
) -> Page[dict[str, Any]]:
    """The vouchers bound to a member, newest first, also those of whoever was merged into it.

    Refuses: MemberNotFound.
    """
    member_id = members.member_id_of(session, program_id, customer_id)
    owners = members.identities(session, member_id)
    at, key = window.position(int, str) or (None, "")
    instant = _END if at is None else _EPOCH + min(max(at, 0), (_END - _EPOCH) // _MICROSECOND) * _MICROSECOND
    where = {"owners": array_of(owners), "at": instant, "key": key, "status": status, "now": now}
    rows = session.rows(_OF_MEMBER, {**where, "limit": window.limit + 1}, into=dict_row)
    return _page(rows, window, lambda row: [(row["issued_at"] - _EPOCH) // _MICROSECOND, row["key"]])


def vouchers_of_batch(
    session: Session, program_id: UUID, batch_id: str, window: Window, *, now: datetime
) -> Page[dict[str, Any]]:
    """The vouchers of a batch, by code, each with whom it was given to."""
    (after,) = window.position(str) or [""]
    where = {"program_id": program_id, "batch_id": batch_id, "after": after, "now": now, "limit": window.limit + 1}
    return _page(session.rows(_OF_BATCH, where, into=dict_row), window, lambda row: [row["key"]])


def use(session: Session, voucher: HeldVoucher, order_id: str) -> Use | None:
    """What an order used a voucher for."""
    found = session.row(_USE, (voucher.member_id, voucher.code, order_id), into=dict_row)
    return None if found is None else Use(**{**found, "user": _who(found["user"])})


def used_by(session: Session, voucher: HeldVoucher, customer_ids: list[str], *, but_for: str) -> int:
    """How often customers used a voucher, but for one order."""
    where = (voucher.member_id, voucher.code, array_of(customer_ids), but_for)
    return session.row(_USED_BY, where, into=scalar_row) or 0


def orders_of(session: Session, voucher: HeldVoucher) -> list[str]:
    """Some of the orders that used a voucher."""
    return session.rows(_ORDERS, (voucher.member_id, voucher.code, ORDERS_MAX), into=scalar_row)


def _who(ids: list[str] | None) -> tuple[UUID, str] | None:
    return None if ids is None else (UUID(ids[0]), ids[1])


def _page(rows: list[dict[str, Any]], window: Window, key: Any) -> Page[dict[str, Any]]:
    found = page(rows, window, key)
    return Page([_shown(row) for row in found.data], found.next)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in ("key", "uses_allowed")}
    return {**shown, "uses": uses(row["uses_allowed"], row["uses"])}
