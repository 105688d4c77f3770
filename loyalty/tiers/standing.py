"""Where one member stands, open while a decision is made: what was read, what was bought since, what is to be written.

A `Standing` is a value; each step makes another one. What a member *has* is the highest of the tier reached by buying
(`course`) and of the tiers granted (`domain.Grant`). News that come late, or take something back, run the course again
from there, so it is always what it would be if everything had been known in time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from loyalty.core import calendar
from loyalty.tiers import course, terms
from loyalty.tiers.course import ADOPTED, COUNTED, ENDED, Imported, Life, Position, State
from loyalty.tiers.domain import BEGINNING, NOTHING, Amounts, Grant, Ladder, Ladders, Tier, highest
from loyalty.tiers.progress import Bucket, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was seen when a tier was judged, and what came of it. `window_from` None: all time."""

    as_of: datetime
    cause: str
    reference: str | None
    ladder_version: int
    basis: str
    window_from: date | None
    value: int
    old: str | None
    new: str
    valid_to: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class News:
    """What happened: so much was bought, or came back, `at` an instant. `cause`: order, activity, return …."""

    at: datetime
    amounts: Amounts
    cause: str
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a member stands. `tier` None: never recorded. `states`: the last ones, in their order.

    `outdated`: another process has recorded states under a ladder that this one has not heard of yet; they were left
    out, and nothing may be written of it. `added` is to be added to what counts; `void` are the numbers of recorded
    states that turned out untrue.
    """

    member_id: UUID
    enrolled_at: datetime
    progress: Progress
    states: tuple[State, ...] = ()
    last_number: int = 0
    grants: tuple[Grant, ...] = ()
    tier: str | None = None
    since: datetime = BEGINNING
    added: Mapping[Bucket, Amounts] = field(default_factory=dict)
    void: tuple[int, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    outdated: bool = False

    def life(self, ladders: Ladders, moments: Mapping[Bucket, datetime] | None = None) -> Life:
        """What the course depends on."""
        known = {(s.day, s.ladder_version): s.since for s in self.states if s.step == COUNTED and s.reason == "reached"}
        imported = tuple(
            Imported(g.tier, g.since, g.until, bucket_of(ladders, g.since)[1])
            for g in self.grants if g.kind == "imported"
        )  # fmt: skip
        return Life(
            ladders=ladders, enrolled_at=self.enrolled_at, imported=imported, moments={**known, **(moments or {})}
        )

    @property
    def state(self) -> State:
        """What was reached by buying."""
        return self.states[-1]

    @property
    def reached(self) -> Position:
        """Up to where all has had its effect."""
        buckets = self.progress.buckets
        return max(self.state.position, (*buckets[-1], COUNTED)) if buckets else self.state.position


def bucket_of(ladders: Ladders, at: datetime) -> Bucket:
    """Where something counts that happened at an instant."""
    ladder = ladders.at(at)
    return calendar.local_date(at, ladders.zone), ladder.version if ladder else 0


def settle(standing: Standing, ladders: Ladders, *, now: datetime) -> Standing:
    """The standing as of `now`, with all that came by itself. Nobody stands anywhere before there is a ladder."""
    if ladders.at(now) is None:
        return standing
    if not standing.states:
        return _begin(standing, ladders, now)
    return _with_grants(_run(standing, ladders, now), ladders, now)


def count(standing: Standing, ladders: Ladders, news: News, *, now: datetime) -> Standing:
    """The standing after news, as of `now`."""
    at = min(news.at, now)
    bucket = bucket_of(ladders, at)
    added = {**standing.added, bucket: standing.added.get(bucket, NOTHING) + news.amounts}
    if ladders.at(now) is None:
        return replace(standing, progress=standing.progress.plus(bucket, news.amounts), added=added)
    before = settle(standing, ladders, now=now)
    gone_on = standing.states and standing.states != before.states
    # Grants do not end backwards in time.
    standing = _run(standing, ladders, at) if gone_on else before
    is_late = (*bucket, COUNTED) < max(standing.reached, standing.state.position)
    takes = min(news.amounts.spend, news.amounts.points, news.amounts.orders) < 0
    ended = any(g.until is not None and at < g.until <= now for g in standing.grants)
    seen_at = now if is_late or takes or ended or at < standing.since else at
    standing = replace(standing, progress=standing.progress.plus(bucket, news.amounts), added=added)
    if is_late or takes:
        standing = _again(before, standing, ladders, at, now=now)
    else:
        life = standing.life(ladders, {bucket: at})
        amount = news.amounts.of(ladders.of_version(standing.state.ladder_version).basis)
        if amount and (found := course.counted(life, standing.state, standing.progress, bucket, amount)):
            standing = replace(standing, states=(*standing.states, found))
    standing = _evaluated(standing, ladders, seen_at, news.cause, news.reference)
    return settle(standing, ladders, now=now)


def grant(standing: Standing, ladders: Ladders, given: Grant, *, now: datetime) -> Standing:
    """The standing with a tier granted. One that was imported changes the course, which then begins anew."""
    return regrant(standing, ladders, (*standing.grants, given), cause=given.kind, now=now)


def regrant(
    standing: Standing, ladders: Ladders, grants: Sequence[Grant], *, cause: str, reference: str | None = None,
    now: datetime,
) -> Standing:  # fmt: skip
    """The standing with these grants instead of those it had. Where imported ones differ, the course begins anew."""
    before = settle(standing, ladders, now=now)
    standing = replace(before, grants=tuple(grants))
    if standing.life(ladders).imported != before.life(ladders).imported:
        standing = _anew(standing, ladders, now)
    return _evaluated(standing, ladders, now, cause, reference)


def anew(standing: Standing, ladders: Ladders, *, cause: str, reference: str | None, now: datetime) -> Standing:
    """The standing worked out from the very beginning. All that ever counted must have been read."""
    if ladders.at(now) is None:
        return standing
    return _evaluated(_anew(standing, ladders, now), ladders, now, cause, reference)


def tier_at(standing: Standing, ladders: Ladders, at: datetime) -> tuple[Tier, Ladder] | None:
    """What the member had at an instant, and by which ladder. The standing is settled up to then, or beyond."""
    ladder = ladders.at(at)
    if ladder is None:
        return None
    day = calendar.local_date(at, ladders.zone)
    before = [s for s in standing.states if s.day < day or (s.day == day and (s.step == ENDED or s.since <= at))]
    code = before[-1].tier if before else None
    return highest(ladder, [code, *(g.tier for g in standing.grants if g.holds(ladders, at))]), ladder


def next_change_at(standing: Standing, ladders: Ladders, now: datetime) -> datetime | None:
    """When the standing changes by itself, unless something happens before."""
    state, coming = standing.state, [g.until for g in standing.grants if g.until is not None and g.until > now]
    ends = [calendar.midnight(day, ladders.zone) for day in (state.valid_to, state.held_to) if day is not None]
    return min([*coming, *(at for at in ends if at > now)], default=None)


def counts_from(standing: Standing, ladders: Ladders) -> date:
    """The first day that has to be read for the end of a validity; of all time, the sum is known.

    It is that of all states that were read: late news may begin at any.
    """
    enrolled_on = calendar.local_date(standing.enrolled_at, ladders.zone)
    ends = [(ladders.of_version(s.ladder_version), s.valid_to) for s in standing.states]
    begins = (terms.keep_begin(ladder, end, enrolled_on) for ladder, end in ends if end is not None)
    return min((begin for begin in begins if begin != terms.EVER), default=date.max)


def _run(standing: Standing, ladders: Ladders, now: datetime) -> Standing:
    """The standing with what the course holds until `now`."""
    life = standing.life(ladders)
    for state in course.run(life, standing.state, standing.progress, now=now, position=standing.reached):
        standing = replace(standing, states=(*standing.states, state))
        standing = _evaluated(standing, ladders, _instant(state, life), state.reason, None)
    return standing


def _begin(standing: Standing, ladders: Ladders, now: datetime) -> Standing:
    standing = _anew(standing, ladders, now)
    return _evaluated(standing, ladders, now, "enrolled", None)


def _anew(standing: Standing, ladders: Ladders, now: datetime) -> Standing:
    life = standing.life(ladders)
    return _restated(standing, (), course.whole(life, standing.progress, now=now), standing.states)


def _again(before: Standing, standing: Standing, ladders: Ladders, at: datetime, *, now: datetime) -> Standing:
    """Run the course again from an instant on. What it took away is left as far as the ladder's downgrade says."""
    bucket = bucket_of(ladders, at)
    news: Position = (*bucket, COUNTED)
    kept = [state for state in standing.states if state.position < news]
    gone = [state for state in before.states if state.position >= news]
    life = standing.life(ladders, {} if any(s.position == news for s in gone) else {bucket: at})
    if kept:
        position = max(kept[-1].position, (bucket[0], bucket[1], ADOPTED))
        found = course.run(life, kept[-1], standing.progress, now=now, position=position)
    else:
        # It was before there was a ladder.
        found = course.whole(life, standing.progress, now=now)
    told = replace(standing, evaluations=before.evaluations, tier=before.tier, since=before.since)
    standing = _restated(told, kept, found, gone)
    return _left(before.state, standing, ladders, now)


