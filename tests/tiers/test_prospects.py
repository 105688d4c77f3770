"""What is said to be missing is exactly what is missing: whoever buys it has the tier, whoever buys less has not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loyalty.core import calendar
from loyalty.core.ids import new_id
from loyalty.tiers.domain import Amounts, Grace, Grant, Ladder, Ladders, Tier, Validity, Window
from loyalty.tiers.progress import Progress
from loyalty.tiers.prospects import Prospects, prospects
from loyalty.tiers.standing import News, Standing, count, grant, settle, tier_at

ZONE = "Europe/Warsaw"
ENROLLED = datetime(2024, 2, 29, 9, 0, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)
THRESHOLDS = {"bronze": 0, "silver": 1000, "gold": 2500}

WINDOWS = [
    Window("lifetime"), Window("rolling", months=12), Window("rolling", days=90), Window("rolling", months=1, days=3),
    Window("calendar_year"), Window("calendar_quarter"), Window("membership_year"),
]  # fmt: skip
VALIDITIES = [
    Validity("forever"), Validity("end_of_period"), Validity("end_of_next_period"), Validity("months", 12),
    Validity("months", 1),
]  # fmt: skip
GRACES = [Grace(), Grace(10), Grace(5, "month")]


def a_ladder(**given: Any) -> Ladder:
    """Bronze, Silver at 1000 and Gold at 2500, by a year's spending, for the rest of that year and the next."""
    tiers = tuple(Tier(code=code, name=code.title(), threshold=n) for code, n in THRESHOLDS.items())
    defaults: dict[str, Any] = {
        "version": 1, "basis": "spend", "window": Window("calendar_year"), "validity": Validity("end_of_next_period"),
        "downgrade": "full", "grace": Grace(), "tiers": tiers,
    }  # fmt: skip
    return Ladder(**{**defaults, **given})


def the(*ladders: Ladder) -> Ladders:
    """The ladders of a program in Warsaw."""
    return Ladders.of(ladders, ZONE)


def on(day: str, hour: int = 12) -> datetime:
    """Some time on a day."""
    return calendar.midnight(date.fromisoformat(day), ZONE) + timedelta(hours=hour)


def someone(ladders: Ladders, *purchases: tuple[datetime, int]) -> Standing:
    """A member who has bought something, as of the last purchase."""
    standing = Standing(member_id=new_id(), enrolled_at=ENROLLED, progress=Progress(Amounts(), {}))
    standing = settle(standing, ladders, now=ENROLLED)
    for at, amount in sorted(purchases):
        standing = bought(standing, ladders, amount, at=at)
    return standing


def bought(standing: Standing, ladders: Ladders, amount: int, *, at: datetime) -> Standing:
    """The standing after a purchase; settled, if nothing was bought."""
    if not amount:
        return settle(standing, ladders, now=at)
    return count(standing, ladders, News(at, Amounts(spend=amount), "order"), now=at)


def seen(standing: Standing, ladders: Ladders, now: datetime) -> Prospects:
    """What lies before a member."""
    found = prospects(standing, ladders, now=now)
    assert found is not None
    return found


def has(standing: Standing, ladders: Ladders, at: datetime) -> str:
    """The tier that a member has at an instant."""
    found = tier_at(settle(standing, ladders, now=at), ladders, at)
    assert found is not None
    return found[0].code


def is_at_least(tier: str, other: str) -> bool:
    """Whether a tier is as high as another one."""
    return THRESHOLDS[tier] >= THRESHOLDS[other]


def ladders_with(validities: list[Validity], downgrades: list[str]) -> st.SearchStrategy[Ladders]:
    """Programs with one ladder, in all windows and graces."""
    return st.builds(
        lambda **given: the(a_ladder(**given)),
        window=st.sampled_from(WINDOWS), validity=st.sampled_from(validities), grace=st.sampled_from(GRACES),
        downgrade=st.sampled_from(downgrades),
    )  # fmt: skip


ladders = ladders_with(VALIDITIES, ["one_step", "full", "none"])
ladders_that_end = ladders_with(VALIDITIES[1:], ["one_step", "full"])
# Few enough days that purchases meet, and roll out of windows, often.
purchases = st.lists(
    st.tuples(st.integers(0, 900).map(lambda d: ENROLLED + timedelta(days=d)), st.integers(1, 2600)), max_size=6
)
waits = st.integers(0, 500).map(lambda d: timedelta(days=d, hours=1))
# Long enough ago to be in a grace, seldom long enough to have fallen.
short_waits = st.integers(0, 45).map(lambda d: timedelta(days=d, hours=1))


