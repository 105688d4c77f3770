"""Cohorts: of the members who came in a period, how many are there in each period after it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from loyalty.core import calendar
from loyalty.kpis.counts import days_of
from loyalty.kpis.domain import Answer, Column, Option, Period, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.folding import Folds
from loyalty.kpis.periods import is_whole
from loyalty.kpis.waiting import Waits, by_number, numbers_of

# So many periods are looked at after the one in which a cohort came.
AGES_MAX = 60
OF = ("buyers", "active", "redeemers")
# By what members come, and the set they come into.
_CAME = {"enrolled": "enrolled", "first_purchase": "buyers"}
BY = tuple(_CAME)
# To look at so many members one by one takes as long as to lay one set over another.
_AS_MUCH_WORK = 3_000

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
    folds.load(tuple({_CAME[by], of}), map(days_of, question.periods))
    cohorts = list(_cohorts(folds, question, by))
    there = [folds.members(of, *days_of(period)) for period in question.periods]
    waited = Waits(folds, question.first if by == "enrolled" else None, question.last)
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


def _cohorts(folds: Folds, question: Question, by: str) -> Iterator[_Cohort]:
    """Who came in each period: enrolled, or bought what nobody had seen them buy before."""
    known = folds.before("buyers", question.first) if by == "first_purchase" else BitMap()
    for place, period in enumerate(question.periods):
        came = folds.members(_CAME[by], *days_of(period))
        yield _Cohort(period, place, came - known)
        known |= came


def _cells(cohorts: Sequence[_Cohort], there: Sequence[BitMap]) -> Iterator[Row]:
    active_in = _active(cohorts, there)
    for cohort in cohorts:
        size, period = len(cohort.members), cohort.period
        for age, counts in enumerate(active_in[cohort.place : cohort.place + AGES_MAX + 1] if size else ()):
            active = counts[cohort.place]
            yield row(period, age=age, size=size, active=active, share=ratio(active, size))


def _active(cohorts: Sequence[_Cohort], there: Sequence[BitMap]) -> list[Mapping[int, int] | list[int]]:
    """How many of each cohort are there in each period, as far as it is looked at; in the way that is less work."""
    cohort_of = by_number(((each.members, each.place) for each in cohorts), none=len(cohorts), kind=np.uint16)
    found: list[Mapping[int, int] | list[int]] = []
    for place, members in enumerate(there):
        looked_at = cohorts[max(0, place - AGES_MAX) : place + 1]
        if len(members) < _AS_MUCH_WORK * len(looked_at):
            places = cohort_of.take(numbers_of(members), mode="clip")
            found.append(np.bincount(places, minlength=len(cohorts)).tolist())
        else:
            found.append({each.place: each.members.intersection_cardinality(members) for each in looked_at})
    return found


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


def _warnings(sources: Sources, question: Question, cohorts: Sequence[_Cohort]) -> Iterator[str]:
    yield YOUNG
    if len(cohorts) > AGES_MAX + 1:
        yield AGES_CUT
    if question.periods:
        last = question.periods[-1]
        if not is_whole(last, question.granularity) or sources.rollups.as_of < calendar.midnight(
            last.last, question.program.time_zone
        ):
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
