"""Links by which members unsubscribe, without a key and without signing in: signed, and good for ever.

A link names a member, a channel and a kind of message (or a category of kinds), and nothing else can be switched off by
it. Whoever has the message has the link, so it can switch off only, and shows nothing of the member.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from itsdangerous import BadData, Signer
from psycopg.rows import scalar_row, tuple_row

from loyalty.audit import service as audit
from loyalty.core.ids import secret_token
from loyalty.db.session import Session, reading, transaction
from loyalty.members import locks
from loyalty.notifications import preferring
from loyalty.notifications.domain import CHANNELS, Preferences
from loyalty.notifications.errors import LinkUnknown
from loyalty.notifications.storing import TOLD, preferences_document
from loyalty.templates.kinds import KINDS

# Who changes something by a link.
MEMBER: Final = "member"
PURPOSE: Final = "unsubscribe"
CATEGORIES: Final = ("transactional", "marketing")
PATH: Final = "/v1/unsubscribe/"

_KNOWN = "SELECT secret FROM signing_keys WHERE purpose = %s"
_MAKE = """
INSERT INTO signing_keys (purpose, secret, created_at) VALUES (%s, %s, now()) ON CONFLICT (purpose) DO NOTHING
"""
# A member may have been erased, and the one that it was merged into may speak another language: the link was sent to
# the first.
_READER = """
SELECT p.name, coalesce(m.locale, p.locale) FROM members m JOIN programs p ON p.program_id = m.program_id
WHERE m.member_id = %s AND m.program_id = %s
"""

_secrets: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link can switch off: messages `about` a kind, or a category of kinds, to a member on a channel."""

    program_id: UUID
    member_id: UUID
    channel: str
    about: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of messages it is about."""
        return tuple(kind for kind in TOLD if self.about in (kind, KINDS[kind].category))


@dataclass(frozen=True, slots=True)
class Asked:
    """What whoever opens a link is asked, and in which language. `program`: the name of the program."""

    subscription: Subscription
    program: str
    language: str | None


def token_of(subscription: Subscription) -> str:
    """The token of a link; always the same for the same. Needs an application context."""
    ids = subscription.program_id.bytes + subscription.member_id.bytes
    written = base64.urlsafe_b64encode(ids).decode().rstrip("=")
    return _signer().sign(f"{written}.{subscription.channel}.{subscription.about}").decode()


def link(base_url: str, token: str) -> str | None:
    """The address that a message shows: none, where nobody said by which one the service is reached from outside."""
    return f"{base_url.rstrip('/')}{PATH}{token}" if base_url else None


def asked(session: Session, token: str) -> Asked:
    """What a link is about. Refuses: LinkUnknown."""
    subscription = _subscription(token)
    found = session.row(_READER, (subscription.member_id, subscription.program_id), into=tuple_row)
    if found is None:
        raise LinkUnknown
    return Asked(subscription, *found)


def unsubscribe(session: Session, token: str, *, everything: bool, now: datetime) -> Asked:
    """Switch off what a link is about, or `everything` on its channel. Again, it changes nothing.

    Refuses: LinkUnknown.
    """
    told = asked(session, token)
    subscription = told.subscription
    # Of a member who was merged, what counts now is what the other one wants.
    held = locks.lock_by_id(session, subscription.member_id)
    if held is None:
        raise LinkUnknown
    current = preferring.of_member(session, held.member_id)
    wants = without(current.wants, subscription, everything=everything)
    if wants == current.wants:
        return told
    after = preferring.change(session, current, wants, now=now)
    audit.record(
        session, subscription.program_id, actor=MEMBER, action="member.unsubscribed",
        resource=f"members/{held.customer_id}/preferences",
        before=preferences_document(current.wants), after=preferences_document(after.wants), now=now,
    )  # fmt: skip
    return told


def without(wants: Preferences, subscription: Subscription, *, everything: bool) -> Preferences:
    """What a member wants who does not want this any more."""
    channel = subscription.channel
    if everything:
        return replace(wants, channels={**wants.channels, channel: False})
    off = {kind: {**wants.kinds.get(kind, {}), channel: False} for kind in subscription.kinds}
    return replace(wants, kinds={**wants.kinds, **off})


def _subscription(token: str) -> Subscription:
    try:
        written, channel, about = _signer().unsign(token).decode().split(".")
    except (BadData, ValueError):
        raise LinkUnknown from None
    if channel not in CHANNELS or about not in (*TOLD, *CATEGORIES):
        raise LinkUnknown
    ids = base64.urlsafe_b64decode(f"{written}=")
    return Subscription(UUID(bytes=ids[:16]), UUID(bytes=ids[16:]), channel, about)


def _signer() -> Signer:
    return Signer(_secret(), salt=PURPOSE, digest_method=hashlib.sha256)


def _secret() -> str:
    """The secret of this deployment, which is made once, whoever comes first."""
    if PURPOSE not in _secrets:
        with reading() as session:
            found = session.row(_KNOWN, (PURPOSE,), into=scalar_row)
        _secrets[PURPOSE] = found or _made()
    return _secrets[PURPOSE]


def _made() -> str:
    # In a transaction of its own: a link that was sent must be good, even if what sent it is undone.
    with transaction() as session:
        session.run(_MAKE, (PURPOSE, secret_token()))
        secret = session.row(_KNOWN, (PURPOSE,), into=scalar_row)
    assert isinstance(secret, str), "it was made, by this transaction or by another"
    return secret
