"""How a member goes up and down a ladder by buying: a pure function of what counts, day by day.

A tier is *reached* when what counts comes to its threshold, at once, and may be several steps up. It is reached again
when that happens anew, in a new period or after it had fallen below; then its validity is extended. When the validity
ends, the tier is *kept* if the window as of then still holds its threshold; else the grace begins, in which what is
missing can be made up for; and when that ends, too, the member *falls* as the ladder says. A new ladder is *adopted*
when it comes into force.

All of that happens at positions in the course of things: the days that begin, ladders that come into force, and what
was bought, in that order. To run the course again from anywhere gives what it gave before.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from loyalty.core import calendar
from loyalty.tiers import terms
from loyalty.tiers.domain import Ladder, Ladders, alone
from loyalty.tiers.progress import Bucket, Progress
from loyalty.tiers.terms import EVER

# What happens, in the order in which it does on one day; all but the first by version of the ladder.
ENDED, ADOPTED, IMPORTED, COUNTED = range(4)
Position = tuple[date, int, int]
END: Position = (date.max, 0, COUNTED)

A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Which tier a member has by buying, since when, and until when it is valid, and held (days, half-open).

    `reached_on` is the day from which months of validity are counted. `reason`: enrolled, reached, reached_again, kept,
    fell, moved (to another ladder), stayed (when there was another ladder), imported. `number`: under which it is
    recorded; 0: not yet.
    """

    ladder_version: int
    tier: str
    since: datetime
    reached_on: date
    valid_to: date | None = None
    held_to: date | None = None
    day: date
    step: int
    reason: str
    number: int = field(default=0, compare=False)

    @property
    def position(self) -> Position:
        """Where in the course of things it began."""
        return (self.day, self.ladder_version if self.step >= ADOPTED else -1, self.step)


@dataclass(frozen=True, slots=True)
class Imported:
    """A tier that a member brought along from another program, when the ladder of a version was in force."""

    tier: str
    since: datetime
    until: datetime | None
    version: int


@dataclass(frozen=True, kw_only=True)
class Life:
    """What a course depends on beside what counts. `moments`: at which instant a bucket made a difference, if known."""

    ladders: Ladders
    enrolled_at: datetime
    imported: tuple[Imported, ...] = ()
    moments: Mapping[Bucket, datetime] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        """The program's time zone."""
        return self.ladders.zone

    @cached_property
    def enrolled_on(self) -> date:
        """The day on which membership years begin."""
        return calendar.local_date(self.enrolled_at, self.zone)

    def day(self, instant: datetime) -> date:
        """The day of an instant."""
        return calendar.local_date(instant, self.zone)

    def moment(self, bucket: Bucket) -> datetime:
        """The instant that a bucket stands for: that of what is known of it, or when it began."""
        return self.moments.get(bucket) or calendar.midnight(bucket[0], self.zone)


def beginning(life: Life, progress: Progress) -> State:
    """Where a member stands when the first ladder comes into force."""
    first = life.ladders.published[0]
    if first.effective_from is None:
        return State(
            ladder_version=first.version, tier=first.tiers[0].code, since=life.enrolled_at,
            reached_on=life.enrolled_on, day=EVER, step=ENDED, reason="enrolled",
        )  # fmt: skip
    return _Course(life, progress).as_if_always(first, first.effective_from)


def whole(life: Life, progress: Progress, *, now: datetime) -> Iterator[State]:
    """Every state from the beginning until `now`."""
    start = beginning(life, progress)
    yield start
    yield from run(life, start, progress, now=now)


def run(
    life: Life, start: State, progress: Progress, *, now: datetime, position: Position | None = None,
    stop: Position = END,
) -> Iterator[State]:  # fmt: skip
    """Every state that follows from one until `now`. All that lies up to `position` has had its effect already."""
    course = _Course(life, progress)
    state, position = start, position or start.position
    while (event := course.next_event(state, position, now)) is not None and event < stop:
        position = event
        if (found := course.happen(state, event)) is not None:
            state = found
            yield state


def counted(life: Life, state: State, progress: Progress, bucket: Bucket, added: int) -> State | None:
    """The state after so much more was bought in the last bucket; None if it stays."""
    return _Course(life, progress).count(state, bucket, added)


