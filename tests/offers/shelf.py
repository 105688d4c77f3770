"""Offers as they are published, and given to members, where a test is not about how."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row, scalar_row

from loyalty.core.ids import new_id
from loyalty.db.session import transaction
from loyalty.db.writer import Changes, write
from loyalty.earning.budgets import open_budgets
from loyalty.offers.domain import rule_code
from loyalty.offers.models import AssignmentRow, OfferSetRow
from loyalty.programs import service as programs
from tests.api import Api
from tests.builders import NOW
from tests.shop import A_DAY

_VERSION = "SELECT coalesce(max(version), 0) FROM offer_sets WHERE program_id = %s"
_MEMBER = "SELECT member_id FROM members WHERE program_id = %s AND customer_id = %s"
_ASSIGNMENT = "SELECT * FROM assignments WHERE assignment_id = %s"
_SPENT = "SELECT spent FROM rule_budgets WHERE program_id = %s AND rule_code = %s"


def an_offer(code: str = "spring", **given: Any) -> dict[str, Any]:
    """An offer as it is stored: 100 points for any order, unless said otherwise."""
    return {"code": code, "title": code.title(), "promise": {"kind": "bonus_points", "value": "100"}, **given}


def publish(api: Api, *offers: dict[str, Any], **personalising: Any) -> None:
    """Let these offers, and no others, be in force from now on."""
    program_id = api.program.program_id
    with api.app.app_context(), transaction() as session:
        programs.touch(session, program_id)
        version = session.row(_VERSION, (program_id,), into=scalar_row) + 1
        row = {"program_id": program_id, "version": version, "offers": list(offers), "personalising": personalising}
        changes = Changes()
        changes.insert(OfferSetRow, {**row, "effective_from": None, "published_at": NOW, "published_by": "a test"})
        write(session, changes)
        limited = [offer["code"] for offer in offers if "budget_points" in offer or "budget_amount" in offer]
        open_budgets(session, program_id, [rule_code(code) for code in limited])


def give(
    api: Api, customer_id: str = "c-42", offer: str = "spring", *, value: str = "100", kind: str = "bonus_points",
    activated: datetime | None = NOW, days: float = 28, status: str | None = None,
) -> UUID:  # fmt: skip
    """Give a member an offer of the newest set, activated at once unless said otherwise."""
    program_id, assignment_id = api.program.program_id, new_id()
    with api.app.app_context(), transaction() as session:
        begun = activated or NOW
        changes = Changes()
        changes.insert(
            AssignmentRow,
            {
                "member_id": session.row(_MEMBER, (program_id, customer_id), into=scalar_row),
                "assignment_id": assignment_id, "program_id": program_id, "offer_code": offer,
                "offer_version": session.row(_VERSION, (program_id,), into=scalar_row),
                "status": status or ("activated" if activated else "assigned"),
                "promise": {"kind": kind, "value": value}, "earns": kind in ("bonus_points", "multiplier"),
                "assigned_at": begun, "activated_at": activated, "valid_to": begun + days * A_DAY,
                "closed_at": NOW if status in ("redeemed", "dismissed", "expired") else None,
            },
        )  # fmt: skip
        write(session, changes)
    return assignment_id


def assignment(api: Api, assignment_id: UUID) -> dict[str, Any]:
    """An assignment as it is stored."""
    with api.app.app_context(), transaction() as session:
        found = session.row(_ASSIGNMENT, (assignment_id,), into=dict_row)
    assert found is not None
    return found


def spent(api: Api, code: str = "spring") -> int:
    """What has gone out of the budget of an offer."""
    with api.app.app_context(), transaction() as session:
        found = session.row(_SPENT, (api.program.program_id, rule_code(code)), into=scalar_row)
    assert found is not None
    return int(found)


def facts_of(api: Api, family: str = "offer.") -> list[tuple[str, dict[str, Any]]]:
    """What was told of offers: types and data, in order."""
    query = "SELECT type, data FROM events WHERE program_id = %s AND type LIKE %s ORDER BY xid, seq"
    with api.app.app_context(), transaction() as session:
        rows = session.rows(query, (api.program.program_id, f"{family}%"), into=dict_row)
    return [(row["type"], orjson.loads(orjson.dumps(row["data"]))) for row in rows]
