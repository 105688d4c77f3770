"""The report on feedback: what was counted of answers, by period and kind, and by whom and where."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from loyalty.kpis.domain import Answer, Question, Sources
from loyalty.kpis.opinions import nps
from loyalty.kpis.periods import periods
from loyalty.kpis.reports.feedback import NOT_CAUSAL, REPORT, WHO
from loyalty.outcomes.domain import DayTotals, Outcomes, Totals
from loyalty.rollups.deltas import Counted, Deltas
from tests.notifications.told import a_shop

FIRST, LAST = date(2026, 3, 1), date(2026, 5, 1)
NOW = datetime(2026, 5, 2, tzinfo=UTC)


def arm(name: str, members: int, buyers: int, spend: int, spend_2: int) -> DayTotals:
    """What an arm comes to on a day."""
    totals = Totals(members=members, buyers=buyers, spend=spend, spend_2=spend_2)
    return DayTotals("answers:nps", FIRST, name, totals)


def spring() -> Counted:
    """Answers of five members in March and April."""
    deltas = Deltas()
    answers = [
        # member, day, kind, score, tier, touchpoint
        (1, date(2026, 3, 1), "nps", 10, "gold", "delivery"),
        (2, date(2026, 3, 31), "nps", 6, "silver", "delivery"),
        (3, date(2026, 3, 31), "nps", 8, "gold", None),
        (1, date(2026, 4, 1), "nps", 9, "gold", "till"),
        (4, date(2026, 4, 2), "csat", 2, "silver", "till"),
        (5, date(2026, 4, 3), "csat", 4, "silver", "till"),
        (5, date(2026, 5, 1), "csat", 5, "silver", "till"),
        (5, date(2026, 2, 28), "nps", 0, "silver", "till"),
    ]
    for member, day, kind, score, tier, touchpoint in answers:
        by: Any = [("tier", tier), *([("touchpoint", touchpoint)] if touchpoint else [])]
        deltas.add(f"answers.{kind}.{score}", 1, day, by=by)
        deltas.put("answered", member, day, by=by)
    return Counted(deltas, NOW)


def ask(rollups: Counted | None = None, program: Any = None, more: Any = None, **filters: str) -> Answer:
    asked = Question(
        program=program or a_shop(), first=FIRST, last=LAST, granularity="month",
        periods=periods(FIRST, LAST, "month"), filters=filters, now=NOW,
    )  # fmt: skip
    return REPORT.work_out(Sources(rollups or spring(), {"answers": Outcomes()} | (more or {})), asked)


def short(rows: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in rows]


def test_each_period_has_a_row_for_each_kind_that_was_asked():
    assert short(ask().data, "period", "kind", "answers", "nps", "csat", "ces", "low_scores") == [
        ("2026-03", "nps", 3, 0, None, None, 1), ("2026-03", "csat", 0, None, None, None, 0),
        ("2026-04", "nps", 1, 100, None, None, 0), ("2026-04", "csat", 2, None, 0.5, None, 1),
    ]  # fmt: skip


def test_a_row_has_the_interval_and_what_was_good_and_bad():
    (march, *_) = ask().data

    same = nps({10: 1, 8: 1, 6: 1})
    assert {name: march[name] for name in ("low", "high", "good", "bad")} == {
        "low": same.low, "high": same.high, "good": 0.333333, "bad": 0.333333,
    }  # fmt: skip


def test_in_all_every_member_counts_once():
    totals = ask().totals

    assert {name: totals[name] for name in ("answers", "members", "low_scores", "nps", "csat", "ces")} == {
        "answers": 6, "members": 5, "low_scores": 2, "nps": 25, "csat": 0.5, "ces": None,
    }  # fmt: skip
    assert totals["nps_low"] < 25 < totals["nps_high"]
    assert (totals["ces_low"], totals["ces_high"]) == (None, None)


def test_the_distribution_has_every_score():
    found = ask().sections["distribution"]

    assert [(each["kind"], each["score"]) for each in found] == [
        *(("nps", score) for score in range(11)), *(("csat", score) for score in range(1, 6)),
    ]  # fmt: skip
    assert short((each for each in found if each["answers"]), "kind", "score", "answers", "share") == [
        ("nps", 6, 1, 0.25), ("nps", 8, 1, 0.25), ("nps", 9, 1, 0.25), ("nps", 10, 1, 0.25),
        ("csat", 2, 1, 0.5), ("csat", 4, 1, 0.5),
    ]  # fmt: skip


def test_tiers_and_touchpoints_are_compared():
    sections = ask().sections

    assert short(sections["tiers"], "kind", "tier", "answers", "nps", "csat") == [
        ("nps", "gold", 3, 66.666667, None), ("nps", "silver", 1, -100, None), ("csat", "silver", 2, None, 0.5),
    ]  # fmt: skip
    assert short(sections["touchpoints"], "kind", "touchpoint", "answers") == [
        ("nps", "delivery", 2), ("nps", "till", 1), ("csat", "till", 2),
    ]  # fmt: skip
    assert sections["segments"] == []


@pytest.mark.parametrize(("filters", "answers", "members", "of_nps"), [
    ({"tier": "gold"}, 3, 2, 66.666667), ({"touchpoint": "till"}, 3, 3, 100), ({"segment": "new"}, 0, 0, None),
])  # fmt: skip
def test_it_is_narrowed_to_a_tier_segment_or_touchpoint(
    filters: dict[str, str], answers: int, members: int, of_nps: float | None
):
    answer = ask(**filters)

    assert [answer.totals[name] for name in ("answers", "members", "nps")] == [answers, members, of_nps]
    assert list(answer.sections) == ["distribution"]
    assert sum(each["answers"] for each in answer.data) == answers


def test_what_is_low_the_program_says():
    shop = a_shop(feedback={"nps_low": 8, "csat_low": None, "ces_low": 3})

    assert ask(program=shop).totals["low_scores"] == 2


def test_what_members_bought_later_is_told_by_the_class_of_their_answer():
    promoters = [arm("promoter", 2, 2, 300, 50_000), arm("promoter", 2, 1, 100, 10_000)]
    found = Outcomes((*promoters, arm("detractor", 1, 0, 0, 0)))

    answer = ask(more={"answers": found})

    assert short(answer.sections["later"], "kind", "class", "members", "spend_per_member", "bought_nothing") == [
        ("nps", "promoter", 4, 100, 0.25), ("nps", "detractor", 1, 0, 1),
    ]  # fmt: skip
    first, second = answer.sections["later"]
    # 200, 100, 100 and 0: the standard error is 81.65 / 2, t = 3.18.
    assert (first["low"], first["high"]) == pytest.approx((100 - 129.92, 100 + 129.92), abs=0.01)
    assert (second["low"], second["high"]) == (None, None)
    assert answer.warnings == [WHO, NOT_CAUSAL]
    assert "later" not in ask(more={"answers": found}, tier="gold").sections


def test_where_nobody_was_asked_there_is_nothing_to_warn_of():
    answer = ask(Counted(Deltas(), NOW), more={"answers": Outcomes()})

    assert (list(answer.data), list(answer.warnings)) == ([], [])
    assert answer.totals["answers"] == 0
    assert answer.totals["nps"] is None


def test_every_number_is_defined_and_every_row_has_what_is_defined():
    answer = ask(more={"answers": Outcomes((arm("passive", 2, 1, 5, 25),))})

    assert set(answer.totals) == {column.name for column in REPORT.totals}
    assert set(answer.sections) == set(REPORT.sections)
    for name, columns in {"": REPORT.columns, **REPORT.sections}.items():
        names = [column.name for column in columns]
        for each in answer.sections[name] if name else answer.data:
            assert [key for key in each if key not in ("period", "from", "to")] == names, name
