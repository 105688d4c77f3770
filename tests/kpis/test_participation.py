from loyalty.kpis.reports.participation import REPORT
from tests.kpis.life import Life, ask, column

SPRING = {"first": "2026-03-01", "last": "2026-06-01"}


def a_spring():
    return (
        Life()
        .enrolled("2026-01-10", 1, 2, 3)
        .enrolled("2026-04-02", 4)
        .left("2026-05-31", 3)
        .earned("2026-01-10", 1, 10)
        .earned("2026-03-31", 2, 5, by=[("tier", "gold")])
        .redeemed("2026-05-01", 1, 5)
        .bought("2026-03-31", 2, 500, by=[("tier", "gold"), ("channel", "web")])
        .bought("2026-03-31", 2, 250, by=[("channel", "store")])
        .counted("returned", 100, "2026-04-01")
        .guest_bought("2026-03-15", 250, by=[("channel", "web")])
    )


def test_members_are_who_ever_enrolled_less_who_left():
    answer = ask(REPORT, a_spring(), **SPRING)

    assert column(answer, "enrolled") == [0, 1, 0]
    assert column(answer, "left") == [0, 0, 1]
    assert column(answer, "members") == [3, 4, 3]
    assert (answer.totals["enrolled"], answer.totals["left"], answer.totals["members"]) == (1, 1, 3)


def test_active_is_who_earned_or_redeemed_within_days_that_end_with_the_period():
    answer = ask(REPORT, a_spring(), active_days=31, **SPRING)

    assert column(answer, "active") == [1, 1, 1]
    assert column(answer, "active_in_period") == [1, 0, 1]
    assert column(answer, "active_share") == [round(1 / 3, 6), 0.25, round(1 / 3, 6)]
    assert ask(REPORT, a_spring(), active_days=142, **SPRING).totals["active"] == 2


def test_a_day_begins_at_midnight_and_the_last_one_does_not_count():
    life = Life().enrolled("2026-01-01", 1).earned("2026-02-28", 1, 5).earned("2026-03-01", 1, 5)

    answer = ask(REPORT, life, first="2026-02-28", last="2026-03-01", granularity="day", active_days=1)

    assert column(answer, "active") == [1]
    assert [each["period"] for each in answer.data] == ["2026-02-28"]


def test_shares_compare_members_with_everybody():
    answer = ask(REPORT, a_spring(), **SPRING)

    assert column(answer, "orders") == [2, 0, 0]
    assert column(answer, "revenue") == [750, -100, 0], "what came back counts on the day it did"
    assert answer.totals["member_order_share"] == round(2 / 3, 6)
    assert answer.totals["member_revenue_share"] == round(650 / 900, 6)
    assert column(answer, "member_order_share")[1] is None, "nobody bought anything"


def test_narrowed_to_a_tier_shares_are_of_all_and_nobody_enrols():
    answer = ask(REPORT, a_spring(), tier="gold", **SPRING)

    assert answer.totals["orders"] == 1
    assert answer.totals["member_order_share"] == round(1 / 3, 6)
    assert answer.totals["members"] is None
    assert answer.totals["active_share"] is None
    assert answer.totals["active_in_period"] == 1


def test_narrowed_to_a_channel_guests_are_those_of_the_channel():
    answer = ask(REPORT, a_spring(), channel="store", **SPRING)

    assert (answer.totals["orders"], answer.totals["guest_orders"]) == (1, 0)
    assert answer.totals["member_order_share"] == 1


def test_nothing_happened_is_no_error():
    answer = ask(REPORT, Life(), **SPRING)

    assert answer.totals["members"] == 0
    assert answer.totals["active_share"] is None
