"""Making, changing and ending webhooks."""

import base64
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.audit import service as audit
from loyalty.core.findings import meant
from loyalty.core.ids import new_id
from loyalty.core.outgoing import Networks, refusal_of
from loyalty.db.session import Session, array_of
from loyalty.events.following import HORIZON
from loyalty.programs import service as programs
from loyalty.webhooks import delivering, queries
from loyalty.webhooks.delivering import Endpoint
from loyalty.webhooks.domain import Issued, NewWebhook, Webhook
from loyalty.webhooks.errors import TooManyWebhooks, TypesUnknown, UrlRefused, WebhookNotFound

# Each of them is looked at every two seconds.
WEBHOOKS_MOST = 50
SECRET_BYTES = 32

_COUNT = "SELECT count(*) FROM webhooks WHERE program_id = %s"
# A new one begins at the present: with the first fact whose transaction may still be under way.
_CREATE = f"""
INSERT INTO webhooks (webhook_id, program_id, url, types, description, version, created_at, xid, seq)
VALUES (%s, %s, %s, %s::text[], %s, 1, %s, {HORIZON}, -1)
"""
_CHANGE = """
UPDATE webhooks SET url = %s, types = %s::text[], description = %s, version = version + 1, failures = 0,
    failing_since = NULL, next_try_at = NULL
WHERE webhook_id = %s
"""
_DELETE = "DELETE FROM webhooks WHERE webhook_id = %s"
_SIGN_WITH = "INSERT INTO webhook_secrets (secret_id, webhook_id, created_at, secret) VALUES (%s, %s, %s, %s)"
# The one that signed so far may do so for a while; one that was about to end, ends.
_END_SECRETS = "DELETE FROM webhook_secrets WHERE webhook_id = %s AND (expires_at IS NOT NULL OR %s)"
_KEEP_SECRET = "UPDATE webhook_secrets SET expires_at = %s WHERE webhook_id = %s"  # noqa: S105
_RESUME = """
UPDATE webhooks SET paused_at = NULL, paused_reason = NULL, failures = 0, failing_since = NULL, next_try_at = NULL
WHERE webhook_id = %s AND paused_at IS NOT NULL
"""
_AT_ONCE = """
UPDATE webhook_deliveries SET due_at = %(now)s, attempts = 0, failing_since = NULL
WHERE webhook_id = %(webhook_id)s AND due_at IS NOT NULL
"""


def create(
    session: Session, program_id: UUID, new: NewWebhook, *, networks: Networks, actor: str, now: datetime
) -> Issued:
    """Make a webhook. It is told what happens from now on. Refuses: UrlRefused, TooManyWebhooks."""
    _require_fit(new.url, networks)
    programs.hold_still(session, program_id)
    if (session.row(_COUNT, (program_id,), into=scalar_row) or 0) >= WEBHOOKS_MOST:
        raise TooManyWebhooks(f"A program has at most {WEBHOOKS_MOST} webhooks.", most=WEBHOOKS_MOST)
    webhook_id = new_id()
    session.run(_CREATE, (webhook_id, program_id, new.url, array_of(new.types), new.description, now))
    secret = _sign_with_another(session, webhook_id, now)
    made = queries.webhook(session, program_id, webhook_id, now=now)
    _audit(session, program_id, "created", actor, before=None, after=made, now=now)
    return Issued(made, secret)


def change(
    session: Session, program_id: UUID, before: Webhook, changes: dict[str, Any], *, networks: Networks, actor: str,
    now: datetime,
) -> Webhook:  # fmt: skip
    """Change what is given. What waits is sent to the new URL, at once; new types hold for facts not yet given.

    Refuses: WebhookNotFound, UrlRefused.
    """
    _require_fit(changes.get("url", before.url), networks)
    wanted = {"url": before.url, "types": before.types, "description": before.description, **changes}
    session.run(_CHANGE, (wanted["url"], array_of(wanted["types"]), wanted["description"], before.webhook_id))
    if wanted["url"] != before.url:
        session.run(_AT_ONCE, {"webhook_id": before.webhook_id, "now": now})
    after = queries.webhook(session, program_id, before.webhook_id, now=now)
    _audit(session, program_id, "changed", actor, before=before, after=after, now=now)
    return after


def delete(session: Session, program_id: UUID, webhook_id: UUID, *, actor: str, now: datetime) -> Webhook:
    """End a webhook. What waits is not sent any more. Refuses: WebhookNotFound."""
    before = locked(session, program_id, webhook_id, now=now)[1]
    session.run(_DELETE, (webhook_id,))
    _audit(session, program_id, "deleted", actor, before=before, after=None, now=now)
    return before


