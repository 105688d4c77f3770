"""`python -m bench.rewards`: what it costs to tell a member of all rewards, and to redeem one.

A throw-away database gets a catalogue (half of it limited per member, a third counted, a third with conditions, a fifth
for tiers), a member on a ladder with a history of redemptions, and the redemptions of many others. Each question is
asked in process, over WSGI, with the key of a shop; what is printed is the time of a call and of the processor, and how
much of it passes in statements.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from unittest.mock import patch

import psycopg
from flask import Flask
from psycopg.rows import tuple_row

from bench.stage import postgresql, scratch
from loyalty.access import service as access
from loyalty.access.domain import NewKey
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.db import migrate
from loyalty.db.session import Session, db, transaction
from loyalty.programs import queries as programs
from loyalty.programs import service
from loyalty.programs.domain import NewProgram, Program
from loyalty.rewards.domain import NewReward, Period
from loyalty.rewards.models import RewardRow, RewardStockRow
from loyalty.rewards.storing import content_of
from loyalty.tiers.models import LadderRow

CONDITIONS = (
    "history.orders >= {n}",
    'has(member.attributes.club) && member.attributes.club == "{n}"',
    'member.tier in ["silver", "gold"] && local.month >= {month}',
    'history.categories["coffee"].orders > {n}',
)
LIMITS: tuple[dict[Period, int], ...] = ({"month": 2}, {"ever": 1}, {"week": 1, "year": 5}, {"day": 1, "quarter": 3})
LADDER = {
    "basis": "spend", "window": {"mode": "lifetime"}, "validity": {"mode": "forever"}, "downgrade": "full",
    "tiers": [
        {"code": "bronze", "name": "Bronze", "threshold": 0},
        {"code": "silver", "name": "Silver", "threshold": 0, "benefits": {"early_access_hours": 48}},
        {"code": "gold", "name": "Gold", "threshold": 10**9},
    ],
}  # fmt: skip
# Redemptions of others, so that what is read of one member has to be found.
OTHERS = """
INSERT INTO redemptions (member_id, redemption_id, program_id, reward_code, reward_version, status, points, fulfilment,
    took_stock, redeemed_at, confirmed_at, entry_seq, receipt)
SELECT CASE WHEN n <= {mine} THEN '{member}'::uuid
       ELSE ('01900000-0000-7000-8000-' || lpad(to_hex(n % 5000), 12, '0'))::uuid END,
    'bench-' || n, '{program}', 'r-' || (n * 7) % {rewards}, 1, 'confirmed', 10, 'none', false,
    now() - interval '1 hour' * (n % 9000), now(), 1, '{{}}'
