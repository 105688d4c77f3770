"""Unsubscribing by a link. No key: the link is signed, and all that it opens is to be left alone."""

from flask import Response

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.notifications import unsubscribe_page, unsubscribing
from loyalty.notifications.errors import LinkUnknown
from loyalty.notifications.unsubscribe_schemas import UnsubscribeSchema
from loyalty.web.blueprints import Blueprint, reads, transactional

bp = Blueprint("unsubscribe", __name__, url_prefix="/v1/unsubscribe", description="Links in messages. No key.")

_PAGE = {"type": "string"}


@bp.get("/<token>")
@bp.refuses(LinkUnknown)
@reads
@bp.response(200, _PAGE, content_type="text/html")
def show_unsubscribe(session: Session, token: str) -> Response:
    """What a link of a message can switch off, as a page with two buttons. Looking at it changes nothing."""
    page = unsubscribe_page.question(unsubscribing.asked(session, token))
    return Response(page, mimetype="text/html", headers=dict(unsubscribe_page.HEADERS))


@bp.post("/<token>")
@bp.refuses(LinkUnknown)
@transactional
@bp.arguments(UnsubscribeSchema(), location="form", example={"List-Unsubscribe": "One-Click"})
@bp.response(200, _PAGE, content_type="text/html")
def unsubscribe(session: Session, everything: bool, token: str) -> Response:
    """Switch off what a link is about: by a button of the page, or with one click in a mailer (RFC 8058)."""
    asked = unsubscribing.unsubscribe(session, token, everything=everything, now=clock.now())
    page = unsubscribe_page.done(asked, everything=everything)
    return Response(page, mimetype="text/html", headers=dict(unsubscribe_page.HEADERS))
