"""What must be known of members to decide about their messages."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session, array_of
from loyalty.notifications.domain import Channel, Preferences, Recipient
from loyalty.notifications.storing import preferences_from
from loyalty.programs.domain import Program

# The week of a cap has begun at most this long ago, wherever the member is.
LATELY = timedelta(days=8)

_RECIPIENTS = """
SELECT m.member_id, m.customer_id, m.status, m.enrolled_at, m.email, m.phone, m.first_name, m.last_name, m.locale,
    m.consents, p.preferences, (
        SELECT json_agg(s.sent_at) FROM messages s
        WHERE s.member_id = m.member_id AND s.channel = %(channel)s AND s.marketing AND s.sent_at > %(since)s
    ) AS marketing_sent_at
FROM members m LEFT JOIN preferences p ON p.member_id = m.member_id WHERE m.member_id = ANY(%(ids)s)
"""


def recipients(
    session: Session, program: Program, channel: Channel, member_ids: Collection[UUID], *, now: datetime
) -> dict[UUID, Recipient]:
    """Members as far as it matters for sending on a channel. One statement."""
    where = {"channel": channel, "since": now - LATELY, "ids": array_of(member_ids)}
    found = {}
    for row in session.rows(_RECIPIENTS, where, into=dict_row):
        stored = row.pop("preferences")
        wants = preferences_from(stored) if stored else Preferences()
        sent = tuple(datetime.fromisoformat(at) for at in row.pop("marketing_sent_at") or ())
        found[row["member_id"]] = Recipient(
            **row, preferences=wants, time_zone=wants.time_zone or program.time_zone, marketing_sent_at=sent
        )
    return found
