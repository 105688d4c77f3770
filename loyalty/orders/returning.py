"""What comes back with returned lines: pure arithmetic on what was awarded and spent, whatever the rules say today.

All shares are functions of how many units came back in all, so any sequence of partial returns ends exactly where the
return of everything does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty.core.apportion import apportion
from loyalty.earning.domain import Awarded
from loyalty.orders.errors import LineUnknown, OverReturn


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """So many units of a line."""

    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReturn:
    """Lines of an order that came back."""

    return_id: str
    lines: tuple[ReturnedLine, ...]
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came back of an order so far.

    `lines`: units by line; `expired`: by entry of an award, how many of its points were found lapsed; `spent`: by lot,
    how many points that were spent on the order went back; of payments, they themselves know.
    """

    lines: Mapping[str, int] = field(default_factory=dict)
    expired: Mapping[str, int] = field(default_factory=dict)
    spent: Mapping[str, int] = field(default_factory=dict)


def with_lines(
    returned: Mapping[str, int], ordered: Sequence[Mapping[str, Any]], lines: Sequence[ReturnedLine]
) -> dict[str, int]:
    """The units that have come back when `lines` have, too. Refuses: LineUnknown, OverReturn."""
    quantities = {line["line_id"]: line["quantity"] for line in ordered}
    after = dict(returned)
    for number, line in enumerate(lines):
        if line.line_id not in quantities:
            raise LineUnknown(line.line_id, pointer=f"/lines/{number}/line_id")
        before = after.get(line.line_id, 0)
        if before + line.quantity > quantities[line.line_id]:
            raise OverReturn(
                line.line_id, ordered=quantities[line.line_id], returned=before, pointer=f"/lines/{number}/quantity"
            )
        after[line.line_id] = before + line.quantity
    return after


def rest_of(returned: Mapping[str, int], ordered: Sequence[Mapping[str, Any]]) -> tuple[ReturnedLine, ...]:
    """All that has not come back yet."""
    left = ((line["line_id"], line["quantity"] - returned.get(line["line_id"], 0)) for line in ordered)
    return tuple(ReturnedLine(line_id, quantity) for line_id, quantity in left if quantity)


def points_of(award: Awarded, ordered: Sequence[Mapping[str, Any]], returned: Mapping[str, int]) -> dict[str, int]:
    """By line, the points of an award that the units returned so far had earned."""
    return {
        line["line_id"]: award.lines.get(line["line_id"], 0) * returned.get(line["line_id"], 0) // line["quantity"]
        for line in ordered
    }


def share_of_spent(spent: int, ordered: Sequence[Mapping[str, Any]], discount: int, returned: Mapping[str, int]) -> int:
    """How many of the points that were spent on an order belong to the units returned so far.

    They are shared by what the units cost. What cost nothing took none, unless nothing cost anything.
    """
    nets = [line["quantity"] * line["unit_price"] - line["discount"] for line in ordered]
    costs: list[int] = [net - share for net, share in zip(nets, apportion(discount, nets), strict=True)]
    units = [line["quantity"] for line in ordered]
    back = [returned.get(line["line_id"], 0) for line in ordered]
    if not sum(costs):
        return spent if back == units else 0
    value = sum(cost * b // u for cost, b, u in zip(costs, back, units, strict=True))
    return int(spent * value // sum(costs))
