"""Whether a message is sent, and when: one pure decision, taken when it is due, by what is known then."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from loyalty.core import calendar
from loyalty.notifications import surveying
from loyalty.notifications.domain import (
    IMMEDIATE,
    PUSHED,
    Caps,
    Channel,
    Decision,
    Defer,
    Message,
    QuietHours,
    Recipient,
    Send,
    Settings,
    Suppress,
)

# When those get their digest who want one a day, or one a week (on Mondays), by their own clock.
DIGEST_HOUR = 9
MONDAY = 0

# What a digest tells at most: what is more goes with the next one.
DIGEST_MAX = 20


def decide(waiting: Sequence[Message], recipient: Recipient, settings: Settings, *, now: datetime) -> list[Decision]:
    """What is done with all that is due for one member on one channel, in the order in which it came to be."""
    allowed: list[Message] = []
    decided: list[Decision] = []
    for message in waiting:
        found = _refused(message, recipient, settings, now) or _deferred(message, recipient, settings, now)
        if found is None:
            allowed.append(message)
        else:
            decided.append(found)
    return decided + list(_within_caps(_together(allowed, recipient, settings), recipient, settings.caps, now))


def address_of(channel: Channel, recipient: Recipient) -> bool:
    """Whether a channel can reach the member."""
    if channel == "email":
        return bool(recipient.email)
    return channel != "apprise" or bool(recipient.email or recipient.phone)


def _refused(message: Message, recipient: Recipient, settings: Settings, now: datetime) -> Suppress | None:
    channel, wants = message.channel, recipient.preferences
    checks = (
        ("member_suspended", recipient.status == "suspended"),
        ("member_closed", recipient.status not in {"active", "suspended"}),
        ("channel_off", channel not in settings.channels_of(message.kind)),
        ("channel_refused", not wants.channels.get(channel, True)),
        ("kind_refused", not wants.kinds.get(message.kind, {}).get(channel, True)),
        ("no_address", not address_of(channel, recipient)),
        # Whoever opens the inbox has come to see what is new; nobody is pushed.
        ("no_consent", message.is_marketing and channel != "inbox" and recipient.consents.get(channel) is not True),
        ("survey_gone", surveying.is_gone(settings, message.data)),
        ("outdated", message.outdated_at is not None and message.outdated_at <= now),
    )
    return next((Suppress(message, reason) for reason, holds in checks if holds), None)


def _deferred(message: Message, recipient: Recipient, settings: Settings, now: datetime) -> Defer | None:
    if message.channel not in PUSHED or message.kind in IMMEDIATE:
        return None
    until = [
        *_digest_time(message, recipient),
        *_end_of_quiet(recipient.preferences.quiet_hours or settings.quiet_hours, recipient.time_zone, now),
    ]
    latest = max(until, default=now)
    return Defer(message, latest) if latest > now else None


def _digest_time(message: Message, recipient: Recipient) -> Iterator[datetime]:
    """When the digest comes that the message goes with, for whoever wants digests."""
    pace, zone = recipient.preferences.digest, recipient.time_zone
    if pace == "off":
        return
    day = calendar.local_date(message.created_at, zone)
    while not (pace == "daily" or day.weekday() == MONDAY) or _morning(day, zone) < message.created_at:
        day = calendar.day_after(day)
    yield _morning(day, zone)


def _morning(day: date, zone: str) -> datetime:
    return calendar.at(day, time(DIGEST_HOUR), zone)


def _end_of_quiet(hours: QuietHours | None, zone: str, now: datetime) -> Iterator[datetime]:
    """When the quiet hours end that it is in now."""
    if hours is None:
        return
    today = calendar.local_date(now, zone)
    # Those that go over midnight may have begun yesterday.
    for day in (today - timedelta(days=1), today):
        begin = calendar.at(day, hours.begin, zone)
        ends_on = day if hours.begin < hours.end else calendar.day_after(day)
        end = calendar.at(ends_on, hours.end, zone)
        if begin <= now < end:
            yield end


def _together(allowed: Sequence[Message], recipient: Recipient, settings: Settings) -> Iterator[Send]:
    """What goes out as one, in the order of what came first: transactional and marketing apart."""
    wants_digests = recipient.preferences.digest != "off"
    least = 2 if wants_digests else (settings.digest.least if settings.digest else None)
    groups: dict[tuple[bool, bool], list[Message]] = defaultdict(list)
    for message in allowed:
        groups[_apart(message)].append(message)
    for message in allowed:
        joinable, _ = key = _apart(message)
        group = groups[key]
        if not (joinable and least is not None and len(group) >= least):
            yield Send((message,))
        elif message is group[0]:
            yield from (Send(tuple(group[n : n + DIGEST_MAX])) for n in range(0, len(group), DIGEST_MAX))


def _apart(message: Message) -> tuple[bool, bool]:
    """Whether a message may be part of a digest, and of which."""
    return message.channel in PUSHED and message.kind not in IMMEDIATE, message.is_marketing


def _within_caps(sends: Iterator[Send], recipient: Recipient, caps: Caps, now: datetime) -> Iterator[Decision]:
    """What is sent of it, and what would be more than the member is to get in a day or a week."""
    zone = recipient.time_zone
    today = calendar.local_date(now, zone)
    monday = today - timedelta(days=today.weekday())
    days = [calendar.local_date(at, zone) for at in recipient.marketing_sent_at]
    sent_today, sent_this_week = days.count(today), sum(day >= monday for day in days)
    for send in sends:
        if send.messages[0].is_marketing and send.messages[0].channel in PUSHED | {"webhook"}:
            over = (caps.day is not None and sent_today >= caps.day) or (
                caps.week is not None and sent_this_week >= caps.week
            )
            if over:
                yield from (Suppress(message, "frequency_cap") for message in send.messages)
                continue
            sent_today, sent_this_week = sent_today + 1, sent_this_week + 1
        yield send