@given(ladders, purchases, waits)
def test_who_buys_what_is_missing_now_has_the_next_tier_and_who_buys_less_has_not(which, history, wait):
    standing = someone(which, *history)
    now = max((at for at, _ in history), default=ENROLLED) + wait
    goal = seen(standing, which, now).next
    assume(goal is not None)

    enough = bought(standing, which, goal.missing, at=now)
    too_little = bought(standing, which, goal.missing - 1, at=now)

    assert goal.missing == goal.need - goal.have > 0
    assert has(enough, which, now) == goal.tier.code
    assert not is_at_least(has(too_little, which, now), goal.tier.code)


@settings(max_examples=120)
@given(ladders_that_end, purchases, st.integers(1000, 2600), short_waits, st.booleans())
def test_who_buys_what_is_missing_keeps_the_tier_and_who_buys_less_has_to_reach_it_again(
    which, history, reaching, wait, at_last
):
    last = max((at for at, _ in history), default=ENROLLED) + timedelta(days=20)
    standing = someone(which, *history, (last, reaching))
    now = last + wait
    goal = seen(standing, which, now).keep
    assume(goal is not None)
    at = goal.by - A_SECOND if at_last else max(now, goal.counts_from or now)
    before = settle(standing, which, now=now).state

    enough = bought(standing, which, goal.missing, at=at)
    too_little = bought(standing, which, goal.missing - 1, at=at) if goal.missing else enough

    held_to = calendar.midnight(before.held_to, ZONE)
    # A term that is short, and begins in a long grace, may itself be over when that grace would have been.
    after = [s for s in settle(enough, which, now=held_to).states if s.position > before.position]
    is_kept = any(s.reason != "fell" and is_at_least(s.tier, goal.tier.code) for s in after)
    assert is_kept or is_at_least(has(enough, which, goal.by), goal.tier.code)
    # Who has even reached a higher tier with it has that for as long as that is valid.
    has_risen = enough.state.tier != goal.tier.code
    assert is_kept or has_risen or is_at_least(has(enough, which, held_to), goal.tier.code)
    is_again = any(s.position > before.position and s.reason in ("reached", "reached_again") for s in too_little.states)
    assert not goal.missing or is_again or not is_at_least(has(too_little, which, held_to), goal.tier.code)


@given(ladders, purchases, waits)
def test_what_is_projected_comes_at_that_instant_and_nothing_before(which, history, wait):
    standing = someone(which, *history)
    now = max((at for at, _ in history), default=ENROLLED) + wait
    found = seen(standing, which, now)
    coming = found.projection
    at = coming.at or now + timedelta(days=3000)

    assert has(standing, which, at) == coming.tier.code
    assert has(standing, which, at - A_SECOND) == found.tier.code
    assert (coming.tier.code != found.tier.code) == (coming.reason in ("falls", "begins_anew"))
    assert found.keep is None or (coming.reason == "kept") == (found.keep.missing == 0)
    assert (coming.reason == "never_ends") == (found.valid_until is None)


# What keeps Silver that was reached on 1 March 2026, and what lies ahead a month later.
KEEPS: list[tuple[dict[str, Any], tuple[int, str, str | None] | None, str]] = [
    ({}, (1000, "2028-01-01", "2027-01-01"), "falls"),
    ({"validity": Validity("forever")}, None, "never_ends"),
    ({"downgrade": "none"}, None, "never_ends"),
    ({"validity": Validity("end_of_period")}, None, "begins_anew"),
    ({"validity": Validity("end_of_period"), "grace": Grace(10)}, (1000, "2027-01-11", "2027-01-01"), "falls"),
    ({"validity": Validity("months", 6)}, (0, "2026-09-02", "2026-01-01"), "kept"),
    ({"validity": Validity("months", 12)}, (1000, "2027-03-02", "2027-01-01"), "falls"),
    ({"window": Window("lifetime"), "validity": Validity("months", 12)}, (0, "2027-03-02", None), "kept"),
    (
        {"window": Window("rolling", months=12), "validity": Validity("months", 12)},
        (1000, "2027-03-02", "2026-03-02"),
        "falls",
    ),
    (
        {"window": Window("rolling", months=12), "validity": Validity("months", 6)},
        (0, "2026-09-02", "2025-09-02"),
        "kept",
    ),
    ({"window": Window("calendar_quarter")}, (1000, "2026-07-01", "2026-04-01"), "falls"),
    ({"window": Window("membership_year")}, (1000, "2028-02-29", "2027-02-28"), "falls"),
]


@pytest.mark.parametrize(("given", "keeps", "reason"), KEEPS)
def test_what_keeps_a_tier_depends_on_the_window_and_on_the_validity(given, keeps, reason):
    which = the(a_ladder(**given))

    found = seen(someone(which, (on("2026-03-01"), 1000)), which, on("2026-04-02"))

    goal = found.keep
    days = goal and [day and calendar.local_date(day, ZONE).isoformat() for day in (goal.by, goal.counts_from)]
    assert (goal and (goal.missing, *days), found.projection.reason) == (keeps, reason)


