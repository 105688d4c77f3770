"""Webhooks: who is told what, and when it is tried again. Pure: chance is a number from 0 to 1 that is passed in."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

DELIVER = "webhooks.deliver"

# How long to wait at most after the first failure, the second …; the last holds from then on. How long it really is,
# chance decides, from nothing to this ("full jitter"): what failed together does not come back together.
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1_800, 3_600, 2 * 3_600, 4 * 3_600, 8 * 3_600)
)
DELAY_LEAST = timedelta(seconds=1)
# What has failed for that long, and has been tried as often as there are delays, is not tried again by itself.
GIVE_UP_AFTER = timedelta(days=3)
# A receiver may ask to be left alone, but not for longer.
RETRY_AFTER_MAX = timedelta(hours=1)

# So many in a row that nobody answered: then the receiver as a whole is away, and is asked by one delivery at a time.
AWAY_AFTER = 3
# It is asked at least so often, which costs nothing, and is told everything soon after it is back.
ASK_AGAIN_MAX = timedelta(minutes=5)
# Said for the receiver by what stands before it, or by a receiver that has no time: about no delivery in particular.
AWAY_STATUSES = frozenset({429, 502, 503, 504})
GONE = 410

SENDERS = 8
# Longer than a request can take, its name's resolution included. Who has not said by then what came of it is dead.
LEASE = timedelta(minutes=2)
# A job of one endpoint goes on for so long, and then gives way to those of others.
RUN = timedelta(seconds=20)
KEEP_DELIVERED = timedelta(days=30)
REPLAY_MOST = 50_000
SECRETS_MOST = 2

Reason = Literal["asked", "gone", "failing"]
REASONS: tuple[Reason, ...] = ("asked", "gone", "failing")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A webhook to be made: where to, and which types of facts (none named: all; `points.*`: all that begin so)."""

    url: str
    types: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that signs, without what it is."""

    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook as it is configured, and how it is doing."""

    webhook_id: UUID
    url: str
    types: list[str]
    description: str
    version: int
    created_at: datetime
    paused_at: datetime | None
    paused_reason: Reason | None
    sequence: int
    delivered: int
    waiting: int
    waiting_since: datetime | None
    failing_since: datetime | None
    next_try_at: datetime | None
    secrets: list[Secret] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Whether it is told anything at all."""
        return "active" if self.paused_at is None else "paused"


@dataclass(frozen=True, slots=True)
class Issued:
    """A webhook with a secret that was just made, which is shown this once."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be sent: a fact, and its number among those that this webhook is told."""

    sequence: int | None
    event_id: UUID
    type: str
    version: int
    customer_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    attempts: int = 0
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt: the status that was answered, or why there was none."""

    status: int | None = None
    error: str | None = None
    milliseconds: int = 0
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has it: 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004

    @property
    def is_away(self) -> bool:
        """Whether the receiver as a whole seems to be away, rather than refuse this one delivery."""
        return self.status is None or self.status in AWAY_STATUSES


@dataclass(frozen=True, slots=True)
class Health:
    """Of an endpoint: how often in a row it was away, since when, and when it is asked again."""

    failures: int = 0
    failing_since: datetime | None = None
    next_try_at: datetime | None = None

    @property
    def is_away(self) -> bool:
        """Whether it is asked by one delivery at a time."""
        return self.failures >= AWAY_AFTER or self.next_try_at is not None


def patterns(types: tuple[str, ...] | list[str]) -> list[str]:
    """The types that a webhook is told, for LIKE: `points.*` is `points.%`; none named are all."""
    escaped = (name.replace("\\", r"\\").replace("_", r"\_").replace("%", r"\%") for name in types)
    return [name[:-1] + "%" if name.endswith(".*") else name for name in escaped] or ["%"]


def delay(failures: int, *, chance: float) -> timedelta:
    """How long to wait after so many failures."""
    return max(DELAYS[min(failures, len(DELAYS)) - 1] * chance, DELAY_LEAST)


def gives_up(failures: int, failing_since: datetime | None, now: datetime) -> bool:
    """Whether it has failed for so long and so often that it is not tried again by itself."""
    return failing_since is not None and failures >= len(DELAYS) and now - failing_since >= GIVE_UP_AFTER


def retry_at(message: Message, outcome: Outcome, health: Health, *, chance: float, now: datetime) -> datetime:
    """When a delivery that failed is tried again: later the more often it failed, and not before it was asked for.

    Whose receiver is away waits no longer than that is.
    """
    if outcome.is_away and health.next_try_at is not None:
        return health.next_try_at
    return now + max(delay(message.attempts, chance=chance), _asked_for(outcome))


def health_after(health: Health, outcome: Outcome, *, chance: float, now: datetime) -> Health:
    """How an endpoint is doing after one more attempt."""
    if not outcome.is_away:
        return Health()
    if health.next_try_at is not None and now < health.next_try_at:
        return health  # it was sent before that was known
    failures, asked = health.failures + 1, _asked_for(outcome)
    after = replace(health, failures=failures, failing_since=health.failing_since or now, next_try_at=None)
    if failures >= AWAY_AFTER:
        asked = max(asked, min(delay(failures - AWAY_AFTER + 1, chance=chance), ASK_AGAIN_MAX))
    return replace(after, next_try_at=now + asked) if asked else after


def pause_for(message: Message, outcome: Outcome, health: Health, *, now: datetime) -> Reason | None:
    """Why an endpoint is not to be told anything any more, if so, after an attempt that failed."""
    if outcome.status == GONE:
        return "gone"
    since = message.failing_since or now
    if gives_up(message.attempts, since, now) or gives_up(health.failures, health.failing_since, now):
        return "failing"
    return None


def _asked_for(outcome: Outcome) -> timedelta:
    if outcome.retry_after is None or outcome.status not in AWAY_STATUSES:
        return timedelta(0)
    return min(outcome.retry_after, RETRY_AFTER_MAX)
