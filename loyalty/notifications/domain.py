"""Messages, and what a program, a member and the law say about sending them, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from loyalty.templates.kinds import KINDS

Channel = Literal["inbox", "email", "webhook", "apprise"]
Status = Literal["queued", "sent", "digested", "suppressed", "failed"]
Pace = Literal["off", "daily", "weekly"]

CHANNELS: Final[tuple[Channel, ...]] = ("inbox", "email", "webhook", "apprise")
STATUSES: Final[tuple[Status, ...]] = ("queued", "sent", "digested", "suppressed", "failed")

# These reach into somebody's day: they keep quiet hours and caps, and come together rather than in bursts.
PUSHED: Final[frozenset[Channel]] = frozenset({"email", "apprise"})
# These leave the house by a sender that may fail; the others are done when they are written down.
CARRIED: Final[frozenset[Channel]] = frozenset({"email", "apprise"})

# Somebody waits for it, maybe at a till.
IMMEDIATE: Final[frozenset[str]] = frozenset({"voucher_issued"})
# What happens with every order is worth a line in the inbox; sent out unasked it would soon be noise.
QUIET_KINDS: Final[frozenset[str]] = frozenset({"points_earned", "points_matured"})

# Why a message was not sent.
REASONS: Final[Mapping[str, str]] = {
    "member_suspended": "The member is suspended.",
    "member_closed": "The membership is closed.",
    "no_address": "The member has no address on this channel.",
    "no_consent": "Marketing on this channel needs the member's consent.",
    "channel_refused": "The member wants nothing on this channel.",
    "kind_refused": "The member does not want this kind on this channel.",
    "channel_off": "The program does not use this channel for this kind any more.",
    "frequency_cap": "The member has had enough messages for now.",
    "outdated": "When it could have been sent, it was true no longer.",
    "nothing_expires": "The points were used meanwhile.",
    "tier_kept": "The tier is not about to end any more.",
    "offer_closed": "The offer was used or refused meanwhile.",
    "order_gone": "The order was cancelled or returned.",
    "asked_lately": "The member was asked something else a short while ago.",
    "already_answered": "The member has answered by themselves meanwhile.",
    "survey_gone": "The program does not ask this any more.",
    "reward_gone": "The reward cannot be had any more.",
    "voucher_gone": "The voucher cannot be used any more.",
    "address_refused": "The receiving side refused the address or the message for good.",
    "gave_up": "It could not be delivered for days.",
    "template_broken": "Its template cannot be rendered.",
}


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours of the day in which nobody is disturbed; they may go over midnight."""

    begin: time
    end: time


@dataclass(frozen=True, slots=True)
class Caps:
    """How many marketing messages a member gets on a channel in a day and in an ISO week; None: any number."""

    day: int | None = 2
    week: int | None = 5


@dataclass(frozen=True, slots=True)
class Digest:
    """A message waits for so many `minutes`; if `least` or more have come together by then, they go as one."""

    minutes: int = 15
    least: int = 3


@dataclass(frozen=True, slots=True)
class Feedback:
    """Members are asked how it was, so many days after an order. In the URL, `{order_id}` is replaced."""

    url: str
    after_days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A question that members are asked: `delay_days` after what is its occasion.

    An order: every one, the member's n-th (`orders`) or every n-th (`every_orders`); a return; an activity of a type.
    Who was asked anything else in the `cooldown_days` before is not asked.
    """

    code: str
    kind: str
    occasion: Literal["order", "return", "activity"]
    url: str
    orders: int | None = None
    every_orders: int | None = None
    activity: str | None = None
    delay_days: int = 7
    touchpoint: str | None = None
    cooldown_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a program tells its members, on which channels, and when at the earliest.

    `kinds`: the channels of a kind, for those that do not go to every channel that is on. `expiring_days`,
    `lapsing_days`: so many days ahead members are told that points expire, or that their tier ends.
    """

    channels: frozenset[str] = frozenset({"inbox"})
    kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    expiring_days: tuple[int, ...] = (30, 7)
    lapsing_days: tuple[int, ...] = (30, 7)
    offer_ending_days: int = 3
    statement_day: int | None = 1
    within_reach_percent: int = 100
    quiet_hours: QuietHours | None = QuietHours(time(21), time(8))
    caps: Caps = Caps()
    digest: Digest | None = Digest()
    feedback: Feedback | None = None
    surveys: tuple[Survey, ...] = ()
    sender: str | None = None
    reply_to: str | None = None
    storefront_url: str | None = None

    def channels_of(self, kind: str) -> tuple[Channel, ...]:
        """The channels on which a kind is sent."""
        wanted = self.kinds.get(kind)
        if wanted is None:
            wanted = self.channels - PUSHED if kind in QUIET_KINDS else self.channels
        return tuple(channel for channel in CHANNELS if channel in wanted and channel in self.channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a member wants: channels and kinds that were turned off (or on again), and when.

    None of `quiet_hours` and `time_zone`: as the program has it.
    """

    channels: Mapping[str, bool] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    quiet_hours: QuietHours | None = None
    time_zone: str | None = None
    digest: Pace = "off"


class Told(Protocol):
    """A fact as it stands in the log: of a member, or of the program, whose id `owner_id` is then."""

    @property
    def owner_id(self) -> UUID:
        """Whose it is."""

    @property
    def event_id(self) -> UUID:
        """Which it is."""

    @property
    def type(self) -> str:
        """What happened."""

    @property
    def occurred_at(self) -> datetime:
        """When."""

    @property
    def data(self) -> dict[str, Any]:
        """The rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Something that a member is to be told: of which kind, and by which key it is told once only.

    Before `not_before` it is too early, from `outdated_at` on too late.
    """

    member_id: UUID
    kind: str
    key: str
    data: dict[str, Any]
    occurred_at: datetime
    not_before: datetime | None = None
    outdated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to a member on one channel that waits to be sent."""

    member_id: UUID
    message_id: UUID
    kind: str
    channel: Channel
    key: str
    data: dict[str, Any]
    occurred_at: datetime
    created_at: datetime
    due_at: datetime
    outdated_at: datetime | None
    attempts: int
    seq: int

    @property
    def is_marketing(self) -> bool:
        """Whether it needs consent, and counts against the caps."""
        return KINDS[self.kind].category == "marketing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A member as far as it matters for sending. `marketing_sent_at`: what was sent on the channel lately."""

    member_id: UUID
    customer_id: str
    status: str
    enrolled_at: datetime
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    locale: str | None
    consents: Mapping[str, Any]
    preferences: Preferences
    time_zone: str
    marketing_sent_at: tuple[datetime, ...] = ()


# What is decided about a message that waits.


@dataclass(frozen=True, slots=True)
class Send:
    """These go out now: one message, or several as a digest."""

    messages: tuple[Message, ...]

    @property
    def is_digest(self) -> bool:
        """Whether several go as one."""
        return len(self.messages) > 1


@dataclass(frozen=True, slots=True)
class Suppress:
    """It is not sent, for one of REASONS."""

    message: Message
    reason: str


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now: at this instant it is looked at again."""

    message: Message
    until: datetime


Decision = Send | Suppress | Defer
