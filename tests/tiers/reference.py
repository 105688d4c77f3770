"""The course of tiers once more, the naive way: plain loops over plain lists, from the first order to the last.

Nothing is summed up in advance, nothing is resumed: each question is answered by looking at all orders.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty.tiers.domain import Amounts, Ladder, Window

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Order:
    """What was bought and not given back."""

    at: datetime
    counts: Amounts


@dataclass(frozen=True)
class Brought:
    """A tier from another program."""

    at: datetime
    tier: str
    until: datetime | None


@dataclass
class Member:
    """Somebody, and all that is known of them."""

    zone: str
    enrolled_at: datetime
    ladders: list[Ladder]
    orders: list[Order]
    brought: list[Brought] = field(default_factory=list)

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def begin(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


@dataclass
class Merit:
    """What somebody has."""

    tier: str
    reached_on: date
    valid_to: date | None = None
    held_to: date | None = None


def merit(member: Member, now: datetime) -> Merit | None:
    """What somebody has by buying, worked out from nothing; None before there is a ladder."""
    in_force = [ladder for ladder in member.ladders if ladder.effective_from is None or ladder.effective_from <= now]
    if not in_force:
        return None
    return _Walk(member, in_force).upto(now)


class _Walk:
    def __init__(self, member: Member, ladders: list[Ladder]) -> None:
        self.member, self.ladders = member, ladders
        self.ladder = ladders[0]
        self.enrolled_on = member.day(member.enrolled_at)
        self.has = Merit(self.ladder.tiers[0].code, self.enrolled_on)
        self.known: list[tuple[date, int]] = []

    def upto(self, now: datetime) -> Merit:
        """Day by day, and on each day: what ends with it, then by the ladder in force, what was brought and bought."""
        member = self.member
        told = [(each.at, 1, each) for each in member.orders] + [(each.at, 0, each) for each in member.brought]
        told += [(each.effective_from, -1, each) for each in self.ladders if each.effective_from is not None]
        told = [each for each in told if each[0] <= now]
        told.sort(key=lambda each: (member.day(each[0]), self.in_force(each[0]), each[1], each[0]))
        day = min([member.day(now), *(member.day(each[0]) for each in told)])
        while member.begin(day) <= now:
            self.ends(day)
            while told and member.day(told[0][0]) == day:
                at, _, what = told.pop(0)
                if isinstance(what, Ladder):
                    self.adopt(what, at)
                elif isinstance(what, Brought):
                    self.bring(what, day)
                else:
                    self.buy(what.counts.of(self.ladder.basis), what.counts, day)
            day += A_DAY
        return self.has

    def in_force(self, at: datetime) -> int:
        return sum(1 for each in self.ladders if each.effective_from is None or each.effective_from <= at)

    def rank(self, code: str) -> int:
        codes = [tier.code for tier in self.ladder.tiers]
        return codes.index(code) if code in codes else 0

    def reaches(self, value: int) -> int:
        rank = 0
        for n, tier in enumerate(self.ladder.tiers):
            if value >= tier.threshold:
                rank = n
        return rank

    def worth(self, on: date) -> int:
        return sum(worth for day, worth in self.known if counts(self.ladder.window, day, on, self.enrolled_on))

    def kept_by(self, end: date) -> int:
        """What counts for keeping a tier whose validity ends: the window as of then, and what came in the grace."""
        window, total = self.ladder.window, 0
        begins = window.mode not in {"lifetime", "rolling"} and period(window, end, self.enrolled_on) != period(
            window, end - A_DAY, self.enrolled_on
        )
        would_last = begins and valid_until(self.ladder, end - A_DAY, self.enrolled_on) != end
        for day, worth in self.known:
            of_then = counts(window, day, end, self.enrolled_on) if day < end else True
            if of_then or (would_last and counts(window, day, end - A_DAY, self.enrolled_on)):
                total += worth
        return total

    def buy(self, worth: int, _counts: Amounts, day: date) -> None:
        if not worth:
            return
        before = self.worth(day)
        self.known.append((day, worth))
        after = self.worth(day)
        rank = self.rank(self.has.tier)
        until = valid_until(self.ladder, day, self.enrolled_on)
        if self.reaches(after) > rank:
            self.become(self.reaches(after), day, until)
            return
        if rank == 0 or self.has.valid_to is None:
            return
        needed = self.ladder.tiers[rank].threshold
        if before < needed <= after and (until is None or until > self.has.valid_to):
            self.become(rank, day, until)
        elif day >= self.has.valid_to and self.kept_by(self.has.valid_to) >= needed:
            self.become(rank, self.has.reached_on, self.renewed(self.has.valid_to, day))

    def become(self, rank: int, reached_on: date, until: date | None) -> None:
        held = None if until is None else held_until(self.ladder, until)
        self.has = Merit(self.ladder.tiers[rank].code, reached_on, until, held)

    def ends(self, day: date) -> None:
        has = self.has
        if has.valid_to is None or has.held_to is None:
            return
        rank = self.rank(has.tier)
        if day == has.valid_to and self.kept_by(day) >= self.ladder.tiers[rank].threshold:
            self.become(rank, has.reached_on, self.renewed(day, day))
        elif day == has.held_to:
            self.fall(rank, has.valid_to, day)

    def fall(self, rank: int, ended: date, day: date) -> None:
        target = rank - 1
        if self.ladder.downgrade == "full":
            target = min(target, self.reaches(self.kept_by(ended)))
        if target == 0:
            self.become(0, self.has.reached_on, None)
            return
        until, reached_on = self.renewed(ended, day), self.has.reached_on
        for on in sorted({bought for bought, _ in self.known if ended <= bought < day}):
            if self.crossed(self.ladder.tiers[target].threshold, on):
                as_reached = valid_until(self.ladder, on, self.enrolled_on)
                if until is not None and as_reached is not None and as_reached > until:
                    until, reached_on = as_reached, on
        self.become(target, reached_on, until)

    def crossed(self, threshold: int, on: date) -> bool:
        """Whether what counts came to a threshold on a day."""
        upto = [(day, worth) for day, worth in self.known if day <= on]
        value = [worth for day, worth in upto if counts(self.ladder.window, day, on, self.enrolled_on) and day < on]
        of_the_day = [worth for day, worth in upto if day == on]
        return sum(value) < threshold <= sum(value) + sum(of_the_day)

    def renewed(self, ended: date, after: date) -> date | None:
        """As if reached on the last day, as often as it takes to last."""
        validity = self.ladder.validity
        if validity.mode == "forever" or self.ladder.downgrade == "none":
            return None
        if validity.mode == "months":
            times = 1
            while (until := months_later(self.has.reached_on, times * validity.months) + A_DAY) <= max(ended, after):
                times += 1
            return until
        until = ended
        while until <= after:
            next_one = valid_until(self.ladder, until - A_DAY, self.enrolled_on)
            assert next_one is not None
            if next_one == until:
                next_one = valid_until(self.ladder, until, self.enrolled_on)
                assert next_one is not None
            until = next_one
        return until

    def bring(self, brought: Brought, day: date) -> None:
        codes = [tier.code for tier in self.ladder.tiers]
        if brought.tier not in codes or codes.index(brought.tier) < self.rank(self.has.tier):
            return
        rank = codes.index(brought.tier)
        until = valid_until(self.ladder, day, self.enrolled_on)
        if brought.until is not None and self.ladder.downgrade != "none":
            # A day that has begun is a day on which it is valid.
            until = self.member.day(brought.until - timedelta(microseconds=1)) + A_DAY
        self.become(rank, day, until if rank else None)

    def adopt(self, ladder: Ladder, at: datetime) -> None:
        first = ladder is self.ladders[0]
        fresh = self.as_if_always(ladder, at)
        codes = [tier.code for tier in ladder.tiers]
        stays = not first and self.has.tier in codes and ladder.moving != "now"
        if stays and ladder.moving == "upgrades_only":
            stays = codes.index(fresh.tier) <= codes.index(self.has.tier)
        self.ladder = ladder
        day = self.member.day(at)
        self.known = [
            (self.member.day(order.at), worth) for order in self.member.orders
            if order.at < at and (worth := order.counts.of(ladder.basis))
        ]  # fmt: skip
        if not stays:
            self.has = fresh
        elif not self.rank(self.has.tier) or ladder.downgrade == "none":
            self.become(self.rank(self.has.tier), self.has.reached_on, None)
        elif self.has.valid_to is None:
            self.become(self.rank(self.has.tier), self.has.reached_on, valid_until(ladder, day, self.enrolled_on))

    def as_if_always(self, ladder: Ladder, at: datetime) -> Merit:
        member, always = self.member, Ladder(**{**vars(ladder), "effective_from": None})
        before = Member(
            member.zone, member.enrolled_at, [always],
            [order for order in member.orders if order.at < at], [each for each in member.brought if each.at < at],
        )  # fmt: skip
        # What ends with a day ends as it begins, before a ladder can come into force on it.
        return _Walk(before, [always]).upto(at)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or the last before it."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    number = day.day
    while True:
        try:
            return date(year, month, number)
        except ValueError:
            number -= 1


def period(window: Window, day: date, enrolled_on: date) -> tuple[int, int]:
    """The name of the period that a day lies in."""
    if window.mode == "calendar_quarter":
        return day.year, (day.month - 1) // 3
    if window.mode != "membership_year":
        return day.year, 0
    number = enrolled_on.day
    while True:
        try:
            anniversary = date(day.year, enrolled_on.month, number)
            break
        except ValueError:
            number -= 1
    return (day.year, 0) if day >= anniversary else (day.year - 1, 0)


def counts(window: Window, bought: date, on: date, enrolled_on: date) -> bool:
    """Whether what was bought on a day counts on a later one."""
    if window.mode == "lifetime":
        return True
    if window.mode == "rolling":
        return months_later(bought, window.months) + timedelta(days=window.days) >= on
    return period(window, bought, enrolled_on) == period(window, on, enrolled_on)


def valid_until(ladder: Ladder, day: date, enrolled_on: date) -> date | None:
    """The first day on which a tier reached on a day is no longer valid."""
    mode = ladder.validity.mode
    if ladder.downgrade == "none" or mode == "forever":
        return None
    if mode == "months":
        return months_later(day, ladder.validity.months) + A_DAY
    until = day
    for _ in range(1 if mode == "end_of_period" else 2):
        this = period(ladder.window, until, enrolled_on)
        while period(ladder.window, until, enrolled_on) == this:
            until += A_DAY
    return until


def held_until(ladder: Ladder, until: date) -> date:
    """The first day on which it is no longer held."""
    held = until + timedelta(days=ladder.grace.days)
    if ladder.grace.round_to == "month":
        while held.day != 1:
            held += A_DAY
    return held