FROM generate_series(1, {redemptions}) n
"""


def rewards(count: int, now: datetime) -> Iterator[tuple[str, NewReward]]:
    """A catalogue in which everything that keeps a reward away does so here and there."""
    for n in range(count):
        given: dict[str, Any] = {"points": 50 + n * 37 % 3000, "sort": n % 10, "description": f"What {n} is good for."}
        if n % 2:
            given["limits"] = LIMITS[n // 2 % len(LIMITS)]
        if n % 3 == 0:
            given |= {"stock": n % 7 and 100}
        if n % 10 < 3:
            given["when"] = CONDITIONS[n % len(CONDITIONS)].format(n=n % 20, month=n % 12 + 1)
        if n % 5 == 4:
            given |= {"tiers": ("silver", "gold"), "points_by_tier": {"gold": 40}}
        if n % 8 == 0:
            given["valid_from"] = now + timedelta(days=n % 4 - 1)
        yield f"r-{n}", NewReward(name=f"Reward {n}", type="custom", categories=(f"category {n % 9}",), **given)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.rewards", description=__doc__)
    parser.add_argument("--rewards", type=int, default=1_000, help="in the catalogue (default: 1,000)")
    parser.add_argument("--redemptions", type=int, default=100_000, help="of all members (default: 100,000)")
    parser.add_argument("--mine", type=int, default=200, help="of the member who asks (default: 200)")
    parser.add_argument("--times", type=int, default=50, help="how often each is asked (default: 50)")
    arguments = parser.parse_args()
    with ExitStack() as leaving:
        server = leaving.enter_context(postgresql(leaving.enter_context(scratch())))
        url = leaving.enter_context(server.database("rewards"))
        migrate.upgrade(url.replace("postgresql://", "postgresql+psycopg://", 1))
        app = create_app(Settings(database_url=url.replace("postgresql://", "postgresql+psycopg://", 1)))
        leaving.enter_context(app.app_context())
        leaving.callback(db.engine.dispose)
        ask = _prepare(app, url, arguments)
        print(f"{'':44}ms/call   cpu ms   sql ms  statements")
        for limit in (50, 200):
            _measure(
                f"a member's rewards, a page of {limit}", arguments.times, ask, f"/members/c-42/rewards?limit={limit}"
            )
        _measure("those that can be had", arguments.times, ask, "/members/c-42/rewards?available=true")
        _measure("the catalogue for everybody, a page of 200", arguments.times, ask, "/rewards?limit=200")


def _prepare(app: Flask, url: str, arguments: argparse.Namespace) -> Callable[[str], Any]:
    now = clock.now()
    with transaction() as session:
        program = service.create_program(session, NewProgram(code="rewards"), now=now)
        service.touch(session, program.program_id)
        key = access.create_key(session, program.program_id, NewKey(("admin",)), now=now).secret
        session.orm.add(LadderRow(program_id=program.program_id, version=1, ladder=LADDER, moving="now",
                                  published_at=now, published_by="bench"))  # fmt: skip
        _fill(session, program, arguments.rewards, now)
    programs._remembered.clear()  # noqa: SLF001
    headers = {"Authorization": f"Bearer {key}"}
    client = app.test_client()
    client.put("/v1/members/c-42", json={"attributes": {"club": "3"}}, headers=headers)
    gift = {"adjustment_id": "a-1", "points": 1_500, "reason": "bench"}
    assert client.post("/v1/members/c-42/adjustments", json=gift, headers=headers).status_code == 201
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.cursor(row_factory=tuple_row).execute("SELECT member_id FROM members").fetchone()
        sizes = {name: getattr(arguments, name) for name in ("rewards", "redemptions", "mine")}
        assert found is not None
        connection.execute(OTHERS.format(member=found[0], program=program.program_id, **sizes).encode())
        connection.execute("VACUUM ANALYZE")

    def ask(path: str) -> Any:
        response = client.get(f"/v1{path}", headers=headers)
        assert response.status_code == 200, response.json
        return response.get_data()

    return ask


def _fill(session: Session, program: Program, count: int, now: datetime) -> None:
    for code, reward in rewards(count, now):
        which: dict[str, Any] = {"program_id": program.program_id, "code": code}
        session.orm.add(RewardRow(**which, version=1, withdrawn=False, content=content_of(reward), stock=reward.stock,
                                  updated_at=now))  # fmt: skip
        if reward.stock is not None:
            session.orm.add(RewardStockRow(**which, remaining=reward.stock))


def _measure(what: str, times: int, ask: Callable[[str], Any], path: str) -> None:
    for _ in range(3):
        ask(path)
    walls, cpus, spent, sent = [], [], [], 0
    for _ in range(times):
        with _clocked() as statements:
            wall, cpu = time.perf_counter(), time.thread_time()
            ask(path)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.thread_time() - cpu)
        spent.append(sum(statements))
        sent = len(statements)
    figures = (median(each) * 1e3 for each in (walls, cpus, spent))
    print(f"{what:44}{''.join(f'{figure:7.1f}  ' for figure in figures)}{sent:9}")


@contextmanager
def _clocked() -> Iterator[list[float]]:
    """The seconds that each statement takes, with the fetching of its rows left out."""
    took: list[float] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(cursor, *args, **kwargs)
        finally:
            took.append(time.perf_counter() - began)

    with patch.object(psycopg.Cursor, "execute", noting):
        yield took


if __name__ == "__main__":
    main()
