"""What members want to be told: read, stored, and what it comes to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson
from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.members import locks
from loyalty.members import queries as members
from loyalty.members.domain import Member
from loyalty.members.errors import MemberClosed
from loyalty.notifications import arranging
from loyalty.notifications.deciding import decide
from loyalty.notifications.domain import CHANNELS, Channel, Message, Preferences, Recipient, Settings, Suppress
from loyalty.notifications.storing import TOLD, preferences_document, preferences_from
from loyalty.programs import queries as programs
from loyalty.templates.kinds import KINDS

_STORED = "SELECT preferences, version FROM preferences WHERE member_id = %s"
_STORE = """
INSERT INTO preferences (member_id, preferences, version, updated_at) VALUES (%s, %s::jsonb, %s, %s)
ON CONFLICT (member_id)
DO UPDATE SET preferences = excluded.preferences, version = excluded.version, updated_at = excluded.updated_at
"""

ON = "on"


@dataclass(frozen=True, slots=True)
class Preferred:
    """What a member wants, and its version: 0 where they never said anything."""

    member_id: UUID
    wants: Preferences
    version: int


@dataclass(frozen=True, slots=True)
class Effective:
    """What comes of it for one kind: by channel "on", or the reason for which nothing would be sent."""

    kind: str
    category: str
    channels: dict[Channel, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a member wants, and what that comes to with what the program, the law and the profile say."""

    preferred: Preferred
    effective: list[Effective]


def of_member(session: Session, member_id: UUID) -> Preferred:
    """What a member wants, by the internal id."""
    row = session.row(_STORED, (member_id,), into=tuple_row)
    if row is None:
        return Preferred(member_id, Preferences(), 0)
    return Preferred(member_id, preferences_from(row[0]), row[1])


def shown(session: Session, program_id: UUID, customer_id: str, *, now: datetime) -> Shown:
    """What a member wants, and what it comes to. Refuses: MemberNotFound."""
    member = members.member(session, program_id, customer_id)
    preferred = of_member(session, member.member_id)
    settings = arranging.settings_of(session, program_id)
    zone = preferred.wants.time_zone or programs.current(session, program_id).time_zone
    return Shown(preferred, list(effective(recipient_of(member, preferred.wants, zone), settings, now=now)))


def locked(session: Session, program_id: UUID, customer_id: str) -> Preferred:
    """What a member wants, whom nobody else can change meanwhile. Refuses: MemberNotFound, MemberClosed."""
    held = locks.lock_member(session, program_id, customer_id)
    if held.status == "closed":
        raise MemberClosed(customer_id, merged_into=held.merged_into)
    return of_member(session, held.member_id)


def change(session: Session, current: Preferred, wants: Preferences, *, now: datetime) -> Preferred:
    """Replace what a member wants, whom the caller has locked."""
    after = Preferred(current.member_id, wants, current.version + 1)
    document = orjson.dumps(preferences_document(wants)).decode()
    session.run(_STORE, (after.member_id, document, after.version, now))
    return after


def inherit(session: Session, program_id: UUID, member_id: UUID, merged: str, *, now: datetime) -> None:
    """Let a member refuse what was refused by one that was merged into it, unless it says otherwise itself."""
    held = locks.lock_by_id(session, member_id)
    theirs = of_member(session, members.member_id_of(session, program_id, merged)).wants
    if held is None or theirs == Preferences():
        return
    current = of_member(session, held.member_id)
    wants = with_refusals(current.wants, theirs)
    if wants != current.wants:
        change(session, current, wants, now=now)


def with_refusals(wants: Preferences, theirs: Preferences) -> Preferences:
    """What somebody wants, and what another one has refused besides. Pure."""
    kinds = {
        kind: {**_refused(theirs.kinds.get(kind, {})), **wants.kinds.get(kind, {})}
        for kind in {*wants.kinds, *theirs.kinds}
    }
    channels = {**_refused(theirs.channels), **wants.channels}
    return replace(wants, channels=channels, kinds={kind: switches for kind, switches in kinds.items() if switches})


def _refused(switches: Mapping[str, bool]) -> dict[str, bool]:
    return {name: on for name, on in switches.items() if not on}


def effective(recipient: Recipient, settings: Settings, *, now: datetime) -> Iterator[Effective]:
    """What would be decided now of a message of each kind on each channel, whatever was sent before."""
    for kind in TOLD:
        channels = {channel: _decided(kind, channel, recipient, settings, now) for channel in CHANNELS}
        yield Effective(kind, KINDS[kind].category, channels)


def _decided(kind: str, channel: Channel, recipient: Recipient, settings: Settings, now: datetime) -> str:
    message = Message(
        member_id=recipient.member_id, message_id=recipient.member_id, kind=kind, channel=channel, key="", data={},
        occurred_at=now, created_at=now, due_at=now, outdated_at=None, attempts=0, seq=0,
    )  # fmt: skip
    (decision,) = decide([message], recipient, settings, now=now)
    return decision.reason if isinstance(decision, Suppress) else ON


def recipient_of(member: Member, wants: Preferences, zone: str) -> Recipient:
    """A member as far as it matters for sending; what was sent lately is not known."""
    return Recipient(
        member_id=member.member_id, customer_id=member.customer_id, status=member.status,
        enrolled_at=member.enrolled_at, email=member.email, phone=member.phone, first_name=member.first_name,
        last_name=member.last_name, locale=member.locale, consents=member.consents, preferences=wants, time_zone=zone,
    )  # fmt: skip
