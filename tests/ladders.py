"""Ladders as they stand after they were published, and what is recorded of members on them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from flask import Flask
from psycopg.rows import dict_row

from loyalty.db.session import Session, transaction
from loyalty.programs import queries
from loyalty.programs import service as programs
from tests.api import Api
from tests.builders import NOW

_LADDER = "INSERT INTO ladders VALUES (%s, %s, %s::jsonb, %s, %s, %s, 'me')"
_MOVE = "INSERT INTO ladder_moves VALUES (%s, %s, %s, '00000000-0000-0000-0000-000000000000', 0, NULL, 0, 0)"


def a_tier(code: str, threshold: int, multiplier: str = "1", **benefits: Any) -> dict[str, Any]:
    """One step; the threshold is in minor units where spend counts."""
    given = {"multiplier": multiplier, **benefits}
    return {"code": code, "name": code.title(), "threshold": threshold, "benefits": given}


# From 100.00 and from 200.00.
TIERS = (a_tier("bronze", 0), a_tier("silver", 10_000, "1.5"), a_tier("gold", 20_000, "2"))


def a_ladder(**given: Any) -> dict[str, Any]:
    """A ladder as it is stored: by spend in the last year, kept for a year, unless said otherwise."""
    defaults = {
        "basis": "spend", "window": {"mode": "rolling", "months": 12}, "validity": {"mode": "months", "months": 12},
        "downgrade": "full", "grace": {"days": 0}, "tiers": list(TIERS),
    }  # fmt: skip
    return {**defaults, **given}


def publish(
    api: Api, version: int = 1, *, effective_from: datetime | None = None, moving: str = "now", **given: Any
) -> None:
    """Let a ladder be in force, from the beginning of time unless said otherwise."""
    with api.app.app_context(), transaction() as session:
        publish_in(session, api.program.program_id, version, effective_from=effective_from, moving=moving, **given)
    # Publishing leads by more than the second for which a configuration is remembered.
    queries._remembered.pop(api.program.program_id, None)


def publish_in(
    session: Session, program_id: Any, version: int = 1, *, effective_from: datetime | None = None,
    moving: str = "now", **given: Any,
) -> None:  # fmt: skip
    """The same in a unit of work."""
    programs.touch(session, program_id)
    stored = orjson.dumps(a_ladder(**given)).decode()
    session.run(_LADDER, (program_id, version, stored, moving, effective_from, NOW))
    session.run(_MOVE, (program_id, version, effective_from or NOW))


def recorded(api: Api, table: str, customer_id: str = "c-42", order: str = "1") -> list[dict[str, Any]]:
    """What is recorded of a member in a table of tiers."""
    wanted = f"""
        SELECT t.* FROM {table} t JOIN members m USING (member_id)
        WHERE m.program_id = %s AND m.customer_id = %s ORDER BY {order}
    """
    with api.app.app_context(), transaction() as session:
        return session.rows(wanted, (api.program.program_id, customer_id), into=dict_row)


def standing(api: Api, customer_id: str = "c-42") -> dict[str, Any]:
    """Where a member stands, as it is recorded."""
    (row,) = recorded(api, "tier_standings", customer_id)
    return row


def evaluations(api: Api, customer_id: str = "c-42") -> list[dict[str, Any]]:
    """What was seen when a member's tier was judged, oldest first."""
    return recorded(api, "tier_evaluations", customer_id, "evaluation_id")


def tier(api: Api, customer_id: str = "c-42") -> str | None:
    """The tier that a member is told to have."""
    found = api.get(f"/v1/members/{customer_id}").json["tier"]
    return found and found["code"]


def pin(api: Api, code: str, until: str | None = None, customer_id: str = "c-42", **given: Any) -> Any:
    """Pin a tier."""
    wish = {"tier": code, "until": until, "reason": "goodwill", **given}
    return api.post(f"/v1/members/{customer_id}/tier/pin", wish)


def unpin(api: Api, customer_id: str = "c-42") -> Any:
    """End a pin."""
    return api.post(f"/v1/members/{customer_id}/tier/unpin", {"reason": "a mistake"})


def bring(api: Api, *members: tuple[str, str, str, str | None]) -> list[dict[str, Any]]:
    """Import tiers: customer, tier, since, valid until."""
    names = ("customer_id", "tier", "since", "valid_until")
    sent = {"members": [dict(zip(names, member, strict=True)) for member in members]}
    answer = api.post("/v1/admin/ladder/members", sent)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def until_done(app: Flask, batch: Callable[[Session], int], *, most: int = 2_000) -> list[int]:
    """Run a batch in transactions of its own until it finds nothing; answers how much each of them did."""
    found = []
    with app.app_context():
        for _ in range(most):
            with transaction() as session:
                done = batch(session)
            if not done:
                return found
            found.append(done)
    raise AssertionError(f"it does not end: {found}")
