"""What is counted of a member, and what waits for one, goes to who stays when two members become one.

So no cap, limit or cooldown is escaped by a second membership, and what was bought before counts as bought.
"""

from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.base import Base
from loyalty.db.session import Session, array_of
from loyalty.db.writer import Changes
from loyalty.earning.models import RuleCountRow
from loyalty.members.models import ReferralRow
from loyalty.rules.models import CategoryHistoryRow, PurchaseHistoryRow

_COUNTED: tuple[tuple[type[Base], str], ...] = (
    (PurchaseHistoryRow, "SELECT * FROM purchase_histories WHERE member_id = %s"),
    (CategoryHistoryRow, "SELECT * FROM category_histories WHERE member_id = %s ORDER BY category"),
    (RuleCountRow, "SELECT * FROM rule_counts WHERE member_id = %s ORDER BY rule_code, period"),
)
_REFERRALS = """
SELECT r.*, coalesce(h.orders, 0) AS orders FROM unnest(%s::uuid[]) WITH ORDINALITY AS w (member_id, place)
LEFT JOIN referrals r ON r.member_id = w.member_id LEFT JOIN purchase_histories h ON h.member_id = w.member_id
ORDER BY w.place
"""


def moved(session: Session, source_id: UUID, target_id: UUID) -> Changes:
    """The rows of what moves. The caller has locked both."""
    changes = Changes()
    for model, statement in _COUNTED:
        rows = session.rows(statement, (source_id,), into=dict_row)
        changes.increase(model, *({**row, "member_id": target_id} for row in rows))
        if rows:
            last_at = max(row["last_at"] for row in rows)
            changes.delete_until(model, {"member_id": source_id, "last_at": last_at})
    source, target = session.rows(_REFERRALS, (array_of([source_id, target_id]),), into=dict_row)
    _move_referral(changes, source, target, target_id)
    return changes


def _move_referral(changes: Changes, source: dict[str, Any], target: dict[str, Any], target_id: UUID) -> None:
    """Whoever is one person now is thanked for once, and only if they were new when they came."""
    is_open = source["status"] in ("waiting", "due")
    if is_open:
        changes.update(ReferralRow, _status(source, "refused"))
    if target["status"] == "waiting":
        if source["status"] == "due":
            changes.update(ReferralRow, {**_status(source, "due"), "member_id": target_id})
        elif source["orders"]:
            changes.update(ReferralRow, _status(target, "refused"))
    elif is_open and target["status"] is None and not target["orders"]:
        taken_over = {"program_id": source["program_id"], "referrer_id": source["referrer_id"]}
        changes.insert(ReferralRow, {**_status(source, source["status"]), **taken_over, "member_id": target_id})


def _status(referral: dict[str, Any], status: str) -> dict[str, Any]:
    return {**{name: referral[name] for name in ("member_id", "order_id", "ordered_at")}, "status": status}