def _restated(standing: Standing, kept: Sequence[State], found: Iterable[State], gone: Sequence[State]) -> Standing:
    """The standing with other states than those that are gone; one that is found again keeps its number."""
    known = {state: state.number for state in gone}
    states = tuple(replace(state, number=known.pop(state, 0)) for state in found)
    void = tuple(number for number in known.values() if number)
    return replace(standing, states=(*kept, *states), void=(*standing.void, *void))


def _left(was: State, standing: Standing, ladders: Ladders, now: datetime) -> Standing:
    """What the downgrade of the ladder leaves of a tier that was reached with what is gone."""
    ladder = ladders.of_version(standing.state.ladder_version)
    high, low = ladder.rank(was.tier) or 0, ladder.rank(standing.state.tier) or 0
    left = {"none": high, "one_step": high - 1, "full": low}[ladder.downgrade]
    until = None if was.held_to is None else calendar.midnight(was.held_to, ladders.zone)
    if left <= low or (until is not None and until <= now):
        return standing
    kept = Grant(kind="kept", tier=ladder.tiers[left].code, since=now, until=until, reason="returned", granted_at=now)
    return replace(standing, grants=(*standing.grants, kept))


def _with_grants(standing: Standing, ladders: Ladders, now: datetime) -> Standing:
    """Grants that ended take away what they gave."""
    found = tier_at(standing, ladders, now)
    if found is None or found[0].code == standing.tier:
        return standing
    ended = [g.until for g in standing.grants if g.until is not None and g.until <= now]
    return _evaluated(standing, ladders, max(ended, default=now), "grant_ended", None)


