"""The liability: the illustrations of IFRS 15, bridges that close, journals that balance, nothing that is left over."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.kpis.deferring import value_of_a_point
from loyalty.kpis.domain import Answer, Row
from loyalty.kpis.reports.liability import _BRIDGE, REPORT
from loyalty.ledger.models import KINDS
from tests.kpis.flows import Shop, a_program, ask, by_hand, on

CREDITS = ("issued", "reinstated", "adjusted", "transferred_in")
DEBITS = ("redeemed", "expired", "reversed", "transferred_out", "debt_paid")


def illustrated() -> tuple[Shop, dict[str, Any]]:
    """IFRS 15, example 52: 10,000 points worth 1 each with goods for 100,000; 95 % are expected, later 97 %."""
    shop = Shop()
    shop.sold(100_000, month=0)
    shop.points("earn", 10_000, cohort=0, month=0)
    shop.points("redeem", -4_500, cohort=0, month=7)
    shop.points("redeem", -4_000, cohort=0, month=20)
    return shop, {"liability": by_hand((0, "0.95"), (12, "0.97"))}


def test_the_illustration_of_ifrs_15():
    shop, program = illustrated()

    first, second = ask(REPORT, shop, a_program(**program), first=0, last=24, granularity="year").data

    # 100,000 is 91,324 for the goods and 8,676 for the points.
    assert (first["money_deferred"], 100_000 - first["money_deferred"]) == (8_676, 91_324)
    assert (first["money_redeemed"], first["money_unredeemed"], first["money_closing"]) == (4_110, 0, 4_566)
    assert second["money_redeemed"] + second["money_unredeemed"] == 3_493
    assert second["money_unredeemed"] < 0
    assert second["money_closing"] == 8_676 - 4_110 - 3_493


def test_the_same_is_said_of_months_and_of_days():
    shop, program = illustrated()

    for granularity, last in (("month", 24), ("day", 24), ("quarter", 24)):
        said = ask(REPORT, shop, a_program(**program), first=0, last=last, granularity=granularity)
        assert said.totals["money_closing"] == 1_073
        assert said.totals["money_redeemed"] + said.totals["money_unredeemed"] == 4_110 + 3_493


def test_the_journal_of_the_illustration():
    shop, program = illustrated()

    lines = ask(REPORT, shop, a_program(**program), first=0, last=12, granularity="year").sections["journal"]

    owed = "contract liability: loyalty points"
    assert [(line["text"], line["account"], line["debit"], line["credit"]) for line in lines] == [
        ("Points issued", "revenue", 8_676, 0),
        ("Points issued", owed, 0, 8_676),
        ("Points redeemed", owed, 4_110, 0),
        ("Points redeemed", "revenue", 0, 4_110),
    ]


def test_points_that_lapse_become_revenue():
    shop, program = illustrated()
    shop.points("expire", -1_500, cohort=0, month=25)

    said = ask(REPORT, shop, a_program(**program), first=24, last=27, granularity="year").totals

    assert (said["opening"], said["expired"], said["closing"]) == (1_500, 1_500, 0)
    assert (said["money_opening"], said["money_unredeemed"], said["money_closing"]) == (1_073, 1_073, 0)


def test_points_that_are_taken_back_take_what_was_deferred_with_them():
    shop = Shop()
    shop.sold(100_000, month=0)
    shop.points("earn", 10_000, cohort=0, month=0)
    shop.points("reverse", -2_500, cohort=0, month=1)

    said = ask(REPORT, shop, a_program(), first=1, last=2).totals

    assert (said["reversed"], said["closing"]) == (2_500, 7_500)
    # Without history all points are expected: a tenth of 110,000, of which a quarter goes.
    assert (said["money_opening"], said["money_reversed"], said["money_closing"]) == (9_091, 2_273, 6_818)


def test_points_without_sales_defer_nothing():
    shop = Shop()
    shop.points("adjust", 5_000, cohort=0, month=0)

    said = ask(REPORT, shop, a_program(), first=0, last=1)

    assert (said.totals["adjusted"], said.totals["closing"], said.totals["money_closing"]) == (5_000, 5_000, 0)
    assert said.sections["journal"] == []


def test_points_are_worth_what_the_program_says_or_what_they_pay():
    assert value_of_a_point(a_program(pay={"points": 100, "amount": 80})) * 10 == 8
    assert value_of_a_point(a_program(liability={"value_per_point": "0.008"})) * 10 == 8
    assert value_of_a_point(a_program(currency="JPY", liability={"value_per_point": "0.8"})) * 10 == 8


def test_other_units_are_counted_but_not_valued():
    shop = Shop()
    shop.sold(100_000, month=0)
    shop.points("earn", 700, cohort=0, month=0, unit="miles")

    said = ask(REPORT, shop, a_program(), first=0, last=1, unit="miles")

    assert (said.totals["closing"], said.totals["money_closing"]) == (700, None)
    assert any("miles" in warning for warning in said.warnings)


def test_what_is_outstanding_by_age():
    shop = Shop()
    for cohort, left in ((0, 10), (13, 20), (20, 30), (24, 40), (25, 50), (26, 60)):
        shop.sold(1_000, month=cohort)
        shop.points("earn", left, cohort=cohort, month=cohort)

    said = ask(REPORT, shop, a_program(), first=26, last=27)

    assert [(row["age"], row["outstanding"]) for row in said.sections["ageing"]] == [
        ("0 to 2", 150), ("3 to 5", 0), ("6 to 11", 30), ("12 to 23", 20), ("24 or more", 10)
    ]  # fmt: skip
    assert sum(row["money"] for row in said.sections["ageing"]) == said.totals["money_closing"]


def test_the_estimate_says_what_it_is():
    shop, program = illustrated()

    by_hand_ = ask(REPORT, shop, a_program(**program), first=0, last=12).sections["estimate"][0]
    unknown = ask(REPORT, shop, a_program(), first=0, last=3)

    assert (by_hand_["method"], by_hand_["redemption_rate"], by_hand_["reason"]) == ("set_by_hand", 0.95, "Agreed")
    assert by_hand_["redemption_rate_low"] is None
    assert unknown.sections["estimate"][0]["method"] == "not_enough_history"
    assert "not enough history" in unknown.warnings[0]


def test_debt_is_shown_beside_what_is_held():
    shop = Shop()
    shop.points("earn", 100, cohort=0, month=0)
    shop.points("debt_paid", -30, cohort=0, month=1)
    shop.deltas.add("debt.debt", 50, on(0), unit="points", by=[])
    shop.deltas.add("debt.debt_paid", -30, on(1), unit="points", by=[])

    first, second = ask(REPORT, shop, a_program(), first=0, last=2).data

    assert (first["debt_incurred"], first["debt_closing"], first["closing"]) == (50, 50, 100)
    assert (second["debt_opening"], second["debt_paid"], second["debt_closing"], second["closing"]) == (50, 30, 20, 70)


@pytest.mark.parametrize(
    ("held", "owed", "reconciled", "difference"), [(100, 5, True, 0), (99, 5, False, -1), (100, 4, False, 0)]
)
def test_a_difference_from_the_ledger_is_not_hidden(held: int, owed: int, reconciled: bool, difference: int):
    shop = Shop()
    shop.points("earn", 100, cohort=0, month=0)
    shop.deltas.add("debt.debt", 5, on(0), unit="points", by=[])

    said = ask(REPORT, shop, a_program(), first=0, last=1, more={"ledger": {"outstanding": held, "debt": owed}})

    assert (said.totals["reconciled"], said.totals["difference"]) == (reconciled, difference)
    assert any("not what accounts hold" in warning for warning in said.warnings) is not reconciled


def test_what_was_not_asked_for_is_neither_proved_nor_refuted():
    shop, _ = illustrated()

    said = ask(REPORT, shop, a_program(), first=0, last=1)

    assert (said.totals["reconciled"], said.totals["difference"]) == (None, None)


def test_every_kind_of_entry_that_changes_what_is_held_is_in_the_bridge():
    told = {kind for _, kinds in _BRIDGE.values() for kind in kinds}

    # These move points between the buckets of an account, or say what is owed.
    assert set(KINDS) - told == {"mature", "hold", "release", "debt"}


def test_a_program_without_points_owes_nothing():
    said = ask(REPORT, Shop(), a_program(), first=0, last=12)

    assert (said.totals["closing"], said.totals["money_closing"], said.totals["redemption_rate"]) == (0, 0, None)
    assert said.sections["journal"] == []


# One thing that happens: which month's points, how many months later, what, and how many thousandths of what there is.
happenings = st.lists(
    st.tuples(
        st.integers(0, 11),
        st.integers(0, 8),
        st.sampled_from(["redeem", "expire", "reverse", "return_spent", "reinstate", "debt_paid", "adjust"]),
        st.integers(1, 1_000),
    ),
    max_size=40,
)
months_of_sales = st.lists(st.integers(-1_000_000, 100_000_000), min_size=12, max_size=12)
months_of_points = st.lists(st.integers(0, 5_000_000), min_size=12, max_size=12)
rates = st.none() | st.sampled_from(["0.1", "0.5", "0.95", "1"])


def happened(earned: Sequence[int], sales: Sequence[int], story: list[tuple[int, int, str, int]], *, end: bool) -> Shop:
    """A shop where all that happened is possible; at the `end`, what is left is redeemed in the months 20 and 21."""
    shop = Shop()
    left, used, lapsed = list(earned), [0] * 12, [0] * 12
    for month in range(12):
        shop.sold(sales[month], month=month)
        shop.points("earn", earned[month], cohort=month, month=month, day=1)
    for cohort, age, kind, thousandths in sorted(story, key=lambda each: each[0] + each[1]):
        pot = {"return_spent": used, "reinstate": lapsed}.get(kind, left)
        points = pot[cohort] * thousandths // 1_000
        if kind in ("return_spent", "reinstate"):
            pot[cohort] -= points
            left[cohort] += points
        else:
            left[cohort] -= points
            used[cohort] += points * (kind == "redeem")
            lapsed[cohort] += points * (kind == "expire")
        sign = 1 if kind in ("return_spent", "reinstate") else -1
        shop.points(kind, sign * points, cohort=cohort, month=cohort + age, day=20)
    for cohort in range(12):
        if end and left[cohort]:
            shop.points("redeem", -left[cohort], cohort=cohort, month=20 + cohort % 2)
    return shop


def closes(row: Row) -> None:
    """The bridges of a row close, in points and in money, and no money is missing."""
    assert row["opening"] + sum(row[n] for n in CREDITS) - sum(row[n] for n in DEBITS) == row["closing"]
    moved = sum(row[f"money_{name}"] for name in ("reversed", "redeemed", "unredeemed"))
    assert row["money_opening"] + row["money_deferred"] - moved == row["money_closing"]
    assert min(row["money_opening"], row["money_closing"], row["closing"], row["expected"]) >= 0


def follows(answer: Answer) -> None:
    """Each row closes, the next one opens with it, and together they are the totals."""
    for row in (*answer.data, answer.totals):
        closes(row)
    for name in ("", "money_"):
        closings = [row[f"{name}closing"] for row in answer.data]
        assert [row[f"{name}opening"] for row in answer.data] == [answer.totals[f"{name}opening"], *closings[:-1]]
        assert closings[-1] == answer.totals[f"{name}closing"]


@settings(deadline=None, max_examples=150)
@given(months_of_points, months_of_sales, happenings, rates, st.sampled_from(["month", "quarter", "year"]))
def test_whatever_happens_bridges_close_and_journals_balance(
    earned: list[int], sales: list[int], story: list[tuple[int, int, str, int]], rate: str | None, granularity: str
):
    shop = happened(earned, sales, story, end=True)
    program = a_program(liability=by_hand((3, rate)) if rate else {})

    said = ask(REPORT, shop, program, first=0, last=24, granularity=granularity)  # type: ignore[arg-type]

    follows(said)
    for day in {line["day"] for line in said.sections["journal"]}:
        lines = [line for line in said.sections["journal"] if line["day"] == day]
        assert sum(line["debit"] for line in lines) == sum(line["credit"] for line in lines)
    # All is redeemed or gone: what was deferred was recognised, or was taken back.
    assert (said.totals["closing"], said.totals["money_closing"]) == (0, 0)
    assert said.totals["money_deferred"] == sum(
        said.totals[f"money_{name}"] for name in ("reversed", "redeemed", "unredeemed")
    )
    assert 0 <= said.totals["money_deferred"] <= sum(max(0, month) for month in sales)


@settings(deadline=None, max_examples=40)
@given(months_of_points, months_of_sales, happenings)
def test_a_year_begins_where_the_one_before_it_ended(
    earned: list[int], sales: list[int], story: list[tuple[int, int, str, int]]
):
    shop = happened(earned, sales, story, end=False)

    early = ask(REPORT, shop, a_program(), first=0, last=12).totals
    late = ask(REPORT, shop, a_program(), first=12, last=24)

    follows(late)
    assert [early[name] for name in ("closing", "money_closing")] == [
        late.totals[name] for name in ("opening", "money_opening")
    ]


def test_days_are_those_of_the_question():
    shop = Shop()
    shop.sold(1_000, month=0, day=1)
    shop.points("earn", 100, cohort=0, month=0, day=1)
    shop.points("redeem", -10, cohort=0, month=0, day=2)

    said = ask(REPORT, shop, a_program(), first=0, last=1, granularity="day")

    assert [(row["from"], row["issued"], row["redeemed"], row["closing"]) for row in said.data[:3]] == [
        (date(2020, 1, 1), 100, 0, 100),
        (date(2020, 1, 2), 0, 10, 90),
        (date(2020, 1, 3), 0, 0, 90),
    ]
