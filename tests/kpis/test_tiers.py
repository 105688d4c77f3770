from loyalty.kpis.reports.tiers import REPORT
from tests.kpis.life import Life, ask

SPRING = {"first": "2026-03-01", "last": "2026-05-01"}
LADDER = {"tiers": ["bronze", "silver", "gold"]}


def a_spring():
    life = Life().enrolled("2026-01-10", *range(10))
    for day, move in [
        ("2026-02-01", ">bronze"), ("2026-02-01", ">silver"), ("2026-02-02", ">silver"), ("2026-03-05", "silver>gold"),
        ("2026-03-06", ">bronze"), ("2026-04-07", "gold>silver"), ("2026-04-08", "bronze>gold"),
    ]:  # fmt: skip
        life.counted("moves", 1, day, by=[("move", move)])
    return life.left("2026-04-20", 3, tier="silver")


def spread(answer, period):
    return {each["tier"]: each["members"] for each in answer.data if each["period"] == period}


def test_who_was_told_no_tier_yet_is_in_the_lowest():
    answer = ask(REPORT, a_spring(), more=LADDER, **SPRING)

    assert spread(answer, "2026-03") == {"bronze": 8, "silver": 1, "gold": 1}
    assert spread(answer, "2026-04") == {"bronze": 7, "silver": 1, "gold": 1}, "one of silver left"
    assert answer.totals["members"] == 9


def test_each_row_says_who_came_and_who_went():
    answer = ask(REPORT, a_spring(), more=LADDER, **SPRING)
    silver, gold = (
        next(each for each in answer.data if (each["tier"], each["period"]) == (tier, "2026-04"))
        for tier in ("silver", "gold")
    )

    assert (silver["reached"], silver["lost"]) == (1, 0)
    assert (gold["reached"], gold["lost"], gold["share"]) == (1, 1, round(1 / 9, 6))


def test_the_matrix_says_how_often_members_moved_from_where_to_where():
    answer = ask(REPORT, a_spring(), more=LADDER, **SPRING)

    assert [tuple(each.values()) for each in answer.sections["moves"]] == [
        ("bronze", "gold", 1, 0.125), ("silver", "gold", 1, round(1 / 3, 6)), ("gold", "silver", 1, 0.5),
    ]  # fmt: skip
    assert {name: answer.totals[name] for name in ("moves", "up", "down")} == {"moves": 3, "up": 2, "down": 1}


def test_tiers_of_an_earlier_ladder_are_still_told():
    answer = ask(REPORT, a_spring(), more={"tiers": ["bronze", "gold"]}, **SPRING)

    assert spread(answer, "2026-03") == {"bronze": 8, "gold": 1, "silver": 1}


def test_without_a_ladder_there_are_no_tiers():
    assert ask(REPORT, Life().enrolled("2026-03-01", 1), more={"tiers": []}, **SPRING).data == []
