"""What a template would say to a member: of what they were last told of that kind, as it is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from loyalty.db.session import Session
from loyalty.members import queries as members
from loyalty.notifications import arranging, presenting
from loyalty.notifications.domain import Message, Preferences
from loyalty.notifications.preferring import recipient_of
from loyalty.programs import queries as programs
from loyalty.templates import service as templates
from loyalty.templates.queries import known_kind

_LATEST = """
SELECT member_id, message_id, kind, channel, key, data, occurred_at, created_at, due_at, outdated_at, attempts, seq
FROM messages WHERE member_id = %s AND kind = %s ORDER BY seq DESC LIMIT 1
"""


def preview(
    session: Session, program_id: UUID, kind: str, language: str, *, customer_id: str | None, now: datetime,
    **changed: str | None,
) -> dict[str, Any]:  # fmt: skip
    """What comes of a template, or of another that is not published: for a member, or for somebody made up.

    A member who was never told anything of the kind is told something made up.
    Refuses: MessageKindNotFound, LanguageUnknown, TemplateInvalid, MemberNotFound.
    """
    if customer_id is None:
        made_up = templates.preview(session, program_id, kind, language, facts=lambda _tag: {}, changed=changed)
        return {**made_up, "sample": True, "message_id": None}
    program = programs.current(session, program_id)
    member = members.member(session, program_id, customer_id)
    who = recipient_of(member, Preferences(), program.time_zone)
    of = known_kind(kind)
    message = session.row(_LATEST, (who.member_id, of.code), into=class_row(Message)) if of.code != "digest" else None
    told = [message] if message else []
    settings = arranging.settings_of(session, program_id)
    before = presenting.background(session, program, settings, told, {who.member_id: who}, now=now)

    def facts(tag: str) -> Mapping[str, Any]:
        known = presenting.everywhere(session, who, before, tag, unsubscribe_url=None, with_balance=True)
        del known["unsubscribe_url"]
        return known if message is None else {**known, **presenting.values(session, message, who, before, tag)}

    made = templates.preview(session, program_id, kind, language, facts=facts, changed=changed)
    return {**made, "sample": False, "message_id": message and message.message_id}
