from loyalty.kpis.reports.offers import REPORT, WARNING
from loyalty.outcomes.domain import DayTotals, Outcomes, Totals
from tests.kpis.life import Life, ask, column, on

SPRING = {"first": "2026-03-01", "last": "2026-05-01"}
KNOWN = {
    "outcomes": Outcomes(),
    "offers": {
        "coffee": {"title": "Coffee week", "group": "drinks"}, "tea": {"title": "Tea week", "group": "drinks"},
        "bread": {"title": "Bread", "group": None},
    }
}  # fmt: skip


def a_spring():
    life = Life()
    for offer, assigned, redeemed in [("coffee", (1, 2, 3, 4), (1, 2)), ("tea", (1, 2), (2,)), ("bread", (9,), ())]:
        by = [("offer", offer)]
        life.counted("offers.assigned", len(assigned), "2026-03-02", by=by)
        life.were("offers.assigned", "2026-03-02", *assigned, by=by)
        life.counted("offers.seen", 1, "2026-03-03", by=by)
        life.counted("offers.redeemed", len(redeemed), "2026-04-03", by=by)
        life.were("offers.redeemed", "2026-04-03", *redeemed, by=by)
        life.counted("offer_points", 100 * len(redeemed), "2026-04-03", by=by)
    life.counted("offers.reinstated", 1, "2026-04-10", by=[("offer", "tea")])
    life.counted("offer_points", -100, "2026-04-10", by=[("offer", "tea")])
    return life.counted("offer_amount", 250, "2026-04-03", by=[("offer", "coffee")])


def test_steps_are_counted_when_they_happen_and_members_once():
    answer = ask(REPORT, a_spring(), more=KNOWN, **SPRING)

    assert column(answer, "assigned") == [7, 0]
    assert column(answer, "redeemed") == [0, 2], "an order came back"
    assert (answer.totals["members_assigned"], answer.totals["members_redeemed"]) == (5, 2)
    assert answer.totals["response_rate"] == 0.4
    assert answer.totals["cost"] == 200 + 250
    assert answer.warnings == [WARNING]


def test_each_offer_and_each_group_is_told_by_itself():
    answer = ask(REPORT, a_spring(), more=KNOWN, **SPRING)
    offers = {each["offer"]: each for each in answer.sections["offers"]}
    (drinks,) = answer.sections["groups"]

    assert list(offers) == ["bread", "coffee", "tea"]
    assert (offers["coffee"]["title"], offers["coffee"]["response_rate"]) == ("Coffee week", 0.5)
    assert (offers["tea"]["redeemed"], offers["tea"]["points"]) == (0, 0)
    assert (drinks["offers"], drinks["assigned"], drinks["members_assigned"], drinks["members_redeemed"]) == (
        2,
        6,
        6,
        3,
    )
    assert drinks["response_rate"] == 0.5


def test_narrowed_to_an_offer_it_tells_of_that_one():
    answer = ask(REPORT, a_spring(), more=KNOWN, offer="tea", **SPRING)

    assert (answer.totals["assigned"], answer.totals["redeemed"], answer.totals["points"]) == (2, 0, 0)
    assert [each["offer"] for each in answer.sections["offers"]] == ["tea"]


def test_what_it_cost_is_not_counted_by_tier():
    answer = ask(REPORT, a_spring(), more=KNOWN, tier="gold", **SPRING)

    assert (answer.totals["points"], answer.totals["cost"]) == (None, None)


def test_each_offer_says_what_it_brought_in_where_it_was_held_out_from_somebody():
    def arm(name, spend):
        sums = {"members": 200, "share": 200 * 500_000, "spend": 200 * spend, "spend_2": 200 * (spend**2 + 100)}
        return DayTotals("offer:coffee", on("2026-03-02"), name, Totals(**sums, spend_3=200 * (spend**3 + 300 * spend)))

    known = {**KNOWN, "outcomes": Outcomes((arm("treatment", 1_500), arm("holdout", 1_000)))}
    answer = ask(REPORT, a_spring(), more=known, **SPRING)
    offers = {each["offer"]: each for each in answer.sections["offers"]}

    assert (offers["coffee"]["incremental_revenue"], offers["coffee"]["verdict"]) == (200 * 500, "more")
    assert (offers["tea"]["incremental_revenue"], offers["tea"]["verdict"]) == (None, None)
