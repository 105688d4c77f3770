"""From facts to messages: who is to be told what, of which key, not before when. Pure.

What is old news is not told: who was not asked for a while (a worker that was away) or has just learnt of the past (a
shop that imports its orders) does not make up for it by telling everybody everything (`FRESH`).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from loyalty.notifications import surveying
from loyalty.notifications.domain import Settings, Told, Wanted
from loyalty.notifications.surveying import Asked
from loyalty.programs.domain import POINTS, Program
from loyalty.rewards.domain import Reward
from loyalty.tiers.domain import Ladders

A_DAY = timedelta(days=1)

# For how long after it happened something is worth telling; None: always. A tier is welcome, a voucher is needed.
FRESH: Final[Mapping[str, timedelta | None]] = {
    "points_earned": 3 * A_DAY,
    "reward_within_reach": 3 * A_DAY,
    "tier_up": 30 * A_DAY,
    "voucher_issued": None,
}
FRESH_ELSE: Final = 7 * A_DAY


@dataclass(frozen=True, kw_only=True)
class Known:
    """What planning knows beside the facts; `now` by the program's clock."""

    now: datetime
    program: Program
    settings: Settings
    rewards: Mapping[str, Reward] = field(default_factory=dict)
    ladders: Ladders = field(default_factory=lambda: Ladders((), "UTC"))

    @cached_property
    def reaches(self) -> list[tuple[int, int, str]]:
        """From how many points on each price of a reward is within reach, the price, and the reward; in order."""
        percent = self.settings.within_reach_percent
        return sorted(
            (least(price, percent), price, code)
            for code, reward in self.rewards.items()
            for price in {reward.points, *reward.points_by_tier.values()}
        )


@dataclass(frozen=True, slots=True)
class Reached:
    """A reward whose price came within reach when a member's points went from `before` to `after`."""

    member_id: UUID
    reward: str
    price: int
    before: int
    after: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """What waits about something is not worth telling any more."""

    member_id: UUID
    kind: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Announced:
    """A new reward, of which members are told from `at` on."""

    reward: str
    version: int
    at: datetime


Item = Wanted | Asked | Reached | Closed | Announced
Planner = Callable[[Told, Known], Iterator[Item]]


@dataclass(slots=True)
class Plan:
    """What facts lead to, in their order; of rewards within reach one for each member, the dearest."""

    wanted: list[Wanted] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    reached: dict[UUID, Reached] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    announced: list[Announced] = field(default_factory=list)
    unreadable: list[Told] = field(default_factory=list)

    def add(self, item: Item) -> None:
        """Take one more."""
        if isinstance(item, Wanted):
            self.wanted.append(item)
        elif isinstance(item, Asked):
            self.asked.append(item)
        elif isinstance(item, Closed):
            self.closed.append(item)
        elif isinstance(item, Announced):
            self.announced.append(item)
        elif item.member_id not in self.reached or item.price >= self.reached[item.member_id].price:
            self.reached[item.member_id] = item


