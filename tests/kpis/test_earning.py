from loyalty.kpis.reports.earning import REPORT
from loyalty.programs.domain import PaySettings
from tests.kpis.life import Life, a_program, ask

MARCH = {"first": "2026-03-01", "last": "2026-04-01"}
BASE, DOUBLE = [("rule", "base")], [("rule", "double")]


def a_march():
    return (
        Life()
        .bought("2026-03-02", 1, 10_000)
        .earned("2026-03-02", 1, 100, by=BASE)
        .earned("2026-03-02", 1, 100, by=DOUBLE)
        .bought("2026-03-03", 2, 5_000)
        .earned("2026-03-03", 2, 50, by=BASE)
        .counted("points.reverse", -50, "2026-03-09", unit="points", by=DOUBLE)
        .earned("2026-03-03", 2, 7, unit="miles")
    )


def test_what_was_awarded_costs_what_points_are_worth_when_they_pay():
    program = a_program(pay=PaySettings(points=100, amount=250))

    totals = ask(REPORT, a_march(), program=program, **MARCH).totals

    assert (totals["issued"], totals["awards"], totals["reversed"]) == (250, 3, 50)
    assert (totals["earners"], totals["points_per_earner"]) == (2, 125)
    assert totals["cost"] == 500
    assert (totals["revenue"], totals["give_back"]) == (15_000, round(500 / 15_000, 6))


def test_rules_are_listed_by_how_much_they_gave():
    base, double = ask(REPORT, a_march(), **MARCH).sections["rules"]

    assert (base["rule"], base["issued"], base["awards"], base["earners"], base["share"]) == ("base", 150, 2, 2, 0.6)
    assert (double["rule"], double["issued"], double["reversed"], double["cost"]) == ("double", 100, 50, 50)


def test_narrowed_to_a_rule_it_says_nothing_of_revenue():
    totals = ask(REPORT, a_march(), rule="double", **MARCH).totals

    assert (totals["issued"], totals["earners"]) == (100, 1)
    assert (totals["revenue"], totals["give_back"]) == (None, None)


def test_other_units_are_counted_apart_and_have_no_price():
    totals = ask(REPORT, a_march(), unit="miles", **MARCH).totals

    assert (totals["issued"], totals["cost"]) == (7, None)
