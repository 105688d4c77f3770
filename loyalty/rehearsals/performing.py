"""Doing a rehearsal: read a page of orders, judge them one after another, go on to the next. Nothing is written."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from loyalty.db.session import transaction
from loyalty.earning.rules import RuleSet
from loyalty.programs.domain import Program
from loyalty.rehearsals import orders
from loyalty.rehearsals.domain import Interrupted, Outcome, Placed, Span, Told
from loyalty.rehearsals.rehearsing import Rehearsing
from loyalty.rehearsals.results import result_of

# Members met at once: what they bought since is read line by line, if rules ask about categories.
MEMBERS = 50

# Looking for garbage among the values of a page, which are all freed without, costs as much as judging its orders.
ALLOCATIONS_BETWEEN_COLLECTIONS = 1_000_000


def perform(
    program: Program, rule_set: RuleSet, span: Span, *, told: Told = lambda _done, _total: True, now: datetime
) -> Outcome:
    """Judge every order of a time by rules that are not in force. Raises Interrupted."""
    with seldom_looking_for_garbage():
        return _perform(program, rule_set, span, told, now)


def _perform(program: Program, rule_set: RuleSet, span: Span, told: Told, now: datetime) -> Outcome:
    with transaction() as session:
        total = orders.count(session, program.program_id, span, known_at=now)
        merged = orders.merges(session, program.program_id)
    rehearsing, done, after = Rehearsing(program, rule_set, span), 0, None
    while True:
        with transaction() as session:
            orders.patiently(session)
            page, after = orders.page_of(session, program.program_id, span, rule_set, merged, known_at=now, after=after)
            strangers = _strangers(page, rehearsing)
            for some in _batches(list(strangers)):
                met = orders.facts(session, rule_set, some, merged, since=span.begin)
                rehearsing.meet(orders.with_tiers(session, program, met, now=now), strangers)
                if not told(done, total):
                    raise Interrupted
        for order in page:
            rehearsing.judge(order)
        done += len(page)
        if not told(done, total):
            raise Interrupted
        if after is None:
            return Outcome(done, result_of(rehearsing))


@contextmanager
def seldom_looking_for_garbage() -> Iterator[None]:
    """Let what is read and freed page by page be freed by itself."""
    thresholds = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _batches(members: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for begin in range(0, len(members), MEMBERS):
        yield members[begin : begin + MEMBERS]


def _strangers(page: Sequence[Placed], rehearsing: Rehearsing) -> dict[UUID, str]:
    """The members of a page who were not met before, and what the shop calls them."""
    met = {order.member_id: order.customer_id for order in page if order.customer_id is not None}
    return {member_id: customer for member_id, customer in met.items() if member_id not in rehearsing.members}