def _evaluated(standing: Standing, ladders: Ladders, at: datetime, cause: str, reference: str | None) -> Standing:
    """The standing with what was seen written down, and what the member has now."""
    found = tier_at(standing, ladders, at)
    assert found is not None, "there is a ladder"
    tier, ladder = found
    state, day = standing.state, calendar.local_date(at, ladders.zone)
    enrolled_on = calendar.local_date(standing.enrolled_at, ladders.zone)
    begin = terms.window_begin(ladder.window, day, enrolled_on)
    if begin != terms.EVER:
        begin = max(begin, standing.progress.since)
    seen = Evaluation(
        as_of=at, cause=cause, reference=reference, ladder_version=ladder.version, basis=ladder.basis,
        window_from=None if begin == terms.EVER else begin, old=standing.tier, new=tier.code,
        value=standing.progress.value(ladder.basis, begin, (day, ladder.version)),
        valid_to=state.valid_to, reason=state.reason,
    )  # fmt: skip
    since = standing.since if tier.code == standing.tier else _since(standing, ladders, tier, at)
    return replace(standing, evaluations=(*standing.evaluations, seen), tier=tier.code, since=since)


def _since(standing: Standing, ladders: Ladders, tier: Tier, at: datetime) -> datetime:
    """Since when a member has a tier that was just found to be theirs."""
    if standing.state.tier == tier.code:
        return standing.state.since
    held = [g.since for g in standing.grants if g.tier == tier.code and g.holds(ladders, at)]
    return min(held, default=at)


def _instant(state: State, life: Life) -> datetime:
    """When a state began."""
    if state.step == ADOPTED:
        return life.ladders.of_version(state.ladder_version).effective_from or BEGINNING
    if state.step == COUNTED:
        return life.moment((state.day, state.ladder_version))
    return max(calendar.midnight(state.day, life.zone), state.since if state.reason == "imported" else BEGINNING)
