"""Making and revoking keys."""

import hashlib
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from loyalty.access.domain import IssuedKey, Key, NewKey
from loyalty.access.errors import KeyNotFound
from loyalty.access.models import KeyRow
from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core.ids import new_id, secret_token
from loyalty.db.session import Session

# Enough of the secret to recognise a key in a list, too little to guess the rest.
PREFIX_LENGTH = 11


def hash_of(secret: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode()).digest()


def create_key(
    session: Session, program_id: UUID, new: NewKey, *, actor: str = COMMAND_LINE, now: datetime
) -> IssuedKey:
    """Make a key. Its secret is in the answer and nowhere else."""
    secret = f"loy_{secret_token()}"
    row = KeyRow(
        key_id=new_id(),
        program_id=program_id,
        prefix=secret[:PREFIX_LENGTH],
        secret_hash=hash_of(secret),
        name=new.name,
        scopes=sorted(set(new.scopes)),
        created_at=now,
        expires_at=new.expires_at,
    )
    session.orm.add(row)
    session.orm.flush()
    key = _key(row)
    audit.record(
        session,
        program_id,
        actor=actor,
        action="key.created",
        resource=f"keys/{row.key_id}",
        after=asdict(key),
        now=now,
    )
    return IssuedKey(key, secret)


def revoke_key(session: Session, program_id: UUID, key_id: UUID, *, actor: str = COMMAND_LINE, now: datetime) -> Key:
    """Revoke a key; revoking it again changes nothing. Refuses: KeyNotFound."""
    row = session.orm.get(KeyRow, key_id)
    if row is None or row.program_id != program_id:
        raise KeyNotFound
    before = _key(row)
    if before.revoked_at is not None:
        return before
    row.revoked_at = now
    session.orm.flush()
    key = _key(row)
    audit.record(
        session, program_id, actor=actor, action="key.revoked", resource=f"keys/{key_id}", before=asdict(before),
        after=asdict(key), now=now,
    )  # fmt: skip
    return key


def _key(row: KeyRow) -> Key:
    return Key(row.key_id, row.prefix, row.name, list(row.scopes), row.created_at, row.expires_at, row.revoked_at)
