"""What is measured."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import load, naive, offering, pgbench, shop
from bench.load import Round, request
from bench.rules import two_hundred, with_budget
from bench.shop import Shop
from bench.stage import Database, Service, served, sqlalchemy_url
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.core.answers import Answer
from loyalty.db.session import db, transaction
from loyalty.orders.domain import NewOrder
from loyalty.orders.service import record_orders

BATCH_ORDERS = 500
BATCH_LINES = 9
SECONDS_TO_RECORD_WHAT_IS_REPLAYED = 60

# name -> what it is
NAMES = {
    "pgbench": "pgbench TPC-B, prepared, 4 clients",
    "noop": "no-op Flask route",
    "balance": "balance read",
    "offers": "offers of a member, given already",
    "order": "order record, 3 lines",
    "rules": "the same by 200 rules",
    "budget": "the same out of a budget",
    "replay": "order replayed",
    "redemption": "redemption with a code",
    "naive": "order record, naive ORM",
    "bulk": "bulk orders, 9 lines, 500 a batch",
}
ENGINE = frozenset({"balance", "offers", "order", "rules", "budget", "replay", "redemption", "bulk"})


Run = Callable[[float], Round]


def set_up(names: set[str], database: Database, folder: Path, leaving: ExitStack) -> tuple[dict[str, Run], str | None]:
    """Start what the scenarios need; all of it ends with `leaving`.

    Answers what runs a round of so many seconds, by name, and the URL of the engine's database, if it has one.
    """
    runs: dict[str, Run] = {}
    engine_url = naive_port = None
    if "pgbench" in names:
        runs["pgbench"] = _pgbench(database, folder, leaving)
    if "noop" in names:
        service = leaving.enter_context(
            served("noop", "bench.gunicorns", "bench.noop:create_app", folder=folder, url=database.url)
        )
        runs["noop"] = _http(service, database, itertools.repeat(request("GET", "/", key="none")))
    if "naive" in names:
        url = sqlalchemy_url(leaving.enter_context(database.database("naive")))
        naive.prepare(url, shop.customers_of("o"))
        service = leaving.enter_context(
            served("naive", "bench.gunicorns", "bench.naive:create_app", folder=folder, url=url)
        )
        naive_port = service.port
        runs["naive"] = _http(service, database, shop.order_requests(clock.now(), key=naive.KEY))
    if names & ENGINE:
        engine_url = leaving.enter_context(database.database("engine"))
        runs |= _engine(engine_url, database, folder, leaving, naive_port)
    return {name: runs[name] for name in NAMES if name in names}, engine_url


def _engine(url: str, database: Database, folder: Path, leaving: ExitStack, naive_port: int | None) -> dict[str, Run]:
    service = leaving.enter_context(served("engine", "loyalty.cli", "serve", "--no-worker", folder=folder, url=url))
    leaving.enter_context(create_app(Settings(database_url=sqlalchemy_url(url))).app_context())
    leaving.callback(db.engine.dispose)
    opened = shop.open_shop(url, service.port)
    shop.prove_the_answers(opened, service.port, naive_port)
    again = list(shop.order_requests(opened.placed_at, key=opened.key, prefix="r", count=shop.REPLAYED))
    first = load.run(service.port, iter(again), seconds=SECONDS_TO_RECORD_WHAT_IS_REPLAYED)
    assert (first.operations, first.errors) == (shop.REPLAYED, {}), first.sample
    rules, budget = (
        shop.open_branch(url, service.port, code, made)
        for code, made in (("bench-rules", two_hundred()), ("bench-budget", with_budget()))
    )
    requests = {
        "rules": shop.order_requests(rules.placed_at, key=rules.key),
        "budget": shop.order_requests(budget.placed_at, key=budget.key),
        "balance": shop.balance_requests(opened),
        "offers": offering.offer_requests(offering.open_with_offers(url, service.port)),
        "order": shop.order_requests(opened.placed_at, key=opened.key),
        "replay": itertools.cycle(again),
        "redemption": shop.redemption_requests(opened),
    }
    runs = {name: _http(service, database, made) for name, made in requests.items()}
    batches = shop.bulk_batches(opened, size=BATCH_ORDERS, lines=BATCH_LINES)
    return {**runs, "bulk": _bulk(opened, database, batches)}


def _pgbench(database: Database, folder: Path, leaving: ExitStack) -> Run:
    url = leaving.enter_context(database.database("pgbench"))
    pgbench.prepare(url)

    def run(seconds: float) -> Round:
        before = database.cpu_seconds()
        done = pgbench.run(url, seconds=seconds, folder=folder)
        done.database_cpu_seconds = _since(before, database)
        return done

    return run


def _http(service: Service, database: Database, requests: Iterator[bytes]) -> Run:
    def run(seconds: float) -> Round:
        before, database_before = service.cpu_seconds(), database.cpu_seconds()
        done = load.run(service.port, requests, seconds=seconds)
        done.server_cpu_seconds = service.cpu_seconds() - before
        done.database_cpu_seconds = _since(database_before, database)
        return done

    return run


def _bulk(opened: Shop, database: Database, batches: Iterator[list[NewOrder]]) -> Run:
    def run(seconds: float) -> Round:
        done = Round()
        before, database_before = time.process_time(), database.cpu_seconds()
        while done.seconds < seconds:
            batch = next(batches)
            began = time.perf_counter()
            with transaction() as session:
                outcomes = record_orders(session, opened.program_id, batch, now=clock.now())
            took = time.perf_counter() - began
            done.seconds += took
            done.milliseconds.append(took * 1000)
            done.operations += len(batch)
            for outcome in outcomes.values():
                if not isinstance(outcome, Answer):
                    done.errors[type(outcome).__name__] += 1
                    done.sample = done.sample or str(outcome)
        done.server_cpu_seconds = time.process_time() - before
        done.database_cpu_seconds = _since(database_before, database)
        return done

    return run


def _since(before: float | None, database: Database) -> float | None:
    after = database.cpu_seconds()
    return None if before is None or after is None else after - before
