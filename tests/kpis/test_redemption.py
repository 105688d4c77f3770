from loyalty.kpis.reports.redemption import REPORT
from tests.kpis.life import Life, ask, column

SPRING = {"first": "2026-03-01", "last": "2026-05-01"}


def a_spring():
    mug = [("reward", "mug")]
    return (
        Life()
        .enrolled("2026-01-10", 1, 2, 3, 4)
        .earned("2026-02-10", 1, 600)
        .redeemed("2026-02-20", 3, 100)
        .earned("2026-03-10", 2, 500)
        .counted("points.reverse", -100, "2026-03-20", unit="points")
        .redeemed("2026-03-15", 1, 200, by=mug)
        .redeemed("2026-04-15", 1, 200, by=mug)
        .counted("redemptions_cancelled", 1, "2026-04-16", by=mug)
        .counted("points.return_spent", 200, "2026-04-16", unit="points", by=mug)
        .counted("payments", 150, "2026-04-20")
        .counted("payments_refunded", 50, "2026-04-21")
    )


def test_burn_and_earn_are_of_the_period_and_what_went_back_is_no_redemption():
    answer = ask(REPORT, a_spring(), **SPRING)

    assert column(answer, "issued") == [500, 0]
    assert column(answer, "redeemed") == [200, 0]
    assert column(answer, "burn_earn") == [0.4, None]
    assert answer.totals["redeemed"] == 200
    assert answer.totals["payments"] == 100


def test_the_points_rate_is_of_all_points_ever_issued_less_those_taken_back():
    answer = ask(REPORT, a_spring(), **SPRING)

    assert column(answer, "points_rate") == [0.3, 0.3], "300 of 1,000"


def test_the_member_rate_counts_each_member_once():
    answer = ask(REPORT, a_spring(), **SPRING)

    assert answer.totals["redeemers"] == 1
    assert answer.totals["member_rate"] == 0.25
    assert (answer.totals["ever_redeemed"], answer.totals["ever_redeemed_share"]) == (2, 0.5)


def test_how_long_members_waited_is_of_those_whose_first_redemption_it_was():
    life = a_spring().redeemed("2026-03-20", 3, 50).enrolled("2026-03-01", 90).redeemed("2026-03-09", 90, 10)

    assert ask(REPORT, life, **SPRING).totals["days_to_first_redemption"] == (64 + 8) / 2, "3 had redeemed before"
    assert ask(REPORT, life, tier="gold", **SPRING).totals["days_to_first_redemption"] is None


def test_rewards_are_listed_by_how_often_they_were_redeemed():
    (mug,) = ask(REPORT, a_spring(), **SPRING).sections["rewards"]

    assert mug == {
        "reward": "mug", "redemptions": 2, "redemptions_cancelled": 1, "redeemers": 1, "points": 200, "share": 1.0,
    }  # fmt: skip


def test_points_are_issued_for_no_reward_in_particular():
    answer = ask(REPORT, a_spring(), reward="mug", **SPRING)

    assert answer.totals["redeemed"] == 200
    assert {answer.totals[name] for name in ("issued", "burn_earn", "points_rate", "member_rate")} == {None}
