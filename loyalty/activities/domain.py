"""Activities as frozen values, and the receipt of one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.core import calendar
from loyalty.earning.domain import Activity, Award
from loyalty.earning.presenting import points_of, shown
from loyalty.earning.tiering import TierChange

# What the engine itself sees, and nobody else tells it; feedback is told in a way of its own.
BIRTHDAY, REFERRAL, REFERRED, FEEDBACK = "birthday", "referral", "referred", "feedback"
RESERVED = frozenset({BIRTHDAY, REFERRAL, REFERRED, FEEDBACK})

# As of every id of the API.
ID_LENGTH_MAX = 64

# Nobody is congratulated a season later, however long no worker ran.
CATCH_UP_DAYS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class NewActivity(Activity):
    """An activity as a shop reports it, or as the engine saw it."""

    activity_id: str
    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedActivity:
    """An activity as it is read: as reported, and what it earned."""

    activity_id: str
    customer_id: str
    type: str
    status: str
    occurred_at: datetime
    recorded_at: datetime
    cancelled_at: datetime | None
    properties: dict[str, Any]
    points: dict[str, int]
    awards: list[dict[str, Any]]
    judged: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A referral that is due: the friend and how many of their orders stand, and who sent them."""

    member_id: UUID
    friend: str
    friend_status: str
    referrer: str
    referrer_status: str
    order_id: str
    ordered_at: datetime
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Birthday:
    """A member whose birthday is to be kept."""

    member_id: UUID
    customer_id: str
    enrolled_at: datetime


def receipt(
    activity: NewActivity, awards: Sequence[Award], balance: dict[str, int], tier: TierChange | None, *, now: datetime
) -> dict[str, Any]:
    """What the shop is told: what was awarded and by which rule, what the member now holds, and at which tier."""
    return {
        "activity_id": activity.activity_id,
        "customer_id": activity.customer_id,
        "type": activity.type,
        "status": "recorded",
        "points": points_of(awards, now=now),
        "awards": [shown(award) for award in awards],
        "balance": balance,
        "tier": tier and asdict(tier),
    }


def of_its_type(refused: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the rules that gave nothing, those that are for such an activity at all."""
    return [each for each in refused if each["condition"] != "activity"]


def thanks_for(referral: Referral) -> tuple[str, list[NewActivity]]:
    """What becomes of a referral that is due, and what the two sides have done.

    The friend's order may have been cancelled, or come back as a whole: then the next one counts. A friend who has
    become the referrer by a merge, or has left, is no friend to be thanked for.
    """
    if referral.friend == referral.referrer or referral.friend_status == "closed":
        return "refused", []
    if not referral.orders or referral.friend_status != "active":
        return "waiting", []
    order = {"order_id": referral.order_id}
    thanks = [_thanks(REFERRED, referral, referral.friend, {"referrer": referral.referrer, **order})]
    if referral.referrer_status == "active":
        thanks.append(_thanks(REFERRAL, referral, referral.referrer, {"friend": referral.friend, **order}))
    return "done", thanks


def _thanks(activity_type: str, referral: Referral, customer_id: str, properties: dict[str, Any]) -> NewActivity:
    return NewActivity(
        activity_id=_own_id(activity_type, referral.friend, referral.member_id),
        customer_id=customer_id,
        type=activity_type,
        occurred_at=referral.ordered_at,
        properties=properties,
    )


def is_own_id(activity_id: str) -> bool:
    """Whether an id is such as the engine gives: nobody else may take it away."""
    return activity_id.startswith(tuple(f"{kind}-" for kind in sorted(RESERVED)))


def birthday_of(born: Birthday, day: date, zone: str) -> NewActivity:
    """The birthday of a member, as it begins; of who enrolled on the day itself, as the membership does.

    Its id names the year: whoever changes the date of birth has one birthday a year all the same.
    """
    return NewActivity(
        activity_id=_own_id(BIRTHDAY, born.customer_id, born.member_id, f"-{day.year}"),
        customer_id=born.customer_id,
        type=BIRTHDAY,
        occurred_at=max(calendar.midnight(day, zone), born.enrolled_at),
        properties={},
    )


def days_to_keep(kept_until: date | None, today: date) -> list[date]:
    """The days whose birthdays are to be kept: today, and those that no worker has dealt with."""
    if kept_until is None:
        return [today]
    first = max(calendar.day_after(kept_until), today - timedelta(days=CATCH_UP_DAYS))
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def birthdays_on(day: date) -> list[int]:
    """The months and days of birth, as 100 x month + day, whose birthday a day is: 29 February may be the 28th."""
    days = [100 * day.month + day.day]
    leap_day = 229
    if calendar.day_in_year(day.year, "02-29") == day and days != [leap_day]:
        days.append(leap_day)
    return days


def _own_id(kind: str, customer_id: str, member_id: UUID, suffix: str = "") -> str:
    """The id of what the engine itself saw; by the member's internal id where the customer's leaves no room."""
    made = f"{kind}-{customer_id}{suffix}"
    return made if len(made) <= ID_LENGTH_MAX else f"{kind}-{member_id}{suffix}"
