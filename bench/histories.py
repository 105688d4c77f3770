"""`python -m bench.histories`: what a long history costs.

Members with 10 and with 100,000 entries do the same things in turn, through the service's own functions; medians and
their ratios to the member with 10 entries are printed, then the plans of the statements for the longest history.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from statistics import median
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg.rows import scalar_row

from bench.stage import postgresql, scratch
from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.db import migrate
from loyalty.db.session import Session, db, reading, transaction
from loyalty.db.writer import write
from loyalty.earning.domain import Line
from loyalty.ledger import crediting, service, spending
from loyalty.ledger.balances import Moment, balance
from loyalty.ledger.domain import Credit
from loyalty.ledger.holds import NewHold, place_hold, release_hold
from loyalty.ledger.settling import settle
from loyalty.members import locks
from loyalty.members import service as members
from loyalty.members.domain import NewMember
from loyalty.orders.domain import NewOrder
from loyalty.orders.service import record_order
from loyalty.programs import service as programs
from loyalty.programs.domain import NewProgram, Program
from loyalty.programs.terms import Dates
from loyalty.rewards import editing
from loyalty.rewards import service as rewards
from loyalty.rewards.domain import NewRedemption, NewReward

# customer -> (entries, how many of these spend again what was earned before, whether the points lapse)
HISTORIES = {
    "10 entries": (10, 2, True),
    "100,000, nothing spent": (100_000, 0, True),
    "100,000, nearly all spent": (100_000, 49_990, True),
    "100,000, none ever lapses": (100_000, 0, False),
}
AT_ONCE = 1_000
A_DAY = timedelta(days=1)
numbers = count(1)


def main() -> None:
    """Prepare the members, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200, help="how often each thing is done (default: 200)")
    parser.add_argument("--plans", action="store_true", help="print the plans, too")
    arguments = parser.parse_args()
    with ExitStack() as leaving:
        server = leaving.enter_context(postgresql(leaving.enter_context(scratch())))
        url = leaving.enter_context(server.database("histories"))
        migrate.upgrade(url.replace("postgresql://", "postgresql+psycopg://", 1))
        app = create_app(Settings(database_url=url.replace("postgresql://", "postgresql+psycopg://", 1)))
        leaving.enter_context(app.app_context())
        leaving.callback(db.engine.dispose)
        program = _prepare()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        _measure(program, times=arguments.times)
        if arguments.plans:
            _print_plans(program)


def _prepare() -> Program:
    with transaction() as session:
        program = programs.create_program(session, NewProgram(code="histories"), now=clock.now())
        reward = NewReward(name="5 off", type="discount_amount", points=10, value={"amount": 500}, fulfilment="code")
        programs.touch(session, program.program_id)
        editing.put_reward(session, program.program_id, "five-off", reward, now=clock.now())
    for name, (entries, spends, lapses) in HISTORIES.items():
        with transaction() as session:
            write(session, members.enrol(session, program.program_id, [NewMember(customer_id=_id(name))],
                                         now=clock.now()).changes)  # fmt: skip
        print(f"{name} ...", flush=True)
        _live(program, _id(name), entries, spends, lapses=lapses)
    return program


def _live(program: Program, customer_id: str, entries: int, spends: int, *, lapses: bool) -> None:
    """Earn and spend, the earliest a year ago; what was earned lapses on one of the days to come."""
    begun, earned = clock.now() - 365 * A_DAY, entries - spends
    step = 364 * A_DAY / earned
    for first in range(0, earned, AT_ONCE):
        with transaction() as session:
            member = locks.lock_member(session, program.program_id, customer_id)
            for number in range(first, min(first + AT_ONCE, earned)):
                at = begun + number * step
                if number == first:
                    book = service.open_book(session, program, member, now=clock.now())
                midnight = (at + 400 * A_DAY).replace(hour=0, minute=0, second=0, microsecond=0)
                dates = Dates(expires_at=midnight if lapses else None)
                crediting.earn(book, Credit(points=100, unit="points", earned_at=at, dates=dates, order_id="x"))
                if number * spends // earned < (number + 1) * spends // earned:
                    spending.redeem(book, "points", 100, reference="r", reason="5 off")
            settle(book, book.now)
            write(session, service.changes_of(book, program.program_id, now=book.now))


def _measure(program: Program, *, times: int) -> None:
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(-20, times):
        for name in HISTORIES:
            for what, act in _acts(program, _id(name)).items():
                began = time.perf_counter()
                act()
                if number >= 0:
                    taken[what, name].append(time.perf_counter() - began)
    print(f"\n{'median ms':24}" + "".join(f"{name:>28}" for name in HISTORIES))
    for what in dict.fromkeys(what for what, _ in taken):
        base = median(taken[what, "10 entries"])
        shown = "".join(
            f"{median(taken[what, n]) * 1000:18.3f} ({median(taken[what, n]) / base:5.2f} x)" for n in HISTORIES
        )
        print(f"{what:24}{shown}")


def _acts(program: Program, customer_id: str) -> dict[str, Callable[[], object]]:
    program_id, now = program.program_id, clock.now()

    def read(**when: Any) -> object:
        with reading() as session:
            return balance(session, program_id, customer_id, "points", Moment(now=now, **when))

    def redeem(session: Session) -> object:
        wish = NewRedemption(redemption_id=f"r-{next(numbers)}", reward="five-off")
        return rewards.redeem_reward(session, program_id, customer_id, wish, now=now)

    def order(session: Session) -> object:
        new = NewOrder(order_id=f"o-{next(numbers)}", customer_id=customer_id, currency="EUR", placed_at=now,
                       lines=(Line(line_id="1", sku="sku", unit_price=1000),))  # fmt: skip
        return record_order(session, program_id, new, now=now)

    def hold(session: Session) -> object:
        hold_id = f"h-{next(numbers)}"
        place_hold(session, program_id, customer_id, NewHold(hold_id=hold_id, points=10, hold_seconds=60), now=now)
        return release_hold(session, program_id, hold_id, now=now)

    def writing(act: Callable[[Session], object]) -> Callable[[], object]:
        def run() -> object:
            with transaction() as session:
                return act(session)

        return run

    return {
        "balance": read,
        "balance half a year ago": lambda: read(as_of=now - 180 * A_DAY),
        "balance in ten days": lambda: read(as_of=now + 10 * A_DAY),
        "order": writing(order),
        "redemption": writing(redeem),
        "hold and release": writing(hold),
    }


def _print_plans(program: Program) -> None:
    """What each act sends, explained with the very parameters."""
    longest = _id("100,000, none ever lapses")
    execute = psycopg.Cursor.execute
    for what, act in _acts(program, longest).items():
        sent: list[tuple[bytes, Any]] = []

        def noting(cursor: Any, query: Any, parameters: Any = None, *args: Any, **kwargs: Any) -> Any:
            if isinstance(query, bytes) and query.lstrip().startswith((b"SELECT", b"WITH", b"(SELECT")):
                sent.append((query, parameters))  # noqa: B023
            return execute(cursor, query, parameters, *args, **kwargs)

        with patch.object(psycopg.Cursor, "execute", noting):
            act()
        print(f"\n=== {what}")
        with transaction() as session:
            for query, parameters in sent:
                if b"$1" in query or b"INSERT" in query:
                    continue  # what is written is found by its key
                plan = session.rows("EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF) " + query.decode(), parameters,
                                    into=scalar_row)  # fmt: skip
                print("\n".join(line for line in plan if "never executed" not in line), "\n")


def _id(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


if __name__ == "__main__":
    main()
