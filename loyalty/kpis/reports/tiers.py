"""Tiers: how members are spread over them, and who moved from where to where."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date

from loyalty.kpis.counts import Counts, running, whole, within
from loyalty.kpis.domain import Answer, Column, Period, Question, Report, Row, Sources, ratio, row

# What separates the tiers of a move; no code contains it.
TO = ">"

COLUMNS = (
    Column("tier", "text", "The code of the tier."),
    Column("members", "count",
        "Members who had it at the end of the period, as was recorded by then. Who never bought anything is in the "
        "lowest tier of the ladder in force now."),
    Column("share", "share", "Of all members at the end of the period."),
    Column("reached", "count", "How often somebody got it in the period, from below or from above."),
    Column("lost", "count", "How often somebody who had it got another in the period."),
)  # fmt: skip
TOTALS = (
    Column("members", "count", "Members at the end: all who ever enrolled, less who left."),
    Column("moves", "count", "Changes of tier in the time; that of a first purchase into the lowest tier is none."),
    Column("up", "count", "Moves to a higher tier of the ladder in force now."),
    Column("down", "count", "Moves to a lower one."),
)
MOVES = (
    Column("from_tier", "text", "The tier before."),
    Column("to_tier", "text", "The tier after."),
    Column("moves", "count", "How often somebody moved so."),
    Column(
        "share", "share", "Of the members who had the tier before when the time began, and of those who got it since."
    ),
)

Move = tuple[str, str]
Days = Mapping[date, int]


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    rollups, ladder = sources.rollups, list(sources.more["tiers"])
    lowest = ladder[0] if ladder else ""
    found = rollups.keyed(("moves",), dimension="move", first=None, last=asked.last)
    moves = {_move(key, lowest): days for (_, key), days in found.items()}
    left = rollups.keyed(("left",), dimension="tier", first=None, last=asked.last)
    flows = _flows(moves, {key: days for (_, key), days in left.items()})
    begun = {tier: sum(amount for day, amount in days.items() if day < asked.first) for tier, days in flows.items()}
    held = {tier: running(days, begun[tier], asked.periods) for tier, days in flows.items()}
    tiers = [*ladder, *sorted(held.keys() - set(ladder) - {""})]
    every = Counts(rollups, asked)
    came, gone = every.running("enrolled"), every.running("left")
    rows = []
    for each in asked.periods:
        members = came[each.last] - gone[each.last]
        there = {tier: held[tier][each.last] if tier in held else 0 for tier in tiers}
        rows += [
            row(each, **numbers)
            for numbers in _spread(_with_lowest(there, lowest, members), _changes(moves, each), members)
        ]
    changed = _changes(moves, whole(asked))
    begun = _with_lowest(begun, lowest, every.before("enrolled") - every.before("left"))
    totals = {"members": came[asked.last] - gone[asked.last], **_directions(changed, tiers)}
    return Answer(totals, rows, {"moves": _matrix(changed, tiers, begun)})


def _move(key: str, lowest: str) -> Move:
    was, _, now_is = key.partition(TO)
    return was or lowest, now_is


def _changes(moves: Mapping[Move, Days], period: Period) -> dict[Move, int]:
    """How often members moved within a period; into the lowest tier from none is no move."""
    return {move: within(days, period) for move, days in moves.items() if move[0] != move[1]}


def _flows(moves: Mapping[Move, Days], left: Mapping[str, Days]) -> dict[str, Counter[date]]:
    """By how many the members of each tier grew on each day."""
    flows: dict[str, Counter[date]] = defaultdict(Counter)
    for (was, now_is), days in moves.items():
        for day, amount in days.items():
            flows[now_is][day] += amount
            flows[was][day] -= amount
    for tier, days in left.items():
        for day, amount in days.items():
            flows[tier][day] -= amount
    return flows


def _with_lowest(there: Mapping[str, int], lowest: str, members: int) -> dict[str, int]:
    """Of so many members, who is in no tier that was told is in the lowest."""
    others = sum(number for tier, number in there.items() if tier not in (lowest, ""))
    return {**there, lowest: members - others} if lowest else dict(there)


def _spread(there: Mapping[str, int], changed: Mapping[Move, int], members: int) -> list[Row]:
    """A row for each tier, of which there are so many members at the end of a period."""
    return [
        {
            "tier": tier,
            "members": number,
            "share": ratio(number, members),
            "reached": sum(amount for (_, now_is), amount in changed.items() if now_is == tier),
            "lost": sum(amount for (was, _), amount in changed.items() if was == tier),
        }
        for tier, number in there.items()
    ]


def _directions(counted: Mapping[Move, int], tiers: list[str]) -> Row:
    ups = sum(amount for (was, now_is), amount in counted.items() if tiers.index(was) < tiers.index(now_is))
    return {"moves": sum(counted.values()), "up": ups, "down": sum(counted.values()) - ups}


def _matrix(counted: Mapping[Move, int], tiers: list[str], begun: Mapping[str, int]) -> list[Row]:
    """How often members moved from each tier to each other."""
    got: Counter[str] = Counter()
    for (_, now_is), amount in counted.items():
        got[now_is] += amount
    ordered = sorted(counted.items(), key=lambda each: (tiers.index(each[0][0]), tiers.index(each[0][1])))
    return [
        {
            "from_tier": was,
            "to_tier": now_is,
            "moves": amount,
            "share": ratio(amount, begun.get(was, 0) + got[was]),
        }
        for (was, now_is), amount in ordered
        if amount
    ]


REPORT = Report(
    name="tiers",
    title="Tiers",
    summary="How members are spread over the tiers, and who moved from where to where.",
    columns=COLUMNS,
    totals=TOTALS,
    sections={"moves": MOVES},
    plot=("members",),
    needs=("tiers",),
    work_out=work_out,
)
