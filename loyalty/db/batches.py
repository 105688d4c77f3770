"""Much work in small transactions."""

from collections.abc import Callable

from loyalty.db.session import Session, transaction

# Does a bounded part of the work and answers how much that was.
Batch = Callable[[Session], int]


def in_batches(batch: Batch, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Run a batch in a transaction of its own, again and again until one finds nothing to do; answers the sum.

    Between two batches all is committed and nothing is locked, so there it may be interrupted: by a kill, or because
    `stop` says so.
    """
    total = 0
    while not stop():
        with transaction() as session:
            done = batch(session)
        if not done:
            break
        total += done
    return total
