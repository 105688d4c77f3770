"""Ladders in force, and what a member reads of them."""

from datetime import datetime
from typing import Any

import orjson

from loyalty.db.session import transaction
from loyalty.programs import service as programs
from tests.api import Api
from tests.builders import NOW

_LADDER = "INSERT INTO ladders VALUES (%s, %s, %s::jsonb, %s, %s, %s, 'me')"

POLISH = {"name": "Srebrny", "description": "Dla tych, którzy wracają.", "perks": ["Darmowa dostawa"]}
TIERS = (
    {"code": "bronze", "name": "Bronze", "threshold": 0, "translations": {"pl": {"name": "Brązowy"}}},
    {
        "code": "silver", "name": "Silver", "threshold": 10_000, "description": "For those who come back.",
        "color": "#c0c0c0", "translations": {"pl": POLISH, "pt-BR": {"name": "Prata"}},
        "benefits": {"multiplier": "1.5", "perks": ["Free delivery"], "early_access_hours": 24},
    },
    {"code": "gold", "name": "Gold", "threshold": 25_000, "translations": {"pl": {"name": "Złoty"}}},
)  # fmt: skip


def publish(
    api: Api, version: int = 1, *, effective_from: datetime | None = None, moving: str = "now", **given: Any
) -> None:
    """Let a ladder be in force: by a year's spending, kept until the end of the next, unless said otherwise."""
    defaults = {
        "basis": "spend", "window": {"mode": "calendar_year"}, "validity": {"mode": "end_of_next_period"},
        "downgrade": "full", "grace": {"days": 0}, "tiers": list(TIERS),
    }  # fmt: skip
    stored = orjson.dumps({**defaults, **given}).decode()
    with api.app.app_context(), transaction() as session:
        programs.touch(session, api.program.program_id)
        session.run(_LADDER, (api.program.program_id, version, stored, moving, effective_from, NOW))


def tier_of(api: Api, customer_id: str = "c-42", **query: str) -> dict[str, Any]:
    """What is said of the tier of a member."""
    answer = api.get(f"/v1/members/{customer_id}/tier", query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.json
