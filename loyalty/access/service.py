"""Making and revoking keys."""

import hashlib
from datetime import datetime
from uuid import UUID

from loyalty.access.domain import IssuedKey, Key, NewKey
from loyalty.access.errors import KeyNotFound
from loyalty.access.models import KeyRow
from loyalty.core.ids import new_id, secret_token
from loyalty.db.session import Session

# Enough of the secret to recognise a key in a list, too little to guess the rest.
PREFIX_LENGTH = 11


def hash_of(secret: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode()).digest()


def create_key(session: Session, program_id: UUID, new: NewKey, *, now: datetime) -> IssuedKey:
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
    return IssuedKey(_key(row), secret)


def revoke_key(session: Session, program_id: UUID, key_id: UUID, *, now: datetime) -> Key:
    """Revoke a key; revoking it again changes nothing. Refuses: KeyNotFound."""
    row = session.orm.get(KeyRow, key_id)
    if row is None or row.program_id != program_id:
        raise KeyNotFound
    row.revoked_at = row.revoked_at or now
    session.orm.flush()
    return _key(row)


def _key(row: KeyRow) -> Key:
    return Key(row.key_id, row.prefix, row.name, list(row.scopes), row.created_at, row.expires_at, row.revoked_at)
