"""The configuration of the caller's program as one document."""

from typing import Any

from flask import Response, g

from loyalty.access.guard import reading_operation
from loyalty.configuration import queries, service
from loyalty.configuration.domain import Comparison
from loyalty.configuration.examples import COMPARISON, CONFIGURATION
from loyalty.configuration.schemas import ComparisonSchema, ConfigurationSchema
from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.earning.errors import RulesInvalid
from loyalty.personalisation.errors import OffersInvalid
from loyalty.programs.errors import AutoRedeemImpossible
from loyalty.rewards.errors import RewardInvalid
from loyalty.templates.errors import LanguageUnknown, TemplateInvalid
from loyalty.tiers.errors import LadderInvalid
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.requests import answer_once, json_answer

bp = Blueprint("config", __name__, url_prefix="/v1/admin/config", description="The configuration as one document.")


@bp.get("")
@reads
@bp.response(200, ConfigurationSchema(), example=CONFIGURATION)
def export_configuration(session: Session) -> Response:
    """The whole configuration, to be kept beside code, compared, and imported here or elsewhere."""
    return json_answer(queries.configuration(session, g.caller.program_id, now=clock.now()))


@bp.post("/diff")
@bp.refuses(LanguageUnknown)
@reading_operation
@reads
@bp.arguments(ConfigurationSchema(), example=CONFIGURATION)
@bp.response(200, ComparisonSchema(), example=COMPARISON)
def compare_configuration(session: Session, wanted: dict[str, Any]) -> Comparison:
    """What importing a document would change. Nothing is written."""
    return queries.comparison(session, g.caller.program_id, wanted, now=clock.now())


@bp.post("/import")
@bp.refuses(
    LadderInvalid, OffersInvalid, RewardInvalid, RulesInvalid, TemplateInvalid, LanguageUnknown, AutoRedeemImpossible
)
@transactional
@idempotent
@bp.arguments(ConfigurationSchema(), example=CONFIGURATION)
@bp.response(200, ComparisonSchema(), example=COMPARISON)
def import_configuration(session: Session, wanted: dict[str, Any]) -> Comparison:
    """Make the program as a document says, all of it or nothing. Importing it again changes nothing."""
    actor = str(g.caller.key_id)
    done = service.import_configuration(session, g.caller.program_id, wanted, actor=actor, now=clock.now())
    answer_once(done.in_force_at)
    return done
