"""The task of `bench.offers` through the service: orders recorded, features followed, offers asked for over the API.

All of it is the real thing but the socket: orders go the way of an import, features follow the log, the statistics are
counted by their job, one offer for each candidate is published over HTTP, and members ask for their ten best and for
the ten best of each list.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import orjson
from flask.testing import FlaskClient

from bench import purchases
from bench.purchases import Task
from bench.stage import postgresql, scratch, sqlalchemy_url
from loyalty.access import service as access
from loyalty.access.domain import NewKey
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.db import migrate
from loyalty.db.session import db, transaction
from loyalty.earning.domain import Line
from loyalty.imports.service import load
from loyalty.learning import counting, following
from loyalty.members.domain import NewMember
from loyalty.orders.domain import NewOrder
from loyalty.programs import service
from loyalty.programs.domain import NewProgram

LISTS = {"lapsed": "win_back", "new": "discover"}
HOUR = timedelta(hours=1)


def run(fold: str, count: int) -> None:
    """Serve a fold, and score what so many of its members are answered."""
    task = purchases.task(fold)
    with ExitStack() as leaving:
        server = leaving.enter_context(postgresql(leaving.enter_context(scratch())))
        url = sqlalchemy_url(leaving.enter_context(server.database("offers")))
        migrate.upgrade(url)
        app = create_app(Settings(database_url=url))
        leaving.enter_context(app.app_context())
        leaving.callback(db.engine.dispose)
        now = clock.now()
        # Whole hours, for that is how exactly features are decayed.
        moved = (now - task.at) // HOUR * HOUR
        key = _learn(task, moved, now)
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        _publish(client, task.candidates)
        _score(client, fold, task, sorted(task.truth)[:: max(1, len(task.truth) // count)][:count])


def _learn(task: Task, moved: timedelta, now: datetime) -> str:
    """A program that has recorded the purchases, and has learned from them."""
    with transaction() as session:
        program = service.create_program(session, NewProgram(code="offers", currency="USD"), now=now)
        key = access.create_key(session, program.program_id, NewKey(("admin",)), now=now).secret
    program_id = program.program_id
    began = time.perf_counter()
    members = [NewMember(customer_id=str(each)) for each in sorted(task.past.household_id.unique().tolist())]
    for loaded in load(program_id, members, _orders(task, moved), now=now):
        assert not loaded.refused, loaded.refused[:3]
    recorded, done = time.perf_counter(), 1
    while done:
        with transaction() as session:
            done = following.follow_program(session, program_id)
    followed = time.perf_counter()
    counting.count(program_id, now=now)
    took = recorded - began, followed - recorded, time.perf_counter() - followed
    print("recorded in {:.0f} s, learned in {:.0f} s, counted in {:.0f} s".format(*took))
    return key


def _orders(task: Task, moved: timedelta) -> Iterator[NewOrder]:
    lines = task.past.assign(cents=(task.past.sales_value * 100).round().astype(int))
    for (household, basket), bought in lines.groupby(["household_id", "basket_id"], sort=False):
        yield NewOrder(
            order_id=str(basket),
            customer_id=str(household),
            currency="USD",
            placed_at=bought.transaction_timestamp.min().tz_localize("UTC").to_pydatetime() + moved,
            lines=tuple(
                Line(line_id=str(number), sku=str(product), category=path, quantity=1, unit_price=cents)
                for number, (product, path, cents) in enumerate(
                    zip(bought.product_id.tolist(), bought.category.tolist(), bought.cents.tolist(), strict=True)
                )
            ),
        )


def _publish(client: FlaskClient, candidates: list[str]) -> None:
    promise = {"kind": "bonus_points", "value": 100}
    offers = [
        {"code": f"o-{number}", "title": path[:100], "promise": promise, "categories": [path], "activation": "opt_in"}
        for number, path in enumerate(candidates)
    ]
    for method, path, body in (("PUT", "draft", {"offers": offers}), ("POST", "publish", {})):
        answer = client.open(f"/v1/admin/offers/{path}", method=method, json=body)
        assert answer.status_code == 200, answer.json


def _score(client: FlaskClient, fold: str, task: Task, members: list[int]) -> None:
    found: dict[str, list[float]] = {"ndcg@10": [], "lapsed cap": [], "new cap": []}
    times = []
    for member in members:
        want, seen = task.truth[member], task.seen[member]
        began = time.perf_counter()
        ranking = _asked(client, member, {})
        times.append(time.perf_counter() - began)
        found["ndcg@10"].append(purchases.ndcg(ranking, want))
        for which, wanted in (("lapsed", want & seen - task.recent.get(member, set())), ("new", want - seen)):
            if wanted:
                ranking = _asked(client, member, {"list": LISTS[which]})
                found[f"{which} cap"].append(purchases.cap(ranking, wanted))
    means = "  ".join(f"{name} {sum(values) / len(values):.4f}" for name, values in found.items())
    times.sort()
    print(f"{fold}, {len(members)} members over the API: {means}")
    print(
        f"  the first look, which ranks {len(task.candidates):,} offers and gives ten: p50"
        f" {1_000 * times[len(times) // 2]:.1f} ms, p99 {1_000 * times[len(times) * 99 // 100]:.1f} ms"
        f" (load {os.getloadavg()[0]:.1f})"
    )


def _asked(client: FlaskClient, member: int, query: dict[str, str]) -> list[str]:
    answer = client.get(f"/v1/members/{member}/offers", query_string={"limit": "10", **query})
    assert answer.status_code == 200, answer.json
    told: dict[str, Any] = orjson.loads(answer.data)
    return [each["categories"][0] for each in told["data"]]
