"""What was changed of the caller's program, by whom and when."""

from typing import Any

from flask import g

from loyalty.audit import queries
from loyalty.audit.domain import Record
from loyalty.audit.examples import AUDIT_LOG
from loyalty.audit.schemas import AuditLogSchema, AuditQuerySchema
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint("audit", __name__, url_prefix="/v1/admin/audit", description="Who changed what.")


@bp.get("")
@reads
@bp.arguments(AuditQuerySchema(), location="query")
@bp.response(200, AuditLogSchema(), example=AUDIT_LOG)
def list_changes(session: Session, wanted: dict[str, Any]) -> Page[Record]:
    """Every change of the program's configuration, newest first."""
    return queries.changes(session, g.caller.program_id, **wanted)
