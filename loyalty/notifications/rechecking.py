"""Whether what a message was to tell is still so when it is due: it may have waited for hours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.notifications import expiring, lapsing, surveyed, surveying
from loyalty.notifications.domain import Message
from loyalty.programs.domain import Program
from loyalty.rewards import catalogue as catalogues

_USABLE_VOUCHERS = """
SELECT v.member_id, v.redemption_id FROM vouchers v
JOIN unnest(%s::uuid[], %s::text[]) AS w (member_id, redemption_id)
    ON v.member_id = w.member_id AND v.redemption_id = w.redemption_id
WHERE v.voided_at IS NULL AND (v.expires_at IS NULL OR v.expires_at > %s)
"""


def rechecked(
    session: Session, program: Program, messages: Sequence[Message], *, now: datetime
) -> tuple[list[Message], dict[UUID, str]]:
    """The messages as they are true now, and why some of them are not any more, by message.

    A statement for each kind of message that can become untrue, if there is one of it.
    """
    points = expiring.still_expiring(session, _of(messages, "points_expiring"))
    reasons = {m.message_id: "nothing_expires" for m in _of(messages, "points_expiring") if not points[m.message_id]}
    if lapses := _of(messages, "tier_lapsing"):
        still = lapsing.still_lapsing(session, program.program_id, lapses, now=now)
        reasons |= {m.message_id: "tier_kept" for m in lapses if m.message_id not in still}
    if rewards := _of(messages, "new_reward", "reward_within_reach"):
        published = catalogues.catalogue(session, program).rewards
        reasons |= {m.message_id: "reward_gone" for m in rewards if m.data["reward"] not in published}
    if vouchers := _of(messages, "voucher_issued"):
        usable = _usable(session, vouchers, now)
        key = {m.message_id: (m.member_id, m.data["redemption_id"]) for m in vouchers}
        reasons |= {m.message_id: "voucher_gone" for m in vouchers if key[m.message_id] not in usable}
    if surveys := [m for m in _of(messages, surveying.KIND) if "survey" in m.data]:
        reasons |= surveyed.pointless(session, surveys, now=now)
    return [_with_points(message, points.get(message.message_id)) for message in messages], reasons


def _of(messages: Sequence[Message], *kinds: str) -> list[Message]:
    return [message for message in messages if message.kind in kinds]


def _with_points(message: Message, points: int | None) -> Message:
    return message if points is None else replace(message, data={**message.data, "points": points})


def _usable(session: Session, messages: Sequence[Message], now: datetime) -> set[tuple[UUID, str]]:
    owners, redemptions = zip(*((m.member_id, m.data["redemption_id"]) for m in messages), strict=True)
    return set(session.rows(_USABLE_VOUCHERS, (array_of(owners), array_of(redemptions), now), into=tuple_row))
