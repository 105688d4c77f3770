"""The program of the caller's key: reading and changing its settings."""

from typing import Any

from flask import g

from loyalty.core import clock
from loyalty.core.errors import PreconditionMissing, Stale
from loyalty.db.session import Session
from loyalty.programs import queries, service
from loyalty.programs.domain import Program
from loyalty.programs.errors import AutoRedeemImpossible
from loyalty.programs.examples import PROGRAM, SETTINGS
from loyalty.programs.schemas import ProgramSchema, ProgramSettingsSchema
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.openapi import VERSIONED

bp = Blueprint("program", __name__, url_prefix="/v1/admin/program", description="A program's settings.")


@bp.get("")
@reads
@bp.response(200, ProgramSchema(), example=PROGRAM, headers=VERSIONED)
def get_program(session: Session) -> tuple[Program, dict[str, str]]:
    """The settings of the program that the key belongs to."""
    program = queries.load(session, g.caller.program_id)
    return program, etag(program.version)


@bp.patch("")
@bp.refuses(PreconditionMissing, Stale, AutoRedeemImpossible)
@transactional
@bp.arguments(ProgramSettingsSchema(), example=SETTINGS)
@bp.response(200, ProgramSchema(), example=PROGRAM, headers=VERSIONED)
def change_program(session: Session, changes: dict[str, Any]) -> tuple[Program, dict[str, str]]:
    """Change settings of the program: what is given is changed, what is absent stays. Needs If-Match."""
    service.touch(session, g.caller.program_id)
    require_version(queries.load(session, g.caller.program_id).version)
    actor = str(g.caller.key_id)
    program = service.change_settings(session, g.caller.program_id, changes, actor=actor, now=clock.now())
    return program, etag(program.version)
