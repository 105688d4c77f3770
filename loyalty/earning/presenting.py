"""What was earned, as callers see it. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from loyalty.earning.domain import Award
from loyalty.programs.domain import POINTS


def shown(award: Award) -> dict[str, Any]:
    """An award."""
    return {
        "rule": {"code": award.rule_code, "version": award.rule_version},
        "unit": award.unit,
        "points": award.points,
        "matures_at": award.dates.matures_at,
        "expires_at": award.dates.expires_at,
        "lines": [{"line_id": line_id, "points": points} for line_id, points in award.lines],
        "reason": award.reason,
        **({"cut": asdict(award.cut)} if award.cut else {}),
    }


def points_of(awards: Sequence[Award], *, now: datetime) -> dict[str, int]:
    """Awards in the unit points, counted: `pending` of them wait, `available` of them can be spent.

    What is told late may bring points that have lapsed already, and these are neither.
    """
    in_points = [award for award in awards if award.unit == POINTS]
    awarded = sum(award.points for award in in_points)
    pending = sum(award.points for award in in_points if award.dates.waits(now))
    lapsed = sum(award.points for award in in_points if award.dates.lapsed(now))
    return {"awarded": awarded, "pending": pending, "available": awarded - pending - lapsed}
