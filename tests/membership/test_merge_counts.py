"""What is counted of two members who become one adds up: no cap is escaped, and what was bought stays bought."""

from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import transaction
from tests import shop
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is
from tests.shop import A_DAY, a_bonus, a_line, buy, cancel, give_back, in_days, merge, publish_rules, report

KEPT = """
SELECT (SELECT count(*) FROM purchase_histories WHERE member_id = m.member_id)
     + (SELECT count(*) FROM category_histories WHERE member_id = m.member_id)
     + (SELECT count(*) FROM rule_counts WHERE member_id = m.member_id)
FROM members m WHERE m.program_id = %s AND m.customer_id = %s
"""


@pytest.fixture(autouse=True)
def members(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("old")
    api.enrol("new")


def kept(api: Api, customer_id: str) -> int:
    """How many rows there are of what is counted of a member."""
    with api.app.app_context(), transaction() as session:
        return session.row(KEPT, (api.program.program_id, customer_id), into=scalar_row) or 0


def seen(api: Api, customer_id: str) -> list[Any]:
    """Units of coffee, orders and spend in a member's history, as a rule sees them that is refused for them."""
    refused = api.post("/v1/orders/preview", order_json(customer_id=customer_id)).json["refused"]
    values = next(each["values"] for each in refused if each["rule"]["code"] == "spy")
    return [values[name] for name in sorted(values)]


SPY = {
    "code": "spy", "kind": "bonus", "points": 1,
    "when": "history.orders > 99 || history.spend > 9999999 || history.categories['coffee'].quantity > 99",
}  # fmt: skip


def test_histories_add_up(api: Api):
    publish_rules(api, SPY)
    buy(api, "A-1", a_line("1", 500, 2, category="coffee > beans"), customer_id="old")
    buy(api, "A-2", a_line("1", 700, 1, category="coffee"), a_line("2", 100, category="tea"), customer_id="new")

    merge(api, "old", "new")

    assert seen(api, "new") == [3, 2, 1800]


def test_a_member_merged_away_keeps_nothing(api: Api):
    publish_rules(api, a_bonus("review", limits={"month": 9, "ever": 99}))
    buy(api, "A-1", a_line("1", 500, category="coffee > beans"), customer_id="old")
    report(api, "a-1", customer_id="old")
    assert kept(api, "old") == 5

    merge(api, "old", "new")

    assert (kept(api, "old"), kept(api, "new")) == (0, 5)


def test_a_cap_per_member_is_not_escaped_by_a_second_membership(api: Api):
    publish_rules(api, a_bonus("review", 50, caps={"per_member": {"year": 120}}))
    given = [
        report(api, f"a-{n}", customer_id=whose).json["points"]["awarded"]
        for n, whose in enumerate(["old", "old", "new"])
    ]

    merge(api, "old", "new")

    assert (given, report(api, "a-9", customer_id="new").json["points"]["awarded"]) == ([50, 50, 50], 0)


def test_limits_and_cooldowns_go_on_where_the_later_of_the_two_was(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish_rules(api, a_bonus("review", 50, limits={"month": 3}, cooldown_days=7))
    report(api, "a-1", customer_id="new")
    it_is(monkeypatch, NOW + 5 * A_DAY)
    report(api, "a-2", customer_id="old", occurred_at=in_days(5))

    merge(api, "old", "new")

    told = []
    for day in (11, 12, 19):
        it_is(monkeypatch, NOW + day * A_DAY)
        answer = report(api, f"day-{day}", customer_id="new", occurred_at=in_days(day)).json
        told.append([each["condition"] for each in answer["refused"]] or answer["points"]["awarded"])
    assert told == [["cooldown"], 50, ["limits"]]


def test_a_milestone_counts_the_orders_of_both(api: Api):
    third = {"code": "third", "kind": "bonus", "points": 10, "milestone": {"nth": 3}}
    publish_rules(api, third)
    buy(api, "A-1", customer_id="old")
    buy(api, "A-2", customer_id="new")

    merge(api, "old", "new")

    assert buy(api, "A-3", customer_id="new").json["points"]["awarded"] == 10


def test_what_comes_back_after_a_merge_is_taken_from_what_was_added_up(api: Api):
    publish_rules(api, SPY)
    buy(api, "A-1", a_line("1", 500, 2, category="coffee"), customer_id="old")
    buy(api, "A-2", a_line("1", 700, 1, category="coffee"), customer_id="old")
    buy(api, "A-3", a_line("1", 900, 1, category="coffee"), customer_id="new")
    merge(api, "old", "new")

    give_back(api, "A-1", {"1": 1})
    cancel(api, "A-2")

    assert seen(api, "new") == [2, 2, 1400]


def test_three_who_become_one_add_up(api: Api):
    publish_rules(api, SPY)
    api.enrol("older")
    for number, customer_id in enumerate(["older", "old", "new"]):
        buy(api, f"A-{number}", amount=100, customer_id=customer_id)

    merge(api, "older", "old")
    merge(api, "old", "new")
    merge(api, "old", "new")

    assert seen(api, "new") == [0, 3, 300]
    assert (kept(api, "older"), kept(api, "old")) == (0, 0)
    assert shop.buckets(api, "new") == {}
