"""Dealing with what is due on a channel: claim, decide, put into words, carry, write down.

What is decided is written with the claim. What goes out is carried with no transaction open, and each is written down
as soon as it is out: a worker that is killed leaves only those unrecorded that were on their way at that moment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from loyalty.core import clock
from loyalty.db.session import Session, transaction
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.notifications import arranging, carrying, claiming, events, gathering, rechecking, recording, rendering
from loyalty.notifications.carriers.carrier import Carrier, Parcel
from loyalty.notifications.carrying import Load, Stop
from loyalty.notifications.deciding import decide
from loyalty.notifications.domain import (
    CARRIED,
    Channel,
    Decision,
    Defer,
    Message,
    Recipient,
    Send,
    Settings,
    Suppress,
)
from loyalty.notifications.rendering import UNSAYABLE, Renderer
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program

BATCH = 200


@dataclass(slots=True)
class Prepared:
    """What was claimed, and what is left to be carried of it."""

    claimed: int
    loads: list[Load] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The messages of one program that are due on one channel, with all that is known of it."""

    session: Session
    program: Program
    settings: Settings
    channel: Channel
    members: Mapping[UUID, Recipient]
    renderer: Renderer
    now: datetime


def deliver(
    channel: Channel, carrier: Carrier | None, *, public_url: str = "", stop: Stop = lambda: False, limit: int = BATCH
) -> int:
    """Deal with all that is due on a channel, in every program by its own clock; answers how many messages that was.

    Without a carrier, what would have to be carried waits.
    """
    if channel in CARRIED and carrier is None:
        return 0
    done = 0
    with transaction() as session:
        due = claiming.programs_with_due(session, channel, now=clock.real_now())
    for program_id, ahead in due:
        while not stop():
            real_now = clock.real_now()
            now = real_now + ahead
            with transaction() as session:
                prepared = prepare(
                    session, program_id, channel, public_url=public_url, limit=limit, now=now, real_now=real_now
                )
            done += prepared.claimed
            if not prepared.claimed:
                break
            if carrier and not carrying.carry(carrier, program_id, prepared.loads, ahead=ahead, stop=stop):
                return done
    return done


def prepare(
    session: Session, program_id: UUID, channel: Channel, *, public_url: str, limit: int, now: datetime,
    real_now: datetime,
) -> Prepared:  # fmt: skip
    """Claim what is due, and write down what can be: what is not sent and why, what waits, what needs no carrier."""
    claimed = claiming.claim(session, program_id, channel, limit=limit, now=now, real_now=real_now)
    if not claimed:
        return Prepared(0)
    program = programs.current(session, program_id)
    settings = arranging.settings_of(session, program_id)
    members = gathering.recipients(session, program, channel, claimed, now=now)
    waiting = [message for messages in claimed.values() for message in messages]
    waiting, untrue = rechecking.rechecked(session, program, waiting, now=now)
    case = Case(
        session=session, program=program, settings=settings, channel=channel, members=members, now=now,
        renderer=rendering.renderer(
            session, program, settings, waiting, members, public_url=public_url, now=now
        ),
    )  # fmt: skip
    changes, prepared = Changes(), Prepared(len(waiting))
    for member_id, messages in groupby(waiting, key=attrgetter("member_id")):
        decided = _decided(list(messages), members[member_id], untrue, settings, now)
        prepared.loads.extend(_carried_out(case, changes, decided))
    write(session, changes)
    return prepared


def _decided(
    messages: Sequence[Message], who: Recipient, untrue: Mapping[UUID, str], settings: Settings, now: datetime
) -> list[Decision]:
    gone = [Suppress(message, untrue[message.message_id]) for message in messages if message.message_id in untrue]
    still = [message for message in messages if message.message_id not in untrue]
    return [*gone, *decide(still, who, settings, now=now)]


def _carried_out(case: Case, changes: Changes, decided: Sequence[Decision]) -> Iterator[Load]:
    """Write down what was decided; answers what is to be carried."""
    for decision in decided:
        if isinstance(decision, Suppress):
            recording.suppressed(changes, decision, now=case.now)
        elif isinstance(decision, Defer):
            recording.deferred(changes, decision)
        elif case.channel in CARRIED:
            yield from _loaded(case, changes, decision)
        else:
            _told(case, changes, decision)


def _loaded(case: Case, changes: Changes, send: Send) -> Iterator[Load]:
    """What is to be sent, in words."""
    who = case.members[send.messages[0].member_id]
    try:
        worded = case.renderer.worded(send, who)
    except UNSAYABLE as broken:
        for message in send.messages:
            recording.failed(changes, message, "template_broken", str(broken), now=case.now)
        return
    parcel = Parcel(
        message_id=str(send.messages[0].message_id),
        kind=send.messages[0].kind,
        language=worded.words.language or "",
        email=who.email,
        phone=who.phone,
        words=worded.rendered,
        sent_at=case.now,
        sender=case.settings.sender,
        reply_to=case.settings.reply_to,
        unsubscribe_url=worded.unsubscribe_url,
    )
    yield Load(send=send, who=who, parcel=parcel, words=worded.words)


def _told(case: Case, changes: Changes, send: Send) -> None:
    """What needs no carrier: it lies in the inbox from now on, or the shop is told to send it."""
    (message,) = send.messages
    who = case.members[message.member_id]
    if case.channel == "webhook":
        asked = events.message_requested(
            who.member_id, who.customer_id, message_id=message.message_id, kind=message.kind,
            category="marketing" if message.is_marketing else "transactional",
            language=rendering.tag_of(who, case.program), data=message.data, occurred_at=case.now,
        )  # fmt: skip
        facts.tell(changes, case.program.program_id, asked, now=case.now)
    recording.sent(changes, case.program.program_id, who, send, now=case.now)
