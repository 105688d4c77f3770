"""Who waits for a reward that is redeemed by itself."""

from flask import g

from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.rewards import auto_queries, examples
from loyalty.rewards.auto_queries import Wait
from loyalty.rewards.auto_schemas import AutoRedeemWaitsSchema
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads

bp = Blueprint(
    "automatic-redemption",
    __name__,
    url_prefix="/v1/admin/automatic-redemption",
    description="Rewards that are redeemed by themselves.",
)


@bp.get("/waits")
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, AutoRedeemWaitsSchema(), example=examples.AUTO_REDEEM_WAITS)
def list_automatic_redemption_waits(session: Session, window: Window) -> Page[Wait]:
    """Members who have points enough for the reward but cannot have it now: why, and when that is tried again."""
    return auto_queries.waits(session, g.caller.program_id, window)
