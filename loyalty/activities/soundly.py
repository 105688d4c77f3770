"""Doing things for many members together, although the books of one may contradict themselves."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from loyalty.db.session import Session

log = structlog.get_logger()

T = TypeVar("T")


def for_all_but_the_broken(session: Session, items: Sequence[T], do: Callable[[Sequence[T]], int]) -> int:
    """Do something for all items at once; answers how much was done.

    Whose books contradict themselves is left to those who mend them, and holds up nobody: then it is done by halves.
    The caller has locked the members, or their halves are in the order of locks.
    """
    session.run("SAVEPOINT part")
    try:
        return do(items)
    except AssertionError:
        session.run("ROLLBACK TO SAVEPOINT part")
        if len(items) == 1:
            log.exception("books contradict themselves", item=repr(items[0]))
            return 0
        middle = len(items) // 2
        return sum(for_all_but_the_broken(session, half, do) for half in (items[:middle], items[middle:]))