def least(price: int, percent: int) -> int:
    """From how many points on a reward is within reach: so many percent of its price, rounded up."""
    return -(-price * percent // 100)


def plan(facts: Iterable[Told], known: Known) -> Plan:
    """What members are to be told because of facts."""
    made = Plan()
    for fact in facts:
        try:
            items = list(PLANNERS[fact.type](fact, known))
        except (KeyError, TypeError, ValueError):
            # One that is shaped otherwise, by an earlier or later version of the engine, keeps nobody else waiting.
            made.unreadable.append(fact)
            continue
        for item in items:
            if isinstance(item, Closed | Announced) or _is_fresh(item, known.now):
                made.add(item)
    return made


def _is_fresh(item: Wanted | Asked | Reached, now: datetime) -> bool:
    about = item.wanted if isinstance(item, Asked) else item
    kind = about.kind if isinstance(about, Wanted) else "reward_within_reach"
    for_how_long = FRESH.get(kind, FRESH_ELSE)
    return for_how_long is None or now - about.occurred_at <= for_how_long


def _wanted(fact: Told, kind: str, data: dict[str, Any], key: str | None = None, **given: Any) -> Wanted:
    return Wanted(
        member_id=fact.owner_id, kind=kind, key=key or str(fact.event_id), data=data,
        **{"occurred_at": fact.occurred_at, **given},
    )  # fmt: skip


def _of_points(kind: str, *names: str) -> Planner:
    """A message with some of what the fact says, for the unit that every program has."""

    def planner(fact: Told, _known: Known) -> Iterator[Item]:
        if fact.data["unit"] == POINTS:
            yield _wanted(fact, kind, {name: fact.data[name] for name in ("points", *names)})

    return planner


def _earned(fact: Told, known: Known) -> Iterator[Item]:
    data = fact.data
    if data["unit"] != POINTS:
        return
    told = {name: data[name] for name in ("points", "matures_at", "expires_at", "order_id")}
    yield _wanted(fact, "points_earned", {**told, "pending": data["waiting"]})
    yield from _usable(fact, known)


def _matured(fact: Told, known: Known) -> Iterator[Item]:
    yield from _of_points("points_matured")(fact, known)
    yield from _usable(fact, known)


def _usable(fact: Told, known: Known) -> Iterator[Item]:
    """The dearest reward that these points brought within reach."""
    data = fact.data
    usable = data["points"] - data["waiting"]
    if data["unit"] != POINTS or usable <= 0:
        return
    after, before = data["available"], data["available"] - usable
    reaches = known.reaches
    begin, end = (bisect_right(reaches, points, key=lambda each: each[0]) for points in (before, after))
    for _, price, code in reversed(reaches[begin:end]):
        ends = known.rewards[code].valid_to
        if ends is None or ends > known.now:
            yield Reached(fact.owner_id, code, price, before, after, fact.occurred_at)
            return


def _tier(fact: Told, known: Known) -> Iterator[Item]:
    """Of the tier that everybody begins with nobody is told."""
    data = fact.data
    ladder = next((each for each in known.ladders.published if each.version == data["ladder_version"]), None)
    if data["from"] is None and (ladder is None or not ladder.rank(data["tier"])):
        return
    kind = "tier_down" if data["direction"] == "down" else "tier_up"
    yield _wanted(fact, kind, {name: data[name] for name in ("tier", "from", "ladder_version")})


def _redeemed(fact: Told, _known: Known) -> Iterator[Item]:
    data = fact.data
    if data["voucher_issued"]:
        told = {"redemption_id": data["redemption_id"], "reward": data["reward"]}
        yield _wanted(fact, "voucher_issued", told, key=data["redemption_id"])


def _ordered(fact: Told, known: Known) -> Iterator[Item]:
    if not fact.data["guest"]:
        placed_at, order_id = _instant(fact.data["placed_at"]), fact.data["order_id"]
        yield from surveying.after_order(known.settings, fact.owner_id, order_id, placed_at)


def _order_gone(fact: Told, known: Known) -> Iterator[Item]:
    order_id = fact.data["order_id"]
    if fact.type == "order.cancelled" or fact.data["complete"]:
        for key in surveying.keys_of_order(known.settings, order_id):
            yield Closed(fact.owner_id, surveying.KIND, key, "order_gone")
    # A guest's order is the program's own.
    if fact.type == "order.returned" and fact.owner_id != known.program.program_id:
        key = str(fact.event_id)
        yield from surveying.after_return(known.settings, fact.owner_id, order_id, key, fact.occurred_at)


def _active(fact: Told, known: Known) -> Iterator[Item]:
    key = fact.data["activity_id"]
    yield from surveying.after_activity(known.settings, fact.owner_id, fact.data["type"], key, fact.occurred_at)


def _published(fact: Told, known: Known) -> Iterator[Item]:
    data = fact.data
    begins, ends = (data[name] and _instant(data[name]) for name in ("valid_from", "valid_to"))
    at = max(fact.occurred_at, begins or fact.occurred_at)
    if data["first"] and (ends is None or ends > known.now) and known.now - at <= FRESH_ELSE:
        yield Announced(data["reward"], data["version"], at)


def _offered(fact: Told, known: Known) -> Iterator[Item]:
    data, ends = fact.data, fact.data["valid_to"] and _instant(fact.data["valid_to"])
    if ends is not None and ends <= known.now:
        return
    if data.get("rank") not in (None, 1):
        # Ten offers are shown together; a member hears of the best of them, and of what was given for a reason.
        return
    told = {name: data[name] for name in ("assignment_id", "offer", "title", "valid_to")}
    yield _wanted(fact, "offer_assigned", told, key=data["assignment_id"], outdated_at=ends)
    days = known.settings.offer_ending_days
    # Who was told of an offer in its last days was told when it ends.
    if ends is not None and (at := ends - days * A_DAY) > fact.occurred_at:
        times = {"occurred_at": max(at, fact.occurred_at), "not_before": at, "outdated_at": ends}
        yield _wanted(fact, "offer_ending", {**told, "days": days}, key=data["assignment_id"], **times)


def _offer_closed(fact: Told, _known: Known) -> Iterator[Item]:
    for kind in ("offer_assigned", "offer_ending"):
        yield Closed(fact.owner_id, kind, fact.data["assignment_id"], "offer_closed")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


PLANNERS: Final[Mapping[str, Planner]] = {
    "points.earned": _earned,
    "points.matured": _matured,
    "points.expired": _of_points("points_expired"),
    "points.reversed": _of_points("points_reversed", "order_id"),
    "points.adjusted": _usable,
    "points.transferred_in": _usable,
    "points.returned": _usable,
    "points.reinstated": _usable,
    "tier.changed": _tier,
    "redemption.confirmed": _redeemed,
    "redemption.fulfilled": _redeemed,
    "order.recorded": _ordered,
    "activity.recorded": _active,
    "order.cancelled": _order_gone,
    "order.returned": _order_gone,
    "reward.published": _published,
    "offer.assigned": _offered,
    "offer.redeemed": _offer_closed,
    "offer.dismissed": _offer_closed,
    "offer.expired": _offer_closed,
}

# The facts that lead to messages.
TYPES: Final = tuple(PLANNERS)
