"""What a member holds, and the proof of the books."""

from typing import Any

from flask import Response, g

from loyalty.core import clock
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.ledger import balances, queries, verification
from loyalty.ledger.balances import Moment
from loyalty.ledger.errors import TimeUnknown, UnitUnknown
from loyalty.ledger.examples import BALANCE, ENTRIES, LOTS, VERIFICATION
from loyalty.ledger.schemas import BalanceQuerySchema, BalanceSchema, EntriesSchema, LotsSchema, VerificationSchema
from loyalty.ledger.verification import Verification
from loyalty.members.errors import MemberNotFound
from loyalty.members.queries import member_id_of
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.requests import json_answer

bp = Blueprint("ledger", __name__, url_prefix="/v1/members", description="What a member holds.")
proof = Blueprint("verification", __name__, url_prefix="/v1/ledger", description="The proof of the books.")


@bp.get("/<shop_id:customer_id>/balance")
@bp.refuses(MemberNotFound, UnitUnknown, TimeUnknown)
@reads
@bp.arguments(BalanceQuerySchema(), location="query")
@bp.response(200, BalanceSchema(), example=BALANCE)
def get_balance(session: Session, query: dict[str, Any], customer_id: str) -> Response:
    """What a member holds, exactly, and what is about to mature or lapse.

    `as_of` in the past answers as it was; with `known_at`, as it was known then; in the future, as it will be if
    nothing else happens.
    """
    moment = Moment(now=clock.now(), as_of=query.get("as_of"), known_at=query.get("known_at"))
    return json_answer(balances.balance(session, g.caller.program_id, customer_id, query["unit"], moment))


@bp.get("/<shop_id:customer_id>/entries")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, EntriesSchema(), example=ENTRIES)
def list_entries(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """A member's history, newest first."""
    program_id = g.caller.program_id
    member_id = member_id_of(session, program_id, customer_id)
    return queries.entries(session, program_id, member_id, window, now=clock.now())


@bp.get("/<shop_id:customer_id>/lots")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, LotsSchema(), example=LOTS)
def list_lots(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """A member's lots, newest first, spent ones too."""
    program_id = g.caller.program_id
    member_id = member_id_of(session, program_id, customer_id)
    return queries.lots(session, program_id, member_id, window, now=clock.now())


@proof.get("/verification")
@transactional
@proof.response(200, VerificationSchema(), example=VERIFICATION)
def verify_ledger(session: Session) -> Verification:
    """Prove the program's books: accounts, entries, lots and allocations against each other."""
    verification.take_snapshot(session)
    return verification.verify(session, program_id=g.caller.program_id)