def test_in_the_grace_what_is_missing_can_still_be_made_up_for():
    which = the(a_ladder(grace=Grace(30)))
    standing = someone(which, (on("2026-03-01"), 1000), (on("2027-05-01"), 600))

    found = seen(standing, which, on("2028-01-10"))

    assert (found.tier.code, found.in_grace) == ("silver", True)
    assert (found.valid_until, found.grace_until) == (on("2028-01-01", 0), on("2028-01-31", 0))
    assert (found.keep.have, found.keep.missing, found.keep.by) == (600, 400, found.grace_until)
    assert has(bought(standing, which, 400, at=on("2028-01-30")), which, on("2028-02-01")) == "silver"
    assert (found.projection.reason, found.projection.at) == ("falls", found.grace_until)


def given_to(standing: Standing, which: Ladders, tier: str, until: str | None, *, at: datetime) -> Standing:
    """The standing with a tier pinned."""
    pin = Grant(
        kind="pinned", tier=tier, since=at, until=until and on(until, 0), reason="VIP", granted_at=at, grant_id=new_id()
    )
    return grant(standing, which, pin, now=at)


def test_a_tier_that_is_given_ends_when_that_does_and_buying_is_told_apart():
    which = the(a_ladder())
    at = on("2026-03-02")
    standing = given_to(someone(which, (on("2026-03-01"), 1000)), which, "gold", "2026-10-01", at=at)

    found = seen(standing, which, at)

    assert (found.tier.code, found.by_grant, found.valid_until) == ("gold", True, on("2026-10-01", 0))
    assert (found.next.tier.code, found.next.missing) == ("gold", 1500)
    assert found.keep.tier.code == "silver"
    assert (found.projection.tier.code, found.projection.reason) == ("silver", "grant_ended")
    assert found.projection.at == found.valid_until


@pytest.mark.parametrize(
    ("until", "reason", "ends"),
    [(None, "never_ends", None), ("2029-01-01", "grant_ended", "2029-01-01"), ("2026-10-01", "falls", "2028-01-01")],
)
def test_a_tier_that_was_both_reached_and_given_ends_with_the_later_of_both(until, reason, ends):
    which = the(a_ladder())
    at = on("2026-03-02")
    standing = given_to(someone(which, (on("2026-03-01"), 1000)), which, "silver", until, at=at)

    found = seen(standing, which, at)

    assert (found.projection.reason, found.by_grant) == (reason, False)
    assert found.valid_until == found.projection.at == (ends and on(ends, 0))


def test_of_grants_that_give_the_same_the_longest_is_told():
    which = the(a_ladder())
    at = on("2026-03-02")
    standing = given_to(someone(which), which, "gold", "2026-10-01", at=at)
    standing = given_to(standing, which, "gold", "2026-12-01", at=at)

    assert seen(standing, which, at).valid_until == on("2026-12-01", 0)
    assert seen(given_to(standing, which, "gold", None, at=at), which, at).projection.reason == "never_ends"


def test_another_ladder_that_is_to_come_is_foreseen():
    dearer = tuple(Tier(code=code, name=code, threshold=2 * n) for code, n in THRESHOLDS.items())
    later = on("2026-06-01", 0)
    which = the(a_ladder(), a_ladder(version=2, tiers=dearer, effective_from=later))

    coming = seen(someone(which, (on("2026-03-01"), 1000)), which, on("2026-03-02")).projection

    assert (coming.at, coming.tier.code, coming.reason) == (later, "bronze", "moved")


def test_who_was_left_below_what_they_bought_goes_up_with_any_purchase():
    cheaper = tuple(Tier(code=code, name=code, threshold=n // 2) for code, n in THRESHOLDS.items())
    which = the(
        a_ladder(), a_ladder(version=2, tiers=cheaper, effective_from=on("2026-06-01", 0), moving="at_validity_end")
    )
    standing = someone(which, (on("2026-03-01"), 1300))

    goal = seen(standing, which, on("2026-06-02")).next

    assert (goal.tier.code, goal.have, goal.need, goal.missing) == ("gold", 1300, 1250, 0)
    assert has(bought(standing, which, 1, at=on("2026-06-02")), which, on("2026-06-02")) == "gold"


def test_before_there_is_a_ladder_there_is_nothing_to_tell():
    which = the(a_ladder(effective_from=on("2026-06-01")))
    nobody = Standing(member_id=new_id(), enrolled_at=ENROLLED, progress=Progress(Amounts(), {}))

    assert prospects(nobody, which, now=on("2026-05-01")) is None
    assert prospects(nobody, the(), now=on("2026-05-01")) is None
