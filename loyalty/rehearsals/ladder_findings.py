"""What a draft of a ladder would make of members, one after another, and what that comes to. Pure.

Where a member stands, before and after, is for `loyalty.tiers` to say, as it does when a ladder is published.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from loyalty.core import calendar
from loyalty.core.calendar import local_date
from loyalty.programs.domain import Program
from loyalty.rehearsals.results import SHOWN, cost
from loyalty.tiers import terms
from loyalty.tiers.domain import NOTHING, Ladder, Ladders, Tier
from loyalty.tiers.progress import Progress
from loyalty.tiers.standing import Standing, settle, tier_at

# Members named of those who move from one tier to another.
NAMED = 3

# Over so many days it is estimated what other multipliers would have cost.
DAYS = 90

# Whoever has nine tenths of what a tier takes is near it.
NEAR = 10

ALWAYS = (
    "Members who never bought anything are counted, not judged one by one: they stand at the lowest tier.",
    "Tiers pinned by hand hold; so does what a member was left with after a return, unless everybody is moved.",
    f"The cost is an estimate: what rules gave in the last {DAYS} days, had the multiplier been that of the new tier.",
)
MOVING = {
    "now": "Everybody has the tier that this ladder would have given all along.",
    "upgrades_only": "Who would go down stays, until the validity ends.",
    "at_validity_end": "Everybody stays until the validity ends, except on tiers that this ladder does not have.",
}


def published_now(published: Ladders, draft: Ladder, *, now: datetime) -> Ladders:
    """The ladders that there would be if a draft was published: the first one is in force from the beginning."""
    version = max((ladder.version for ladder in published.published), default=0) + 1
    begin = now if published.any else None
    return Ladders.of([*published.published, replace(draft, version=version, effective_from=begin)], published.zone)


@dataclass(slots=True)
class _Move:
    """Those who go from one tier to another."""

    members: int = 0
    named: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Touched:
    """A member who goes up or down, by so many tiers."""

    jump: int
    value: int
    customer_id: str
    before: str | None
    after: str
    valid_until: datetime | None

    @property
    def order(self) -> tuple[int, int, str]:
        return -abs(self.jump), -self.value, self.customer_id


class Shortlist:
    """Those whom it touches most. It never holds more than a few."""

    def __init__(self) -> None:
        self.members = 0
        self._found: list[_Touched] = []

    def add(self, touched: _Touched) -> None:
        """One more."""
        self.members += 1
        self._found.append(touched)
        if len(self._found) >= 10 * SHOWN:
            self._found = self._most()

    def _most(self) -> list[_Touched]:
        return sorted(self._found, key=lambda each: each.order)[:SHOWN]

    def shown(self) -> list[dict[str, Any]]:
        """The first of them, largest jump first, then by what counts for them."""
        return [
            {
                "customer_id": each.customer_id,
                "from": each.before,
                "to": each.after,
                "value": each.value,
                "valid_until": each.valid_until,
            }
            for each in self._most()
        ]


class LadderFindings:
    """The sums so far. `published` are the ladders that there are, `drafted` those that there would be."""

    def __init__(self, program: Program, published: Ladders, drafted: Ladders, *, now: datetime) -> None:
        self.program, self.published, self.drafted, self.now = program, published, drafted, now
        self.ladder, self.today = drafted.published[-1], local_date(now, drafted.zone)
        self.members = 0
        self.up, self.down = Shortlist(), Shortlist()
        self._moves: dict[tuple[str | None, str], _Move] = {}
        self._near: Counter[str] = Counter()
        self._dearer, self._given, self._draft = 0, 0, Decimal(0)

    def judge(self, customer_id: str, standing: Standing) -> None:
        """Where a member stands, and would stand. All that ever counted must have been read."""
        before, after, settled = self._moved(standing)
        move = self._move(before, after, 1)
        if len(move.named) < NAMED:
            move.named.append(customer_id)
        enrolled_on = local_date(standing.enrolled_at, self.drafted.zone)
        begin = terms.window_begin(self.ladder.window, self.today, enrolled_on)
        value = settled.progress.value(self.ladder.basis, begin, (self.today, self.ladder.version))
        rank = self.ladder.rank(after.code) or 0
        if jump := rank - self._rank(before):
            code = before.code if before else None
            touched = _Touched(jump, value, customer_id, code, after.code, self._valid_until(settled, after))
            (self.up if jump > 0 else self.down).add(touched)
        for tier in self.ladder.tiers[rank + 1 :]:
            if tier.threshold * (NEAR - 1) <= value * NEAR < tier.threshold * NEAR:
                self._near[tier.code] += 1
        self._weigh(settled.progress, before, after)

    def count_the_rest(self, members: int) -> None:
        """Add members who never bought anything."""
        nobody = Standing(member_id=UUID(int=0), enrolled_at=self.now, progress=Progress(NOTHING, {}))
        before, after, _ = self._moved(nobody)
        self._move(before, after, members)

    def _moved(self, standing: Standing) -> tuple[Tier | None, Tier, Standing]:
        settled = settle(standing, self.drafted, now=self.now)
        before = tier_at(settle(standing, self.published, now=self.now), self.published, self.now)
        after = tier_at(settled, self.drafted, self.now)
        assert after is not None, "the draft would be in force"
        return before[0] if before else None, after[0], settled

    def _move(self, before: Tier | None, after: Tier, members: int) -> _Move:
        move = self._moves.setdefault((before.code if before else None, after.code), _Move())
        move.members += members
        self.members += members
        return move

    def _rank(self, tier: Tier | None) -> int:
        """Where a tier stands on the drafted ladder; those that it does not have count as the lowest."""
        return self.ladder.rank(tier.code if tier else None) or 0

    def _valid_until(self, standing: Standing, tier: Tier) -> datetime | None:
        ends = [g.until for g in standing.grants if g.tier == tier.code and g.holds(self.drafted, self.now)]
        if standing.state.tier == tier.code:
            end = standing.state.valid_to
            ends.append(None if end is None else calendar.midnight(end, self.drafted.zone))
        return None if None in ends else max((end for end in ends if end is not None), default=None)

    def _weigh(self, progress: Progress, before: Tier | None, after: Tier) -> None:
        was, will = before.benefits.multiplier if before else Decimal(1), after.benefits.multiplier
        if was == will or not was:
            return
        since = self.today - timedelta(days=DAYS)
        given = sum(amounts.points for (day, _), amounts in progress.days.items() if day > since)
        self._dearer += 1
        self._given += given
        self._draft += given * will / was

    def result(self) -> dict[str, Any]:
        """What it all came to, ready for JSON."""
        return {
            "members": self.members,
            "currency": self.program.currency,
            "basis": self.ladder.basis,
            "matrix": self._matrix(),
            "tiers": [self._tier(tier) for tier in (*self._gone(), *self.ladder.tiers)],
            "up": self.up.members,
            "down": self.down.members,
            "same": self.members - self.up.members - self.down.members,
            "winners": self.up.shown(),
            "losers": self.down.shown(),
            "cost": self._cost(),
            "near": [
                {"code": tier.code, "threshold": tier.threshold, "members": self._near[tier.code]}
                for tier in self.ladder.tiers[1:]
            ],
            "notes": list(self._notes()),
        }

    def _matrix(self) -> list[dict[str, Any]]:
        was = self.published.at(self.now)

        def places(codes: tuple[str | None, str]) -> tuple[int, int]:
            before, after = codes
            return -1 if was is None else was.rank(before) or 0, self.ladder.rank(after) or 0

        moves = [(codes, self._moves[codes]) for codes in sorted(self._moves, key=places)]
        return [
            {"from": before, "to": after, "members": move.members, "named": move.named}
            for (before, after), move in moves
            if move.members
        ]

    def _gone(self) -> tuple[Tier, ...]:
        """The tiers that there would be no more."""
        was = self.published.at(self.now)
        return tuple(t for t in was.tiers if self.ladder.rank(t.code) is None) if was else ()

    def _tier(self, tier: Tier) -> dict[str, Any]:
        moves = self._moves.items()
        return {
            "code": tier.code,
            "name": tier.name,
            "threshold": tier.threshold,
            "before": sum(move.members for (before, _), move in moves if before == tier.code),
            "after": sum(move.members for (_, after), move in moves if after == tier.code),
        }

    def _cost(self) -> dict[str, int]:
        draft = int(self._draft.to_integral_value(ROUND_HALF_UP))
        more = draft - self._given
        return {
            "days": DAYS,
            "members": self._dearer,
            "given": self._given,
            "draft": draft,
            "difference": more,
            "amount": cost(draft, self.program) - cost(self._given, self.program),
        }

    def _notes(self) -> Iterator[str]:
        yield from ALWAYS
        if self.published.at(self.now) is None:
            yield "No ladder is in force: members get their first tier."
        else:
            yield MOVING[self.ladder.moving]
        if gone := self._gone():
            codes = ", ".join(tier.code for tier in gone)
            yield f"For up and down, tiers that this ladder does not have count as its lowest: {codes}."
        kept = {ladder.version for ladder in self.drafted.published}
        for ladder in self.published.published:
            if ladder.version not in kept and ladder.effective_from is not None:
                day = local_date(ladder.effective_from, self.drafted.zone).isoformat()
                yield f"Version {ladder.version}, which is to come into force on {day}, would not: this one is newer."
