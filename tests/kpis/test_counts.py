from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from loyalty.kpis.counts import Counts, moving, whole
from loyalty.kpis.reports.participation import REPORT
from loyalty.rollups.deltas import Counted
from tests.kpis.life import NOW, Life, asked_of

FIRST = date(2026, 1, 1)
A_DAY = timedelta(days=1)

SETS = st.dictionaries(st.integers(0, 80), st.sets(st.integers(0, 20), max_size=6), max_size=60)


@given(SETS, st.sets(st.integers(1, 100), min_size=1, max_size=30), st.integers(1, 50))
def test_a_moving_window_counts_what_counting_each_window_by_itself_does(sets, ends, days):
    by_day = {FIRST + number * A_DAY: BitMap(members) for number, members in sets.items()}
    kept = {day: BitMap(members) for day, members in by_day.items()}

    found = moving(by_day, [FIRST + end * A_DAY for end in ends], days)

    for end, count in found.items():
        inside = [members for day, members in kept.items() if end - timedelta(days) <= day < end]
        assert count == len(BitMap().union(*inside))
    assert by_day == kept, "what was read is not changed"


@given(SETS, st.integers(0, 40), st.integers(1, 60), st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_members_are_counted_once_in_each_period_whether_it_is_kept_or_joined(sets, skipped, days, granularity):
    life = Life()
    for number, members in sets.items():
        life.were("buyers", (FIRST + number * A_DAY).isoformat(), *members)
    first = FIRST + skipped * A_DAY
    last = first + timedelta(days)
    asked = asked_of(REPORT, first=first.isoformat(), last=last.isoformat(), granularity=granularity)

    found = Counts(Counted(life.deltas, as_of=NOW), asked).distinct("buyers")

    for period in (*asked.periods, whole(asked)):
        there = [members for number, members in sets.items() if period.first <= FIRST + number * A_DAY < period.last]
        assert found[period] == len(set().union(*there))
