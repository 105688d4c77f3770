"""What the conditions of rules, rewards, offers and segments may name."""

from typing import Any

from loyalty.rules import queries
from loyalty.rules.examples import RULE_CONTEXT
from loyalty.rules.schemas import RuleContextSchema
from loyalty.web.blueprints import Blueprint

bp = Blueprint("rules", __name__, url_prefix="/v1/admin/rule-context", description="What conditions may name.")


@bp.get("")
@bp.response(200, RuleContextSchema(), example=RULE_CONTEXT)
def get_rule_context() -> dict[str, Any]:
    """The variables that conditions may name in each scope, with functions, bounds and examples to begin from."""
    return queries.rule_context()
