"""Keys of the caller's program."""

from http import HTTPStatus
from uuid import UUID

from flask import g

from loyalty.access import queries, service
from loyalty.access.domain import IssuedKey, Key, NewKey
from loyalty.access.errors import KeyNotFound
from loyalty.access.examples import ISSUED_KEY, KEYS, NEW_KEY, REVOKED_KEY
from loyalty.access.guard import forget_keys
from loyalty.access.schemas import IssuedKeySchema, KeySchema, KeysSchema, NewKeySchema
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent, idempotent_but_for

bp = Blueprint("keys", __name__, url_prefix="/v1/admin/keys", description="API keys of the program.")


@bp.get("")
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, KeysSchema(), example=KEYS)
def list_keys(session: Session, window: Window) -> Page[Key]:
    """The program's keys, newest first."""
    return queries.keys(session, g.caller.program_id, window)


@bp.post("")
@bp.refuses(IdempotencyConflict)
@transactional
@idempotent_but_for("secret")
@bp.arguments(NewKeySchema(), example=NEW_KEY)
@bp.response(HTTPStatus.CREATED, IssuedKeySchema(), example=ISSUED_KEY)
def create_key(session: Session, new: NewKey) -> IssuedKey:
    """Make a key. Its secret is shown this once."""
    return service.create_key(session, g.caller.program_id, new, actor=str(g.caller.key_id), now=clock.now())


@bp.post("/<uuid:key_id>/revoke")
@bp.refuses(KeyNotFound)
@transactional
@idempotent
@bp.response(200, KeySchema(), example=REVOKED_KEY)
def revoke_key(session: Session, key_id: UUID) -> Key:
    """Revoke a key. It is refused everywhere within a second."""
    caller = g.caller
    key = service.revoke_key(session, caller.program_id, key_id, actor=str(caller.key_id), now=clock.now())
    forget_keys()
    return key
