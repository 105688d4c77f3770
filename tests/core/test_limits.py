"""How often something may be done, against a list of when it was."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.limits import Limit

NOW = datetime(2026, 3, 1, tzinfo=UTC)
limits = st.builds(Limit, st.just("key"), st.integers(1, 20), st.integers(1, 10))
pauses = st.lists(st.integers(0, 30_000), max_size=60)


def tried(limit: Limit, milliseconds: list[int]) -> tuple[list[datetime], datetime]:
    """When somebody who tries after these pauses is let through, and since when nothing is owed."""
    clear_at, now, done = NOW, NOW, []
    for pause in milliseconds:
        now += timedelta(milliseconds=pause)
        if not limit.wait(clear_at, now=now):
            done.append(now)
            clear_at = max(clear_at, now) + limit.each
    return done, clear_at


@given(limits, pauses)
def test_in_no_stretch_of_time_more_is_done_than_the_quota_and_what_ran_off_meanwhile(limit: Limit, pause: list[int]):
    done, _ = tried(limit, pause)

    for first in range(len(done)):
        for last in range(first, len(done)):
            assert last - first + 1 <= limit.quota + (done[last] - done[first]) // limit.each


@given(limits, pauses)
def test_who_waits_as_long_as_told_may_go_on_and_not_a_moment_before(limit: Limit, pause: list[int]):
    _, clear_at = tried(limit, pause)
    wait = limit.wait(clear_at, now=NOW)

    assert not limit.wait(clear_at, now=NOW + wait)
    assert (limit.left(clear_at, now=NOW) == 0) == bool(wait)
    assert limit.left(clear_at, now=NOW + wait) >= 1
    if wait:
        assert limit.wait(clear_at, now=NOW + wait - timedelta(microseconds=1))


@given(limits)
def test_the_quota_is_free_at_once_and_after_the_window_it_is_free_again(limit: Limit):
    done, clear_at = tried(limit, [0] * (limit.quota + 5))

    assert len(done) == limit.quota
    assert limit.left(clear_at, now=NOW + timedelta(seconds=limit.window_seconds)) == limit.quota
    assert limit.left(clear_at, now=NOW + limit.each) == 1