class _Course:
    """One run: what happens next, and what comes of it."""

    def __init__(self, life: Life, progress: Progress) -> None:
        self.life, self.progress = life, progress

    def next_event(self, state: State, position: Position, now: datetime) -> Position | None:
        """The next thing that may change the state, if it has happened by `now`."""
        found = [find(state, position, now) for find in (self._end, self._import, self._adoption, self._bucket)]
        return min((event for event in found if event is not None), default=None)

    def happen(self, state: State, event: Position) -> State | None:
        """The state after an event; None if it stays as it is."""
        day, version, step = event
        if step == ENDED:
            return self._review(state, day)
        if step == IMPORTED:
            return self._take_over(state, (day, version))
        if step == ADOPTED:
            return self._adopt(state, self.life.ladders.of_version(version))
        ladder = self._ladder(state)
        added = self.progress.days[day, version].of(ladder.basis)
        return self.count(state, (day, version), added) if added else None

    def _end(self, state: State, position: Position, now: datetime) -> Position | None:
        if state.valid_to is None or state.held_to is None:
            return None
        reviewed = position >= (state.valid_to, -1, ENDED)
        day = state.held_to if reviewed else state.valid_to
        return (day, -1, ENDED) if calendar.midnight(day, self.life.zone) <= now else None

    def _import(self, _state: State, position: Position, now: datetime) -> Position | None:
        found = ((*self._bucket_of(each), IMPORTED) for each in self.life.imported if each.since <= now)
        return min((event for event in found if event > position), default=None)

    def _adoption(self, state: State, _position: Position, now: datetime) -> Position | None:
        ladder = self.life.ladders.after(state.ladder_version)
        if ladder is None or ladder.effective_from is None or ladder.effective_from > now:
            return None
        return (self.life.day(ladder.effective_from), ladder.version, ADOPTED)

    def _bucket(self, _state: State, position: Position, _now: datetime) -> Position | None:
        day, version, step = position
        find = bisect_right if step == COUNTED else bisect_left
        place = find(self.progress.buckets, (day, version))
        return (*self.progress.buckets[place], COUNTED) if place < len(self.progress.buckets) else None

    def _ladder(self, state: State) -> Ladder:
        return self.life.ladders.of_version(state.ladder_version)

    def _value(self, ladder: Ladder, begin: date, upto: Bucket) -> int:
        return self.progress.value(ladder.basis, begin, upto)

    def _begin(self, ladder: Ladder, day: date) -> date:
        return terms.window_begin(ladder.window, day, self.life.enrolled_on)

    def count(self, state: State, bucket: Bucket, added: int) -> State | None:
        """What `added` in a bucket, which is its last, makes of a state."""
        ladder, day = self._ladder(state), bucket[0]
        after = self._value(ladder, self._begin(ladder, day), bucket)
        rank, target = ladder.rank(state.tier) or 0, ladder.rank_for(after)
        end = terms.valid_to(ladder, day, self.life.enrolled_on)
        here = replace(state, day=day, step=COUNTED, number=0)
        if target > rank:
            since = self.life.moment(bucket)
            reached = replace(here, tier=ladder.tiers[target].code, since=since, reached_on=day, reason="reached")
            return self._valid(reached, end)
        threshold = ladder.tiers[rank].threshold
        if rank == 0 or state.valid_to is None:
            return None
        if after - added < threshold <= after and (end is None or end > state.valid_to):
            return self._valid(replace(here, reached_on=day, reason="reached_again"), end)
        if day >= state.valid_to and self._value(ladder, self._keep_begin(ladder, state.valid_to), bucket) >= threshold:
            return self._valid(replace(here, reason="kept"), self._renewed(ladder, state, day))
        return None

    def _review(self, state: State, day: date) -> State | None:
        """The validity, or the grace, ends as `day` begins."""
        ladder, end = self._ladder(state), state.valid_to
        assert end is not None, "what ends was valid for some time"
        assert state.held_to is not None, "what is valid is held"
        rank = ladder.rank(state.tier) or 0
        here = replace(state, day=day, step=ENDED, number=0)
        counts = self._value(ladder, self._keep_begin(ladder, end), (day, -1))
        if ladder.downgrade == "none" or (day == end and counts >= ladder.tiers[rank].threshold):
            return self._valid(replace(here, reason="kept"), self._renewed(ladder, state, day))
        if day < state.held_to:
            return None
        target = rank - 1 if ladder.downgrade == "one_step" else min(rank - 1, ladder.rank_for(counts))
        lower = replace(
            here, tier=ladder.tiers[target].code, since=calendar.midnight(day, self.life.zone), reason="fell"
        )
        renewed, reached_on = self._renewed(ladder, state, day), self._reached_in_grace(ladder, target, end, day)
        until = terms.valid_to(ladder, reached_on, self.life.enrolled_on) if reached_on else None
        if target and reached_on and until and renewed and until > renewed:
            return self._valid(replace(lower, reached_on=reached_on), until)
        return self._valid(lower, renewed if target else None)

    def _reached_in_grace(self, ladder: Ladder, target: int, begin: date, end: date) -> date | None:
        """The last day of a grace on which a lower tier was reached anew, for which it is then as valid as ever."""
        buckets, threshold = self.progress.buckets, ladder.tiers[target].threshold
        for bucket in reversed(buckets[bisect_left(buckets, (begin, -1)) : bisect_left(buckets, (end, -1))]):
            after = self._value(ladder, self._begin(ladder, bucket[0]), bucket)
            if after - self.progress.days[bucket].of(ladder.basis) < threshold <= after:
                return bucket[0]
        return None

    def _bucket_of(self, imported: Imported) -> Bucket:
        return self.life.day(imported.since), imported.version

    def _take_over(self, state: State, bucket: Bucket) -> State | None:
        """A tier from elsewhere counts as if it had been reached here, unless a higher one was."""
        ladder, day = self._ladder(state), bucket[0]
        found = state
        for each in self.life.imported:
            rank = ladder.rank(each.tier)
            if self._bucket_of(each) != bucket or rank is None or rank < (ladder.rank(found.tier) or 0):
                continue
            end = terms.valid_to(ladder, day, self.life.enrolled_on)
            if each.until is not None and ladder.downgrade != "none":
                # Days are half-open: one that has begun when it ends is one on which it is valid.
                end = self.life.day(each.until - A_MOMENT) + terms.A_DAY
            found = replace(found, tier=each.tier, since=each.since, reached_on=day, day=day, step=IMPORTED, number=0)
            found = self._valid(replace(found, reason="imported"), end if rank else None)
        return None if found is state else found

    def _adopt(self, state: State, ladder: Ladder) -> State:
        """Another ladder comes into force: who is moved has the tier that they would have had under it all along."""
        begin = ladder.effective_from
        assert begin is not None, "only the first ladder is in force from the beginning of time"
        fresh = self.as_if_always(ladder, begin)
        rank, now = ladder.rank(state.tier), ladder.rank(fresh.tier) or 0
        moves = rank is None or ladder.moving == "now" or (ladder.moving == "upgrades_only" and now > rank)
        if moves:
            return replace(fresh, since=state.since if fresh.tier == state.tier else begin)
        stayed = replace(state, ladder_version=ladder.version, day=fresh.day, step=ADOPTED, reason="stayed", number=0)
        if not rank or ladder.downgrade == "none":
            return self._valid(stayed, None, ladder)
        if state.valid_to is None:
            return self._valid(stayed, terms.valid_to(ladder, fresh.day, self.life.enrolled_on), ladder)
        return stayed

    def as_if_always(self, ladder: Ladder, begin: datetime) -> State:
        """Where the member would stand when a ladder comes into force, had it been in force from the beginning."""
        assert self.progress.since == EVER, "all that ever counted was read"
        day = self.life.day(begin)
        life = replace(self.life, ladders=alone(ladder, self.life.zone))
        found = start = beginning(life, self.progress)
        for state in run(life, start, self.progress, now=begin, stop=(day, ladder.version, ADOPTED)):
            found = state
        # Who brought a tier along has had it since then.
        brought = any((each.tier, each.since) == (found.tier, found.since) for each in self.life.imported)
        since = found.since if brought else begin
        return replace(found, since=since, day=day, step=ADOPTED, reason="moved", number=0)

    def _keep_begin(self, ladder: Ladder, end: date) -> date:
        return terms.keep_begin(ladder, end, self.life.enrolled_on)

    def _renewed(self, ladder: Ladder, state: State, day: date) -> date | None:
        assert state.valid_to is not None, "what is renewed was valid for some time"
        if ladder.downgrade == "none":
            return None
        return terms.renewed_to(ladder, state.valid_to, state.reached_on, self.life.enrolled_on, after=day)

    def _valid(self, state: State, end: date | None, ladder: Ladder | None = None) -> State:
        held = None if end is None else terms.held_to((ladder or self._ladder(state)).grace, end)
        return replace(state, valid_to=end, held_to=held)
