"""Activities as frozen values, and the receipt of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.earning.domain import Activity, Award
from loyalty.earning.presenting import points_of, shown

# What the engine itself sees, and nobody else tells it.
RESERVED = frozenset({"birthday", "referral", "referred"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivity(Activity):
    """An activity as a shop reports it, or as the engine saw it."""

    activity_id: str
    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedActivity:
    """An activity as it is read: as reported, and what it earned."""

    activity_id: str
    customer_id: str
    type: str
    status: str
    occurred_at: datetime
    recorded_at: datetime
    cancelled_at: datetime | None
    properties: dict[str, Any]
    points: dict[str, int]
    awards: list[dict[str, Any]]
    judged: dict[str, Any]


def receipt(
    activity: NewActivity, awards: Sequence[Award], balance: dict[str, int], *, now: datetime
) -> dict[str, Any]:
    """What the shop is told: what was awarded and by which rule, and what the member now holds."""
    return {
        "activity_id": activity.activity_id,
        "customer_id": activity.customer_id,
        "type": activity.type,
        "status": "recorded",
        "points": points_of(awards, now=now),
        "awards": [shown(award) for award in awards],
        "balance": balance,
        "tier": None,
    }


def of_its_type(refused: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the rules that gave nothing, those that are for such an activity at all."""
    return [each for each in refused if each["condition"] != "activity"]
