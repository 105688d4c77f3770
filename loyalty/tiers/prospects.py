"""What lies before a member: the tier they have, what is missing to the next one or to keep theirs, what comes. Pure.

What can be done about a tier is to buy, so `next` and `keep` speak of the tier that was reached by buying, even where
another one is granted. To have bought `missing` by the last day is enough to keep it, on whichever day that counts it
is bought. Less may do where the tier is thereby reached again, for then a new validity begins; and who reaches a higher
tier with it has that one, for as long as it is valid.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from loyalty.core import calendar
from loyalty.tiers import terms
from loyalty.tiers.domain import Grant, Ladder, Ladders, Tier
from loyalty.tiers.standing import Standing, settle, tier_at

Reason = Literal["kept", "falls", "begins_anew", "grant_ended", "moved", "never_ends"]


@dataclass(frozen=True, slots=True)
class Goal:
    """What counts towards a threshold so far, and the threshold. Nothing may be missing: then any purchase does."""

    tier: Tier
    have: int
    need: int

    @property
    def missing(self) -> int:
        """What is still to be bought."""
        return max(0, self.need - self.have)


@dataclass(frozen=True, slots=True)
class Keeping(Goal):
    """What keeps a tier: bought before `by`, from `counts_from` on (None: ever)."""

    by: datetime
    counts_from: datetime | None


@dataclass(frozen=True, slots=True)
class Projection:
    """The tier if nothing else happens, when the one there is would end or be kept. `at` None: it never ends."""

    at: datetime | None
    tier: Tier
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """Where a member stands at an instant. `window` has no beginning where all time counts, and often no end."""

    ladder: Ladder
    tier: Tier
    since: datetime
    grant: Grant | None
    by_grant: bool
    valid_until: datetime | None
    grace_until: datetime | None
    in_grace: bool
    window: tuple[datetime | None, datetime | None]
    progress: int
    next: Goal | None
    keep: Keeping | None
    projection: Projection


def prospects(standing: Standing, ladders: Ladders, *, now: datetime) -> Prospects | None:
    """What lies before a member; None where no ladder is in force."""
    standing = settle(standing, ladders, now=now)
    found = tier_at(standing, ladders, now)
    if found is None:
        return None
    tier, ladder = found
    bought = standing.state.tier == tier.code
    grant = _granting(standing, ladders, tier, now)
    ends = _ends(standing, ladders.zone) if bought and grant is None else (None, None)
    in_grace = ends[0] is not None and ends[0] <= now
    return Prospects(
        ladder=ladder, tier=tier, since=standing.since, grant=grant, by_grant=grant is not None and not bought,
        valid_until=valid_until(standing, ladders, tier, now),
        grace_until=ends[1] if ends[1] != ends[0] else None, in_grace=in_grace,
        window=_window(standing, ladders, now), progress=_value_now(standing, ladders, now),
        next=next_goal(standing, ladders, now=now), keep=keeping(standing, ladders, now=now),
        projection=projection(standing, ladders, now=now),
    )  # fmt: skip


def next_goal(standing: Standing, ladders: Ladders, *, now: datetime) -> Goal | None:
    """The tier above the one that was reached by buying, as of `now`; None at the top. The standing is settled.

    Who was left below what they bought, because a new ladder moves nobody yet, goes all the way with the next purchase.
    """
    ladder, have = _ladder(standing, ladders), _value_now(standing, ladders, now)
    above = max((ladder.rank(standing.state.tier) or 0) + 1, ladder.rank_for(have))
    if above >= len(ladder.tiers):
        return None
    return Goal(ladder.tiers[above], have, ladder.tiers[above].threshold)


def keeping(standing: Standing, ladders: Ladders, *, now: datetime) -> Keeping | None:
    """What keeps the tier that was reached by buying, as of `now`. The standing is settled.

    None for the lowest tier, for one that does not end, and where counting begins anew when it ends: unless there is a
    grace, in which it can be reached again.
    """
    state, ladder = standing.state, _ladder(standing, ladders)
    rank = ladder.rank(state.tier) or 0
    if not rank or state.valid_to is None or state.held_to is None or begins_anew(standing, ladders):
        return None
    begin = terms.keep_begin(ladder, state.valid_to, _enrolled_on(standing, ladders))
    end = terms.instant(state.valid_to, ladders.zone)
    has_ended = begin == state.valid_to or end <= now
    upto = (calendar.local_date(now, ladders.zone), ladder.version)
    return Keeping(
        tier=ladder.tiers[rank],
        have=standing.progress.value(ladder.basis, begin, upto) if begin <= upto[0] else 0,
        need=ladder.tiers[rank].threshold,
        by=terms.instant(state.held_to, ladders.zone) if has_ended else end,
        counts_from=None if begin == terms.EVER else terms.instant(begin, ladders.zone),
    )


def begins_anew(standing: Standing, ladders: Ladders) -> bool:
    """Whether nothing that is bought can keep the tier, because nothing that was bought counts when it ends."""
    state = standing.state
    if state.valid_to is None or state.held_to != state.valid_to:
        return False
    begin = terms.keep_begin(_ladder(standing, ladders), state.valid_to, _enrolled_on(standing, ladders))
    return begin == state.valid_to


def projection(standing: Standing, ladders: Ladders, *, now: datetime) -> Projection:
    """What the member will have if nothing else happens. Where another ladder is to come, all days must have been read.

    Terms that end without taking or renewing the tier, such as those of a grant beside it, are passed over.
    """
    found = tier_at(standing, ladders, now)
    assert found is not None, "there is a ladder"
    held, at = found[0], now
    while (moment := min(_decisive(standing, ladders, held, at), default=None)) is not None:
        before, standing = standing, settle(standing, ladders, now=moment)
        found = tier_at(standing, ladders, moment)
        assert found is not None, "a ladder is followed by others only"
        if found[0].code != held.code:
            return Projection(moment, found[0], _why(before, ladders, held, was=at, now=moment))
        renewed = standing.state.reason == "kept" and standing.state.position > before.state.position
        if renewed and standing.state.tier == held.code:
            return Projection(moment, found[0], "kept")
        at = moment
    return Projection(None, held, "never_ends")


def _why(before: Standing, ladders: Ladders, held: Tier, *, was: datetime, now: datetime) -> Reason:
    if ladders.at(was) is not ladders.at(now):
        return "moved"
    if before.state.tier != held.code:
        return "grant_ended"
    return "begins_anew" if begins_anew(before, ladders) else "falls"


def _decisive(standing: Standing, ladders: Ladders, held: Tier, at: datetime) -> Iterator[datetime]:
    """When it may turn out, after an instant, whether the tier is kept."""
    ladder = _ladder(standing, ladders)
    following = ladders.after(ladder.version)
    if following is not None and following.effective_from is not None:
        yield following.effective_from
    grant = _granting(standing, ladders, held, at)
    if grant is not None and grant.until is None:
        return
    ends = _ends(standing, ladders.zone) if standing.state.tier == held.code else ()
    yield from (end for end in (*ends, grant and grant.until) if end is not None and end > at)


def _granting(standing: Standing, ladders: Ladders, tier: Tier, at: datetime) -> Grant | None:
    """The grant by which a member has a tier; of several, the one that lasts longest."""
    found = [grant for grant in standing.grants if grant.tier == tier.code and grant.holds(ladders, at)]
    endless = [grant for grant in found if grant.until is None]
    return next(iter(endless), None) or max(found, key=lambda g: g.until or at, default=None)


def valid_until(standing: Standing, ladders: Ladders, tier: Tier, at: datetime) -> datetime | None:
    """Until when a member has the tier that is theirs at an instant, whether bought or granted; None: without end."""
    grant = _granting(standing, ladders, tier, at)
    ends = [_ends(standing, ladders.zone)[0]] if standing.state.tier == tier.code else []
    if grant is not None:
        ends.append(grant.until)
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) and known else None


def _ends(standing: Standing, zone: str) -> tuple[datetime | None, datetime | None]:
    """When the tier that was reached by buying is no longer valid, and no longer held."""
    state = standing.state
    if state.valid_to is None or state.held_to is None:
        return None, None
    return terms.instant(state.valid_to, zone), terms.instant(state.held_to, zone)


def _window(standing: Standing, ladders: Ladders, now: datetime) -> tuple[datetime | None, datetime | None]:
    ladder, day = _ladder(standing, ladders), calendar.local_date(now, ladders.zone)
    enrolled_on = _enrolled_on(standing, ladders)
    begin = terms.window_begin(ladder.window, day, enrolled_on)
    first = None if begin == terms.EVER else terms.instant(begin, ladders.zone)
    if ladder.window.mode in {"lifetime", "rolling"}:
        return first, None
    return first, terms.instant(terms.period_of(ladder.window, day, enrolled_on)[1], ladders.zone)


def _value_now(standing: Standing, ladders: Ladders, now: datetime) -> int:
    ladder, day = _ladder(standing, ladders), calendar.local_date(now, ladders.zone)
    begin = terms.window_begin(ladder.window, day, _enrolled_on(standing, ladders))
    return standing.progress.value(ladder.basis, begin, (day, ladder.version))


def _ladder(standing: Standing, ladders: Ladders) -> Ladder:
    return ladders.of_version(standing.state.ladder_version)


def _enrolled_on(standing: Standing, ladders: Ladders) -> date:
    return calendar.local_date(standing.enrolled_at, ladders.zone)