def rotate(
    session: Session, program_id: UUID, webhook_id: UUID, *, keep_previous: timedelta, actor: str, now: datetime
) -> Issued:
    """Sign with another secret, and for a while with the one so far, too. Refuses: WebhookNotFound."""
    before = locked(session, program_id, webhook_id, now=now)[1]
    session.run(_END_SECRETS, (webhook_id, not keep_previous))
    session.run(_KEEP_SECRET, (now + keep_previous, webhook_id))
    secret = _sign_with_another(session, webhook_id, now)
    after = queries.webhook(session, program_id, webhook_id, now=now)
    _audit(session, program_id, "secret_rotated", actor, before=before, after=after, now=now)
    return Issued(after, secret)


def pause(session: Session, program_id: UUID, webhook_id: UUID, *, actor: str, now: datetime) -> Webhook:
    """Tell a webhook nothing until it is resumed; nothing is lost meanwhile. Refuses: WebhookNotFound."""
    found, before = locked(session, program_id, webhook_id, now=now)
    if not delivering.pause(session, found, "asked", now=now):
        return before
    after = queries.webhook(session, program_id, webhook_id, now=now)
    _audit(session, program_id, "paused", actor, before=before, after=after, now=now)
    return after


def resume(session: Session, program_id: UUID, webhook_id: UUID, *, actor: str, now: datetime) -> Webhook:
    """Go on where a webhook was paused: what failed begins again with its attempts. Refuses: WebhookNotFound."""
    found, before = locked(session, program_id, webhook_id, now=now)
    if not session.run(_RESUME, (webhook_id,)):
        return before
    session.run(_AT_ONCE, {"webhook_id": webhook_id, "now": now})
    delivering.tell(session, found, "webhook.resumed", {}, now=now)
    after = queries.webhook(session, program_id, webhook_id, now=now)
    _audit(session, program_id, "resumed", actor, before=before, after=after, now=now)
    return after


def locked(session: Session, program_id: UUID, webhook_id: UUID, *, now: datetime) -> tuple[Endpoint, Webhook]:
    """A webhook that nobody else changes meanwhile, as delivered to and as shown. Refuses: WebhookNotFound."""
    queries.require(session, program_id, webhook_id)
    found = delivering.lock(session, webhook_id, now=now)
    if found is None:
        raise WebhookNotFound
    return found, queries.webhook(session, program_id, webhook_id, now=now)


def endpoint(session: Session, program_id: UUID, webhook_id: UUID, *, now: datetime) -> Endpoint:
    """A webhook as it is delivered to. Refuses: WebhookNotFound."""
    queries.require(session, program_id, webhook_id)
    found = delivering.endpoint(session, webhook_id, now=now)
    if found is None:
        raise WebhookNotFound
    return found


def require_known(types: Sequence[str], known: Collection[str]) -> None:
    """Refuse types that no fact has, and families (`points.*`) that no type belongs to. Refuses: TypesUnknown."""
    families = {f"{name.partition('.')[0]}.*" for name in known}
    errors = [
        {"pointer": f"/types/{place}", "detail": f"No fact has the type '{name}'.{meant(name, {*known, *families})}"}
        for place, name in enumerate(types)
        if name not in known and name not in families
    ]
    if errors:
        raise TypesUnknown("; ".join(f"{each['pointer']}: {each['detail']}" for each in errors), errors=errors)


def _require_fit(url: str, networks: Networks) -> None:
    refused = refusal_of(url, networks)
    if refused is not None:
        raise UrlRefused(f"/url: {refused}", errors=[{"pointer": "/url", "detail": refused}])


def _sign_with_another(session: Session, webhook_id: UUID, now: datetime) -> str:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    session.run(_SIGN_WITH, (new_id(), webhook_id, now, secret))
    return secret


def _audit(
    session: Session, program_id: UUID, done: str, actor: str, *, before: Webhook | None, after: Webhook | None,
    now: datetime,
) -> None:  # fmt: skip
    webhook = after or before
    assert webhook is not None
    audit.record(
        session, program_id, actor=actor, action=f"webhook.{done}", resource=f"webhooks/{webhook.webhook_id}",
        before=_documented(before), after=_documented(after), now=now,
    )  # fmt: skip


def _documented(webhook: Webhook | None) -> dict[str, Any] | None:
    if webhook is None:
        return None
    names = ("url", "types", "description", "version", "status", "paused_reason", "sequence")
    secrets_of = [{"created_at": s.created_at, "expires_at": s.expires_at} for s in webhook.secrets]
    return {name: getattr(webhook, name) for name in names} | {"secrets": secrets_of}
