"""Lives of members, in few words: a ladder, what was bought when, and where that leaves a member.

Instants are written as the wall of the program's zone shows them, "2025-12-31 23:59:59.999999"; a day alone is noon of
it. Amounts are minor units of spending, as many points, and one order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.core import calendar
from loyalty.tiers import standing as standings
from loyalty.tiers import terms
from loyalty.tiers.course import State
from loyalty.tiers.domain import Amounts, Grace, Grant, Ladder, Ladders, Tier, Validity, Window
from loyalty.tiers.progress import Progress
from loyalty.tiers.standing import News, Standing

WARSAW = "Europe/Warsaw"
STEPS = {"bronze": 0, "silver": 100, "gold": 300}
A_MICROSECOND = timedelta(microseconds=1)
MEMBER = UUID(int=1)


def at(wall: str, zone: str = WARSAW) -> datetime:
    """The instant at which the wall of a zone shows this."""
    shown = datetime.fromisoformat(wall)
    if len(wall) == len("2025-12-31"):
        shown = datetime.combine(shown, time(12))
    return shown.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


def a_window(text: str) -> Window:
    """A window: its mode, or "12 months", "90 days", "1 months 10 days"."""
    if not text[0].isdigit():
        return Window(text)  # type: ignore[arg-type]
    words = text.split()
    return Window("rolling", **{unit: int(n) for n, unit in zip(words[::2], words[1::2], strict=True)})


def a_validity(text: str) -> Validity:
    """A validity: its mode, or "12 months"."""
    return Validity("months", int(text.split(maxsplit=1)[0])) if text[0].isdigit() else Validity(text)  # type: ignore[arg-type]


def a_grace(text: str) -> Grace:
    """A grace: "", "30 days", or "10 days to month"."""
    words = text.split()
    return Grace(int(words[0]), words[3] if len(words) > 2 else None) if words else Grace()  # type: ignore[arg-type]


def a_ladder(
    window: str = "lifetime", validity: str = "forever", downgrade: str = "full", grace: str = "", *,
    steps: Mapping[str, int] = STEPS, version: int = 1, begins: str | None = None, zone: str = WARSAW, **given: Any,
) -> Ladder:  # fmt: skip
    """Bronze at 0, silver at 100, gold at 300 of what was ever spent, in force from the beginning."""
    return Ladder(**{
        "version": version, "basis": "spend", "downgrade": downgrade,
        "window": a_window(window), "validity": a_validity(validity), "grace": a_grace(grace),
        "tiers": tuple(Tier(code=code, name=code.title(), threshold=least) for code, least in steps.items()),
        "effective_from": at(begins, zone) if begins else None, **given,
    })  # fmt: skip


def some_ladders(*published: Ladder, zone: str = WARSAW) -> Ladders:
    """All ladders of a program."""
    return Ladders.of(published, zone)


def amounts(worth: int) -> Amounts:
    """What an order of so much counts; less than nothing if it is given back."""
    return Amounts(worth, worth, (worth > 0) - (worth < 0))


def in_words(state: State) -> str:
    """A state as a line: its day, tier and reason, and until when it is valid."""
    return " ".join(str(word) for word in (state.day, state.tier, state.reason, state.valid_to or "")).strip()


@dataclass
class Life:
    """A member whose life is told event by event; each is known at once unless `told` says when."""

    ladders: Ladders
    enrolled: str = "2020-01-01"
    standing: Standing = field(init=False)

    def __post_init__(self) -> None:
        self.standing = a_standing(self.at(self.enrolled))

    def at(self, wall: str) -> datetime:
        """The instant that the wall of this program shows."""
        return at(wall, self.ladders.zone)

    def buys(self, when: str, worth: int | Amounts, *, told: str | None = None, cause: str = "order") -> "Life":
        """An order, or what was given back of one (negative)."""
        counts = worth if isinstance(worth, Amounts) else amounts(worth)
        news = News(self.at(when), counts, cause, "o-1")
        self.standing = standings.count(self.standing, self.ladders, news, now=self.at(told or when))
        return self

    def returns(self, when: str, worth: int, *, told: str, orders: int = 1) -> "Life":
        """What was bought comes back."""
        return self.buys(when, -Amounts(worth, worth, orders), told=told, cause="return")

    def is_given(
        self, kind: str, tier: str, since: str, until: str | None = None, *, told: str | None = None
    ) -> "Life":
        """A tier that is granted."""
        given = a_grant(kind, tier, self.at(since), self.at(until) if until else None)
        self.standing = standings.grant(self.standing, self.ladders, given, now=self.at(told or since))
        return self

    def waits(self, until: str) -> "Life":
        """Time goes by."""
        self.standing = standings.settle(self.standing, self.ladders, now=self.at(until))
        return self

    def has(self, when: str) -> str | None:
        """The tier, grants included."""
        found = standings.tier_at(self.standing, self.ladders, self.at(when))
        return found[0].code if found else None

    @property
    def told(self) -> list[str]:
        """What happened, but the enrolment."""
        return [in_words(state) for state in self.standing.states if state.reason != "enrolled"]

    @property
    def seen(self) -> list[str]:
        """The changes of tier, as the evaluations tell them."""
        return [f"{e.old or '-'} > {e.new}: {e.cause}" for e in self.standing.evaluations if e.old != e.new]


def a_standing(enrolled_at: datetime, *, given: Iterable[Grant] = (), progress: Progress | None = None) -> Standing:
    """Somebody of whom nothing was recorded."""
    counts = progress or Progress(Amounts(), {})
    return Standing(member_id=MEMBER, enrolled_at=enrolled_at, progress=counts, grants=tuple(given))


def a_grant(kind: str, tier: str, since: datetime, until: datetime | None = None) -> Grant:
    """A tier that is granted."""
    return Grant(kind=kind, tier=tier, since=since, until=until, reason="test", granted_at=since)  # type: ignore[arg-type]


def known_in_time(standing: Standing, ladders: Ladders, now: datetime) -> Standing:
    """The same life, worked out at once from all that is known at its end."""
    fresh = a_standing(standing.enrolled_at, given=standing.grants, progress=standing.progress)
    return standings.anew(fresh, ladders, cause="recomputed", reference=None, now=now)


@dataclass
class Record:
    """What is stored of a member, and only as much of it read again as the next step needs."""

    ladders: Ladders
    whole: Standing

    def store(self, standing: Standing) -> None:
        """Write down what came of a step."""
        last, kept = self.whole.last_number, {s.number: s for s in self.whole.states}
        for number in standing.void:
            del kept[number]
        for state in standing.states:
            number = state.number
            if not number:
                number = last = last + 1
            kept[number] = replace(state, number=number)
        progress = self.whole.progress
        for bucket, found in standing.added.items():
            progress = progress.plus(bucket, found)
        states = sorted(kept.values(), key=lambda s: (s.position, s.number))
        self.whole = replace(
            standing, states=tuple(states), last_number=last, progress=progress, added={}, void=(), evaluations=()
        )

    def read(self, instant: datetime, now: datetime, *, everything: bool = False) -> Standing:
        """The standing, as far as it matters to news of an instant."""
        whole, zone = self.whole, self.ladders.zone
        on = calendar.local_date(instant, zone)
        if everything or not whole.states:
            return whole
        before = [n for n, state in enumerate(whole.states) if state.day < on]
        found = replace(whole, states=whole.states[before[-1] if before else 0 :])
        ladder = self.ladders.at(now)
        coming = (each.effective_from for each in self.ladders.published)
        if ladder is None or whole.state.ladder_version != ladder.version:
            return found
        if any(begin is not None and instant < begin <= now for begin in coming):
            return found
        enrolled_on = calendar.local_date(whole.enrolled_at, zone)
        since = min(terms.window_begin(ladder.window, on, enrolled_on), standings.counts_from(found, self.ladders))
        days = {bucket: counts for bucket, counts in whole.progress.days.items() if bucket[0] >= since}
        return replace(found, progress=Progress(whole.progress.total, days, since))
