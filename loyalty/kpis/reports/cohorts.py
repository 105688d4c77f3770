"""Cohorts: of the members who came in a period, how many are there in each period after it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from loyalty.core import calendar
from loyalty.kpis.domain import Answer, Column, Option, Period, Question, Report, Row, Sources, ratio
from loyalty.kpis.folding import Days, Folds
from loyalty.kpis.periods import beginning, following

# So many periods are looked at after the one in which a cohort came.
AGES_MAX = 60
OF = ("buyers", "active", "redeemers")
BY = ("enrolled", "first_purchase")
_NEVER = -1

AGES_CUT = f"Cohorts are followed for {AGES_MAX} periods after their own."
NOT_OVER = "The last period is not over yet, so less has happened in it: {}."
YOUNG = (
    "Days to the first redemption are those of the members who have redeemed: a young cohort has had time for quick "
    "redemptions only. Compare `half_redeemed_after`, which counts everybody."
)

_AGES = (
    Column("size", "count", "Members of the cohort: those who enrolled, or bought for the first time, in its period."),
    Column(
        "active", "count", "Of these, members who bought (or earned or redeemed, or redeemed, by `of`) at that age."
    ),
    Column("share", "share", "Active members divided by the size."),
)
_CELLS = (Column("age", "count", "How many periods after its own the cohort is looked at; 0 is its own."), *_AGES)
_REDEEMING = (
    Column("redeemed", "count", "Members who redeemed a reward before the end of the days asked for."),
    Column("redeemed_share", "share", "These members divided by the size."),
    Column("mean_days", "days", "Mean days from enrolment to the first redemption, of those who redeemed."),
    Column("median_days", "days", "Median days from enrolment to the first redemption, of those who redeemed."),
    Column("half_redeemed_after", "days", "Days after which half of the cohort had redeemed; null if fewer have."),
)
_COHORT = (Column("cohort", "text", "The period in which its members came."), _AGES[0], *_REDEEMING)
_TOTALS = (Column("cohorts", "count", "Cohorts with members."), _AGES[0], *_REDEEMING)


@dataclass(frozen=True, slots=True)
class _Cohort:
    period: Period
    place: int
    members: BitMap


def work_out(sources: Sources, question: Question) -> Answer:
    """Work out the report."""
    folds = Folds(sources.rollups)
    of, by = question.options.get("of") or OF[0], question.options.get("by") or BY[0]
    folds.load("buyers" if by == "first_purchase" else "enrolled", _days(question.periods))
    folds.load(of, _days(question.periods))
    cohorts = list(_cohorts(folds, question, by))
    there = [folds.members(of, *days) for days in _days(question.periods)]
    waited = _Waits(folds, question.first if by == "enrolled" else None, question.last)
    everybody = BitMap().union(*(each.members for each in cohorts))
    cells = list(_cells(cohorts, there))
    return Answer(
        totals={"cohorts": sum(1 for each in cohorts if each.members), **waited.row(everybody)},
        data=cells,
        sections={
            "cohorts": [{"cohort": each.period.label, **waited.row(each.members)} for each in cohorts],
            "ages": _by_age(cells),
        },
        warnings=list(_warnings(sources, question, cohorts)),
    )


def _days(periods: Sequence[Period]) -> list[Days]:
    return [(period.first, period.last) for period in periods]


def _cohorts(folds: Folds, question: Question, by: str) -> Iterator[_Cohort]:
    """Who came in each period: enrolled, or bought what nobody had seen them buy before."""
    known = folds.before("buyers", question.first) if by == "first_purchase" else BitMap()
    for place, period in enumerate(question.periods):
        came = folds.members("buyers" if by == "first_purchase" else "enrolled", period.first, period.last)
        yield _Cohort(period, place, came - known)
        known |= came


def _cells(cohorts: Sequence[_Cohort], there: Sequence[BitMap]) -> Iterator[Row]:
    for cohort in cohorts:
        size, period = len(cohort.members), cohort.period
        for age, members in enumerate(there[cohort.place : cohort.place + AGES_MAX + 1] if size else ()):
            active = cohort.members.intersection_cardinality(members)
            yield {
                "period": period.label, "from": period.first, "to": period.last, "age": age, "size": size,
                "active": active, "share": ratio(active, size),
            }  # fmt: skip


def _by_age(cells: Sequence[Row]) -> list[Row]:
    """All cohorts together at each age, those that have come to it."""
    sums: dict[int, list[int]] = {}
    for cell in cells:
        of_age = sums.setdefault(cell["age"], [0, 0])
        of_age[0] += cell["size"]
        of_age[1] += cell["active"]
    return [
        {"age": age, "size": size, "active": active, "share": ratio(active, size)}
        for age, (size, active) in sorted(sums.items())
    ]


class _Waits:
    """How long members waited from enrolment to their first redemption, by their numbers."""

    def __init__(self, folds: Folds, first: date | None, last: date) -> None:
        # Who enrolled from a day on has redeemed nothing before it.
        self._began, self._redeemed = (
            _first_days(folds.by_day(name, first, last)) for name in ("enrolled", "redeemers")
        )

    def row(self, members: BitMap) -> Row:
        """What is said of some members."""
        numbers = np.frombuffer(members.to_array(), np.uint32) if members else np.zeros(0, np.uint32)
        began, redeemed = _at(self._began, numbers), _at(self._redeemed, numbers)
        known = redeemed != _NEVER
        # A merged member may have redeemed before the one enrolled who stayed.
        waits = np.sort(np.maximum(redeemed - began, 0)[known & (began != _NEVER)])
        size, count = len(numbers), int(known.sum())
        half = (size + 1) // 2
        return {
            "size": size,
            "redeemed": count,
            "redeemed_share": ratio(count, size),
            "mean_days": round(float(waits.mean()), 6) if len(waits) else None,
            "median_days": float(np.median(waits)) if len(waits) else None,
            "half_redeemed_after": float(waits[half - 1]) if 0 < half <= len(waits) else None,
        }


def _first_days(by_day: Mapping[date, BitMap]) -> npt.NDArray[np.int32]:
    """The first day on which each member is in a set, by number."""
    count = 1 + max((members.max() for members in by_day.values() if members), default=_NEVER)
    days = np.full(count, _NEVER, np.int32)
    # From the last day to the first, which so has the last word.
    for day in sorted(by_day, reverse=True):
        if by_day[day]:
            days[np.frombuffer(by_day[day].to_array(), np.uint32)] = day.toordinal()
    return days


def _at(days: npt.NDArray[np.int32], numbers: npt.NDArray[np.uint32]) -> npt.NDArray[np.int32]:
    """The days of some members; those with higher numbers than anybody have none."""
    found = np.full(len(numbers), _NEVER, np.int32)
    inside = numbers < len(days)
    found[inside] = days[numbers[inside]]
    return found


def _warnings(sources: Sources, question: Question, cohorts: Sequence[_Cohort]) -> Iterator[str]:
    yield YOUNG
    if len(cohorts) > AGES_MAX + 1:
        yield AGES_CUT
    if question.periods:
        last = question.periods[-1]
        ends = following(beginning(last.first, question.granularity), question.granularity)
        if last.last < ends or sources.rollups.as_of < calendar.midnight(ends, question.program.time_zone):
            yield NOT_OVER.format(last.label)


REPORT = Report(
    name="cohorts",
    title="Cohorts",
    summary="Members by the period in which they came, and how many of them are there in each period after it. "
    "`by`: they came when they enrolled, or when they first bought; `of`: being there is buying, being active (earning "
    "or redeeming) or redeeming. Members who left since count in their cohort.",
    options=(
        Option("by", BY[0], "By what members came.", words=BY),
        Option("of", OF[0], "What being there is.", words=OF),
    ),
    columns=_CELLS,
    totals=_TOTALS,
    sections={"cohorts": _COHORT, "ages": (_CELLS[0], *_AGES)},
    plot=("share",),
    work_out=work_out,
)
