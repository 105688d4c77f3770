"""What a program tells its members, on which channels and when: read, and stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row

from loyalty.audit import service as audit
from loyalty.db.session import Session
from loyalty.notifications.domain import Settings
from loyalty.notifications.storing import settings_document, settings_from

_STORED = "SELECT settings, version, updated_at FROM notification_settings WHERE program_id = %s"
_STORE = """
INSERT INTO notification_settings (program_id, settings, version, updated_at) VALUES (%s, %s::jsonb, %s, %s)
ON CONFLICT (program_id)
DO UPDATE SET settings = excluded.settings, version = excluded.version, updated_at = excluded.updated_at
"""


@dataclass(frozen=True, slots=True)
class Arranged:
    """The settings of a program, and their version: 0 where the usual ones were never changed."""

    settings: Settings
    version: int
    updated_at: datetime | None


def arranged(session: Session, program_id: UUID) -> Arranged:
    """The settings of a program, with their version."""
    row = session.row(_STORED, (program_id,), into=dict_row)
    if row is None:
        return Arranged(Settings(), 0, None)
    return Arranged(settings_from(row["settings"]), row["version"], row["updated_at"])


def settings_of(session: Session, program_id: UUID) -> Settings:
    """The settings of a program."""
    return arranged(session, program_id).settings


def change(session: Session, program_id: UUID, settings: Settings, *, actor: str, now: datetime) -> Arranged:
    """Replace the settings of a program. The caller holds it still (`programs.hold_still`)."""
    before = arranged(session, program_id)
    after = Arranged(settings, before.version + 1, now)
    document = settings_document(settings)
    session.run(_STORE, (program_id, orjson.dumps(document).decode(), after.version, now))
    was: dict[str, Any] | None = settings_document(before.settings) if before.version else None
    audit.record(
        session, program_id, actor=actor, action="notification_settings.changed", resource="notification-settings",
        before=was, after=document, now=now,
    )  # fmt: skip
    return after
