"""What holds for any ladder and any life."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.tiers import course
from loyalty.tiers import standing as standings
from loyalty.tiers.domain import NOTHING, Amounts, Grace, Grant, Ladder, Ladders, Tier, Validity, Window
from loyalty.tiers.progress import Progress
from loyalty.tiers.standing import News, Standing
from tests.tiers import reference
from tests.tiers.lives import Record, a_grant, a_standing, known_in_time

ZONES = ["Europe/Warsaw", "Pacific/Apia", "America/Sao_Paulo"]
FIRST = date(2011, 6, 1)
# Days on which a period, a month or a clock turns: Samoa skips 30 December, Brazil the midnight of 16 October.
TURNING = [
    date(2011, 6, 30), date(2011, 7, 1), date(2011, 10, 15), date(2011, 10, 16), date(2011, 10, 30), date(2011, 12, 29),
    date(2011, 12, 30), date(2011, 12, 31), date(2012, 1, 1), date(2012, 1, 31), date(2012, 2, 28), date(2012, 2, 29),
    date(2012, 3, 1), date(2012, 3, 31), date(2012, 12, 31), date(2013, 1, 1), date(2013, 2, 28), date(2013, 3, 1),
]  # fmt: skip

zones = st.sampled_from(ZONES)
days = st.sampled_from(TURNING) | st.integers(0, 900).map(lambda n: FIRST + timedelta(days=n))
times = st.sampled_from([time(0), time(12), time(23, 59, 59, 999999)])
walls = st.builds(datetime.combine, days, times)
gaps = st.sampled_from([0, 1, 5, 20, 29, 31, 45, 60, 90, 180, 364, 366])
windows = st.one_of(
    st.sampled_from(["lifetime", "calendar_year", "calendar_quarter", "membership_year"]).map(Window),
    st.sampled_from([(1, 0), (3, 0), (12, 0), (0, 1), (0, 30), (1, 10)]).map(lambda n: Window("rolling", *n)),
)
validities = st.one_of(
    st.sampled_from(["end_of_period", "end_of_next_period", "forever"]).map(Validity),
    st.sampled_from([1, 2, 6, 12]).map(lambda n: Validity("months", n)),
)
graces = st.builds(Grace, st.sampled_from([0, 10, 31, 60, 90]), st.sampled_from([None, "month"]))
downgrades = st.sampled_from(["full", "full", "one_step", "one_step", "none"])
movings = st.sampled_from(["now", "upgrades_only", "at_validity_end"])
CODES = ["bronze", "silver", "gold", "platinum"]
codes = st.sampled_from(CODES)


@st.composite
def tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    found = sorted(draw(st.sets(st.sampled_from(CODES[1:]), min_size=1)), key=CODES.index)
    steps = sorted(draw(st.sets(st.sampled_from([1, 2, 3, 4, 6, 8]), min_size=len(found), max_size=len(found))))
    made = zip([draw(st.sampled_from(["bronze", "bronze", "basic"])), *found], [0, *steps], strict=True)
    return tuple(Tier(code=code, name=code, threshold=least) for code, least in made)


def ladders_of(versions: int = 3, **fixed: Any) -> st.SearchStrategy[Ladders]:
    """The ladders of a program: up to so many versions, which come into force at any instant."""
    return _ladders(versions, fixed)


@st.composite
def _ladders(draw: st.DrawFn, versions: int, fixed: dict[str, Any]) -> Ladders:
    zone = draw(zones)
    number = draw(st.integers(1, versions))
    begins = sorted(draw(st.sets(walls, min_size=number, max_size=number)))
    from_the_beginning = number == 1 or draw(st.booleans())
    made = []
    for n, begin in enumerate(begins):
        given = {
            "basis": draw(st.sampled_from(["spend", "spend", "points_earned", "orders"])),
            "window": draw(windows), "validity": draw(validities), "downgrade": draw(downgrades),
            "grace": draw(graces), "tiers": draw(tiers()), "moving": draw(movings), **fixed,
        }  # fmt: skip
        effective_from = None if n == 0 and from_the_beginning else instant(begin, zone)
        made.append(Ladder(version=n + 1, effective_from=effective_from, **given))
    return Ladders.of(made, zone)


def instant(wall: datetime, zone: str) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class Step:
    """Something that is told of a member, `now`."""

    now: datetime
    kind: str = "settle"
    at: datetime | None = None
    counts: Amounts = NOTHING
    tier: str = ""
    until: datetime | None = None


@dataclass
class Story:
    """All that is told of a member, in the order of the telling, and what is bought in the end."""

    ladders: Ladders
    enrolled_at: datetime
    steps: list[Step]
    orders: list[reference.Order] = field(default_factory=list)

    @property
    def end(self) -> datetime:
        return self.steps[-1].now


worths = st.builds(
    Amounts, st.sampled_from([0, 1, 2, 3, 4, 6]), st.sampled_from([0, 1, 2, 3, 5]), st.sampled_from([1, 1, 2, 0])
)


@st.composite
def stories(draw: st.DrawFn, published: st.SearchStrategy[Ladders], kinds: str, longest: int = 12) -> Story:
    ladders = draw(published)
    zone = ladders.zone
    now_is = draw(walls)
    passed = accumulate(draw(st.lists(gaps, min_size=4, max_size=longest)))
    nows = [datetime.combine(now_is.date() + timedelta(days=gone), draw(times)) for gone in passed]
    nows.sort()
    enrolled_at = instant(draw(st.just(datetime.combine(date(2008, 2, 29), time(12))) | walls), zone)
    steps: list[Step] = []
    left: list[tuple[datetime, Amounts]] = []
    for wall in nows:
        now, kind = instant(wall, zone), draw(st.sampled_from(kinds.split()))
        earlier = instant(datetime.combine(wall.date() - timedelta(days=draw(gaps)), draw(times)), zone)
        if kind == "return" and left:
            which = draw(st.integers(0, len(left) - 1))
            at, counts = left[which]
            back = counts if draw(st.booleans()) else Amounts(counts.spend // 2, counts.points // 2, 0)
            left[which] = (at, counts + -back)
            steps.append(Step(now, kind, at, -back))
        elif kind in {"order", "late"}:
            counts, at = draw(worths), now if kind == "order" else min(earlier, now)
            left.append((at, counts))
            steps.append(Step(now, "order", at, counts))
        elif kind in {"pin", "import"}:
            until = instant(wall + timedelta(days=draw(gaps)), zone)
            since = min(earlier, now) if kind == "import" else now
            ends = until if until > now and draw(st.booleans()) else None
            steps.append(Step(now, kind, since, tier=draw(codes), until=ends))
        else:
            steps.append(Step(now))
    steps.append(Step(steps[-1].now + timedelta(days=draw(gaps))))
    return Story(ladders, enrolled_at, steps, [reference.Order(at, counts) for at, counts in left])


def take(standing: Standing, ladders: Ladders, step: Step) -> Standing:
    """The standing after one step."""
    if step.kind in {"order", "return"}:
        assert step.at is not None
        return standings.count(standing, ladders, News(step.at, step.counts, step.kind), now=step.now)
    if step.kind in {"pin", "import"} and ladders.at(step.now) is not None:
        assert step.at is not None
        given = a_grant("pinned" if step.kind == "pin" else "imported", step.tier, step.at, step.until)
        return standings.grant(standing, ladders, given, now=step.now)
    return standings.settle(standing, ladders, now=step.now)


def lived(story: Story) -> Standing:
    """Where all that leaves the member, in one go."""
    standing = a_standing(story.enrolled_at)
    for step in story.steps:
        standing = take(standing, story.ladders, step)
    return standing


def recorded(story: Story) -> Standing:
    """The same, when each step is stored, and only what matters to the next one is read."""
    record = Record(story.ladders, a_standing(story.enrolled_at))
    for step in story.steps:
        news = min(step.at, step.now) if step.kind in {"order", "return"} and step.at else step.now
        found = record.read(news, step.now, everything=step.kind == "import")
        record.store(take(found, story.ladders, step))
    return record.whole


def merit(standing: Standing) -> tuple[Any, ...]:
    """What somebody has by buying, and for how long."""
    state = standing.state
    return state.tier, state.valid_to, state.held_to


def outcome(standing: Standing, ladders: Ladders, now: datetime) -> tuple[Any, ...]:
    """What somebody has."""
    found = standings.tier_at(standing, ladders, now)
    return (found[0].code, *merit(standing)) if found else ()


def by_the_reference(story: Story, grants: tuple[Grant, ...]) -> tuple[Any, ...]:
    brought = [reference.Brought(each.since, each.tier, each.until) for each in grants if each.kind == "imported"]
    member = reference.Member(
        story.ladders.zone, story.enrolled_at, list(story.ladders.published), story.orders, brought
    )
    found = reference.merit(member, story.end)
    return (found.tier, found.valid_to, found.held_to) if found else ()


EVERYTHING = "order order order order order late late return return settle pin import"


@settings(max_examples=60)
@given(stories(ladders_of(), EVERYTHING))
def test_step_by_step_at_once_and_the_naive_way_come_to_the_same(story: Story):
    standing = lived(story)

    told = outcome(standing, story.ladders, story.end)
    at_once = known_in_time(standing, story.ladders, story.end)

    assert told == outcome(at_once, story.ladders, story.end)
    assert told[1:] == by_the_reference(story, standing.grants)
    assert standing.tier == (told[0] if told else None)


@settings(max_examples=60)
@given(stories(ladders_of(), EVERYTHING))
def test_what_is_stored_and_read_as_far_as_it_matters_comes_to_the_same(story: Story):
    standing = lived(story)
    stored = recorded(story)

    assert outcome(stored, story.ladders, story.end) == outcome(standing, story.ladders, story.end)
    assert stored.tier == standing.tier
    assert stored.progress.days == standing.progress.days


@settings(max_examples=50)
@given(stories(ladders_of(), "order late return import"), st.lists(walls, max_size=8))
def test_time_that_goes_by_in_steps_is_time_that_goes_by(story: Story, between: list[datetime]):
    last = story.steps.pop()
    at_once = standings.settle(lived(story), story.ladders, now=last.now) if story.steps else a_standing(last.now)

    stepwise = lived(story)
    for now in sorted(instant(wall, story.ladders.zone) for wall in between):
        if story.steps[-1].now < now < last.now:
            stepwise = standings.settle(stepwise, story.ladders, now=now)
    stepwise = standings.settle(stepwise, story.ladders, now=last.now)

    assert [merit_of(s) for s in stepwise.states[-1:]] == [merit_of(s) for s in at_once.states[-1:]]
    assert stepwise.tier == at_once.tier


def merit_of(state: course.State) -> course.State:
    return replace(state, number=0)


@settings(max_examples=50)
@given(stories(ladders_of(1, validity=Validity("forever")), "order late return"), walls, worths)
def test_who_buys_more_has_no_lower_tier_where_tiers_are_for_ever(story: Story, wall: datetime, more: Amounts):
    ladders = story.ladders
    less = known_in_time(lived(story), ladders, story.end)
    news = News(instant(wall, ladders.zone), more, "order")

    richer = standings.count(less, ladders, news, now=story.end)

    ladder = ladders.published[0]
    assert ladder.rank(richer.tier) >= ladder.rank(less.tier)


@settings(max_examples=50)
@given(stories(ladders_of(downgrade="full"), "order late return settle"), walls, worths)
def test_what_comes_back_as_a_whole_leaves_what_would_be_without_it(story: Story, wall: datetime, counts: Amounts):
    ladders, end = story.ladders, story.end
    without = lived(story)
    bought = min(instant(wall, ladders.zone), end)

    given_back = standings.count(without, ladders, News(bought, counts, "order"), now=end)
    given_back = standings.count(given_back, ladders, News(bought, -counts, "return"), now=end)

    assert outcome(given_back, ladders, end) == outcome(without, ladders, end)
    counting = {day: counts for day, counts in given_back.progress.days.items() if counts != NOTHING}
    assert counting == {day: counts for day, counts in without.progress.days.items() if counts != NOTHING}


@settings(max_examples=50)
@given(stories(ladders_of(), EVERYTHING))
def test_states_are_in_their_order_and_no_number_is_both_there_and_void(story: Story):
    record = Record(story.ladders, a_standing(story.enrolled_at))
    for step in story.steps:
        standing = take(record.read(step.now, step.now, everything=True), story.ladders, step)
        positions = [state.position for state in standing.states]
        numbers = [state.number for state in standing.states if state.number]
        recorded_before = {state.number for state in record.whole.states}

        assert positions == sorted(positions)
        assert len(numbers) == len(set(numbers))
        assert set(numbers) | set(standing.void) == recorded_before
        assert not set(numbers) & set(standing.void)
        record.store(standing)


@given(windows, days, days)
def test_what_counts_is_what_the_naive_way_counts(window: Window, bought: date, on: date):
    bought, on = min(bought, on), max(bought, on)
    ladder = Ladder(
        version=1, basis="spend", window=window, validity=Validity(), downgrade="full", grace=Grace(),
        tiers=(Tier(code="bronze", name="Bronze", threshold=0),),
    )  # fmt: skip
    progress = Progress(Amounts(1, 1, 1), {(bought, 1): Amounts(1, 1, 1)})
    enrolled_on = date(2008, 2, 29)

    begin = standings.terms.window_begin(ladder.window, on, enrolled_on)

    assert progress.value("spend", begin, (on, 1)) == reference.counts(window, bought, on, enrolled_on)
