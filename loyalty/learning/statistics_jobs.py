"""Counting what members buy all together, at night."""

from loyalty.core import clock
from loyalty.db.queue import Stop
from loyalty.db.session import reading
from loyalty.learning import counting


def count_statistics(stop: Stop) -> int:
    """Count the programs whose night has come; answers how many."""
    with reading() as session:
        due = counting.due(session, now=clock.real_now())
    done = 0
    for program_id, now in due:
        if stop():
            break
        done += counting.count(program_id, told=lambda _stage, _done, _total: not stop(), now=now) is not None
    return done
