"""Loading members and orders by the hundred thousand.

Everything goes through the use cases of the API, in batches that are committed one by one. The shop's own ids make a
load repeatable: who is enrolled stays as he is, and an order that is recorded is recognised. So a load that was killed,
at whatever point, is finished by running it again.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID
from zlib import crc32

import orjson
from psycopg.rows import scalar_row

from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError, OperatorError
from loyalty.db.session import Session, transaction
from loyalty.db.writer import write
from loyalty.members.domain import NewMember
from loyalty.members.service import enrol
from loyalty.orders.domain import NewOrder
from loyalty.orders.service import record_orders
from loyalty.programs import queries as programs
from loyalty.programs.domain import NewProgram, Program
from loyalty.programs.errors import ProgramNotFound
from loyalty.programs.service import change_settings, create_program, touch

# Measured on 67,010 orders of 9.4 lines: the rate rises to about here, and what a batch locks, it locks for long.
BATCH_SIZE = 500

# While the database writes the orders of some members, those of others are decided here.
LANES = 2

_HAS_ORDERS = "SELECT EXISTS (SELECT FROM natural_keys WHERE program_id = %s AND kind = 'order')"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of a part of a load. `recorded` orders are new, `replayed` ones were recorded before.

    `lines` and `points` (in the unit points) are those of both; `refused` says why by order id.
    """

    enrolled: int = 0
    recorded: int = 0
    replayed: int = 0
    lines: int = 0
    points: int = 0
    refused: tuple[tuple[str, DomainError], ...] = ()

    def __add__(self, other: "Loaded") -> "Loaded":
        """Both parts together."""
        return Loaded(
            enrolled=self.enrolled + other.enrolled,
            recorded=self.recorded + other.recorded,
            replayed=self.replayed + other.replayed,
            lines=self.lines + other.lines,
            points=self.points + other.points,
            refused=self.refused + other.refused,
        )

    @property
    def orders(self) -> int:
        """The orders that were dealt with, in whatever way."""
        return self.recorded + self.replayed + len(self.refused)


def load(
    program_id: UUID,
    members: Sequence[NewMember],
    orders: Iterable[NewOrder],
    *,
    batch_size: int = BATCH_SIZE,
    now: datetime,
) -> Iterator[Loaded]:
    """Enrol the members, then record the orders in the order given; tells of each batch once it is committed.

    Orders of different members may overtake each other by a batch. Refusals of orders are told, not raised; as a whole
    refuses: ReferrerNotFound.
    """
    for newcomers in _batches(members, batch_size):
        with transaction() as session:
            enrolment = enrol(session, program_id, newcomers, now=now)
            write(session, enrolment.changes)
        yield Loaded(enrolled=len(enrolment.members))
    with ThreadPoolExecutor(LANES) as pool:
        running: dict[int, Future[Loaded]] = {}
        for lane, batch in _lanes(orders, batch_size):
            if lane in running:
                yield running.pop(lane).result()
            # The copy carries the application context, and with it the database, into the thread.
            running[lane] = pool.submit(copy_context().run, _record, program_id, batch, now=now)
        for last in running.values():
            yield last.result()


def prepare_program(session: Session, code: str, *, currency: str, time_zone: str, now: datetime) -> Program:
    """The program called `code` with this currency and zone: created, or set to them while it has no orders.

    Raises OperatorError when orders in another currency or zone are there.
    """
    try:
        program = programs.by_code(session, code)
    except ProgramNotFound:
        return create_program(session, NewProgram(code=code, currency=currency, time_zone=time_zone), now=now)
    if (program.currency, program.time_zone) == (currency, time_zone):
        return program
    touch(session, program.program_id)
    if session.row(_HAS_ORDERS, (program.program_id,), into=scalar_row):
        raise OperatorError(
            f"Program '{code}' has orders in {program.currency}, {program.time_zone}, and these are in {currency}, "
            f"{time_zone}: name another with --program."
        )
    return change_settings(session, program.program_id, {"currency": currency, "time_zone": time_zone}, now=now)


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch


def _lanes(orders: Iterable[NewOrder], size: int) -> Iterator[tuple[int, list[NewOrder]]]:
    """Batches with the lane of each. All orders of a member keep to one lane, and so keep their order."""
    waiting: list[list[NewOrder]] = [[] for _ in range(LANES)]
    for order in orders:
        lane = crc32((order.customer_id or order.order_id).encode()) % LANES
        waiting[lane].append(order)
        if len(waiting[lane]) == size:
            yield lane, waiting[lane]
            waiting[lane] = []
    yield from ((lane, rest) for lane, rest in enumerate(waiting) if rest)


def _record(program_id: UUID, batch: Sequence[NewOrder], *, now: datetime) -> Loaded:
    with transaction() as session:
        outcomes = record_orders(session, program_id, batch, now=now)
    answers = {order_id: outcome for order_id, outcome in outcomes.items() if isinstance(outcome, Answer)}
    replayed = sum(answer.replayed for answer in answers.values())
    return Loaded(
        recorded=len(answers) - replayed,
        replayed=replayed,
        lines=sum(len(order.lines) for order in batch if order.order_id in answers),
        points=sum(orjson.loads(answer.body)["points"]["awarded"] for answer in answers.values()),
        refused=tuple((order_id, told) for order_id, told in outcomes.items() if isinstance(told, DomainError)),
    )
