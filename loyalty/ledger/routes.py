"""What a member holds, and the proof of the books."""

from typing import Any

from flask import Response, g

from loyalty.core import clock
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.ledger import queries, verification
from loyalty.ledger.domain import Lot
from loyalty.ledger.errors import UnitUnknown
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
@bp.refuses(MemberNotFound, UnitUnknown)
@reads
@bp.arguments(BalanceQuerySchema(), location="query")
@bp.response(200, BalanceSchema(), example=BALANCE)
def get_balance(session: Session, query: dict[str, str], customer_id: str) -> Response:
    """What a member holds now, exactly, and what is about to mature or lapse."""
    balance = queries.balance(session, g.caller.program_id, customer_id, query["unit"], now=clock.now())
    return json_answer(balance)


@bp.get("/<shop_id:customer_id>/entries")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, EntriesSchema(), example=ENTRIES)
def list_entries(session: Session, window: Window, customer_id: str) -> Page[dict[str, Any]]:
    """A member's history, newest first."""
    return queries.entries(session, member_id_of(session, g.caller.program_id, customer_id), window)


@bp.get("/<shop_id:customer_id>/lots")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, LotsSchema(), example=LOTS)
def list_lots(session: Session, window: Window, customer_id: str) -> Page[Lot]:
    """A member's lots, newest first, spent ones too."""
    return queries.lots(session, member_id_of(session, g.caller.program_id, customer_id), window)


@proof.get("/verification")
@transactional
@proof.response(200, VerificationSchema(), example=VERIFICATION)
def verify_ledger(session: Session) -> Verification:
    """Prove the program's books: accounts, entries, lots and allocations against each other."""
    verification.take_snapshot(session)
    return verification.verify(session, program_id=g.caller.program_id)
