"""Carrying messages out, several at a time, each member's one after the other, and writing down each that is out."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from loyalty.core import clock
from loyalty.db.session import transaction
from loyalty.db.writer import Changes, write
from loyalty.notifications import claiming, recording
from loyalty.notifications.carriers.carrier import Carrier, Down, Line, Missed, NotCarried, Parcel, Refused
from loyalty.notifications.domain import Message, Recipient, Send
from loyalty.notifications.recording import Words

log = structlog.get_logger()

Stop = Callable[[], bool]

# So many are on their way at once, and so many may be sent twice when a worker is killed.
LINES = 4

# After so long nothing new is begun of a claim: what is on its way is to be recorded while nobody else may have it.
ENOUGH = claiming.LEASE - timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be carried, and what is to be written down when it was."""

    send: Send
    who: Recipient
    parcel: Parcel
    words: Words


class _Lines:
    """The lines of a carrier: who sends takes one, and puts it back."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._free = deque(lines)

    def send(self, parcel: Parcel) -> NotCarried | None:
        """Carry a parcel; answers why it could not be."""
        line = self._free.popleft()
        try:
            line(parcel)
        except NotCarried as why:
            return why
        finally:
            self._free.append(line)
        return None


def carry(
    carrier: Carrier, program_id: UUID, loads: Sequence[Load], *, ahead: timedelta, stop: Stop, lines: int = LINES
) -> bool:
    """Carry loads that were claimed just now. What could not be begun in time is given back.

    Answers whether the carrier is up: if not, nothing more is tried for now, and no attempt is counted.
    """
    queues: dict[UUID, deque[Load]] = {}
    for load in loads:
        queues.setdefault(load.who.member_id, deque()).append(load)
    ready, sending = deque(queues.values()), dict[Future[NotCarried | None], deque[Load]]()
    passed, down = clock.stopwatch(), False
    with ExitStack() as stack, ThreadPoolExecutor(lines, thread_name_prefix="carrier") as pool:
        way_out = _Lines([stack.enter_context(carrier.line()) for _ in range(lines)])
        while ready or sending:
            while ready and len(sending) < lines and not down and not stop() and passed() < ENOUGH:
                queue = ready.popleft()
                sending[pool.submit(way_out.send, queue[0].parcel)] = queue
            if not sending:
                break
            for future in wait(sending, return_when=FIRST_COMPLETED).done:
                queue, why = sending.pop(future), future.result()
                if isinstance(why, Down):
                    log.warning("channel down", why=str(why))
                    down = True
                    ready.append(queue)
                    continue
                _write_down(program_id, queue.popleft(), why, now=clock.real_now() + ahead)
                # Who could not be reached now is not sent what came later, either.
                if queue and not isinstance(why, Missed):
                    ready.append(queue)
                elif queue:
                    _give_back([queue])
    _give_back(ready)
    return not down


def _write_down(program_id: UUID, load: Load, why: NotCarried | None, *, now: datetime) -> None:
    changes = Changes()
    if why is None:
        recording.sent(changes, program_id, load.who, load.send, load.words, now=now)
    for message in load.send.messages if why is not None else ():
        if isinstance(why, Refused):
            recording.failed(changes, message, "address_refused", str(why), now=now)
        else:
            recording.missed(changes, message, str(why), now=now)
    with transaction() as session:
        write(session, changes)


def _give_back(queues: Sequence[Sequence[Load]] | deque[deque[Load]]) -> None:
    unsent: list[Message] = [message for queue in queues for load in queue for message in load.send.messages]
    if unsent:
        with transaction() as session:
            claiming.release(session, unsent)
