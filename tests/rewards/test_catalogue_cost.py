"""What it costs to tell a member of all rewards: few statements however many there are, each by an index."""

import re
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import Session, transaction
from loyalty.rewards import gathering, queries, stock
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards.test_member_rewards import TIERS, offer, rewards
from tests.shop import adjust, publish_ladder
from tests.statements import statements


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop whose member c-42 has 100 points."""
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)
    api.enrol()
    adjust(api, 100)
    return api


MANY_REWARDS = """
INSERT INTO rewards (program_id, code, version, withdrawn, content, stock, updated_at)
SELECT program_id, 'many-' || n, 1, false,
    content || CASE n %% 3 WHEN 0 THEN '{"limits": {"day": 1, "ever": 3}}'::jsonb
               WHEN 1 THEN '{"when": "history.orders > 0"}' ELSE '{"tiers": ["gold"]}' END, 5, updated_at
FROM rewards, generate_series(1, 400) n WHERE program_id = %(program_id)s
"""
MANY_STOCKS = """
INSERT INTO reward_stock
SELECT program_id, code, 5 FROM rewards WHERE program_id = %(program_id)s AND code LIKE 'many-%%'
"""


def many(api: Api) -> None:
    """Four hundred rewards more."""
    with api.app.app_context(), transaction() as session:
        for statement in (MANY_REWARDS, MANY_STOCKS):
            session.run(statement, {"program_id": api.program.program_id})
        session.run("UPDATE programs SET config_version = config_version + 1")


def test_any_number_of_rewards_takes_the_same_few_statements(shop: Api):
    publish_ladder(shop, *TIERS)
    offer(shop, "tour", 10)
    rewards(shop)
    with statements() as few:
        rewards(shop)
    many(shop)
    assert len(rewards(shop, limit=200)["data"]) == 200

    with statements() as sent:
        rewards(shop, limit=200)

    # The key, the version of the configuration, the member, the balance, what the rewards ask, what is left.
    assert len(sent) == len(few) <= 6


MANY_REDEMPTIONS = """
INSERT INTO redemptions (member_id, redemption_id, program_id, reward_code, reward_version, status, points, fulfilment,
    took_stock, redeemed_at, confirmed_at, entry_seq, receipt)
SELECT CASE WHEN n %% 3 = 0 THEN %(member_id)s
       ELSE ('01931f3e-7c1a-7d2b-9f00-' || lpad(to_hex(n %% 99), 12, '0'))::uuid END,
    'x-' || n, %(program_id)s, 'many-' || 3 * (n %% 300), 1, 'confirmed', 1, 'none', false,
    timestamptz '2026-03-01 12:00Z' - interval '1 hour' * n, now(), 1, '{}'
FROM generate_series(1, 20000) n
"""
MANY_HOLDS = """
INSERT INTO stock_holds (member_id, redemption_id, program_id, reward_code, expires_at)
SELECT ('01931f3e-7c1a-7d2b-9f00-' || lpad(to_hex(n), 12, '0'))::uuid, 'x', CASE WHEN n %% 40 = 0 THEN %(program_id)s
    ELSE '01931f3e-7c1a-7d2b-9f00-000000000000' END, 'many-' || n %% 400, timestamptz '2026-03-02 12:00Z'
FROM generate_series(1, 20000) n
"""


def test_what_is_read_is_found_by_indexes(shop: Api):
    publish_ladder(shop, *TIERS)
    offer(shop, "tour", 10)
    many(shop)
    with shop.app.app_context(), transaction() as session:
        found = "SELECT member_id FROM members WHERE program_id = %s AND customer_id = 'c-42'"
        member_id = session.row(found, (shop.program.program_id,), into=scalar_row)
        where = {"program_id": shop.program.program_id, "member_id": member_id}
        for statement in (MANY_REDEMPTIONS, MANY_HOLDS):
            session.run(statement, where)
        session.run("ANALYZE redemptions")
        session.run("ANALYZE stock_holds")
    try:
        rewards(shop)
        plans = explained(shop)
    finally:
        with shop.app.app_context(), transaction() as session:
            session.run("DELETE FROM redemptions WHERE redemption_id LIKE 'x-%%'")
            session.run("DELETE FROM stock_holds WHERE redemption_id = 'x'")

    for plan in plans:
        assert not re.search(r"Seq Scan on (redemptions|stock_holds)", plan), plan
    counted = next(plan for plan in plans if "ix_redemptions_counted" in plan)
    assert re.search(r"Index Cond: \(\(member_id = mine\S*\.member_id\) AND \(reward_code = ", counted), counted
    assert any("ix_stock_holds_reward" in plan or "stock_holds_pkey" in plan for plan in plans)


def explained(api: Api) -> list[str]:
    """The plans of what availability and stock read."""
    asked: list[tuple[str, Any]] = []

    def noting(session: Any, statement: str, where: Any = (), **given: Any) -> Any:
        asked.append((statement, where))
        return session_rows(session, statement, where, **given)

    session_rows = Session.rows
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Session, "rows", noting)
        rewards(api)
    wanted = [each for each in asked if gathering._HAD[:30] in each[0] or each[0] == stock._ALL_LEFT]
    assert len(wanted) == 2
    with api.app.app_context(), transaction() as session:
        return ["\n".join(session.rows(f"EXPLAIN {sql}", where, into=scalar_row)) for sql, where in wanted]


def test_a_page_of_what_a_member_redeemed_reads_no_more_than_the_page(shop: Api):
    with shop.app.app_context(), transaction() as session:
        found = "SELECT member_id FROM members WHERE program_id = %s AND customer_id = 'c-42'"
        member_id = session.row(found, (shop.program.program_id,), into=scalar_row)
        session.run(MANY_REDEMPTIONS, {"program_id": shop.program.program_id, "member_id": member_id})
        session.run("ANALYZE redemptions")
    try:
        page = shop.get("/v1/members/c-42/redemptions?limit=3").json
        where = {"member_id": member_id, "at": "infinity", "id": "", "limit": 4}
        with shop.app.app_context(), transaction() as session:
            # What the planner believes of a table filled a moment ago is left to chance (autovacuum may have looked
            # before): whether the index can give the rows in this order is not.
            session.run("SET LOCAL enable_sort = off")
            plan = "\n".join(session.rows(f"EXPLAIN (ANALYZE) {queries._OF_MEMBER}", where, into=scalar_row))
    finally:
        with shop.app.app_context(), transaction() as session:
            session.run("DELETE FROM redemptions WHERE redemption_id LIKE 'x-%%'")

    assert [each["redemption_id"] for each in page["data"]] == ["x-3", "x-6", "x-9"]
    assert re.search(r"ix_redemptions_of_member on redemptions r .*rows=4(\.00)? loops=1", plan), plan
    assert "Seq Scan on redemptions" not in plan
