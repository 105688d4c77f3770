"""Which members are asked how it was, about what, and when: days after an order, a return or an activity. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from loyalty.notifications.domain import Settings, Survey, Wanted

KIND: Final = "feedback_request"
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about an order, if that was the member's n-th, or is one of every n."""

    wanted: Wanted
    order_id: str
    orders: int | None
    every_orders: int | None

    def is_in_turn(self, number: int) -> bool:
        """Whether it is asked about the member's order of this number."""
        return number == self.orders if self.every_orders is None else number % self.every_orders == 0


def after_order(settings: Settings, owner_id: UUID, order_id: str, placed_at: datetime) -> Iterator[Wanted | Asked]:
    """What a member is asked about an order; which number it has among theirs is not known here."""
    if settings.feedback is not None:
        at = placed_at + settings.feedback.after_days * A_DAY
        yield Wanted(
            member_id=owner_id, kind=KIND, key=order_id, data={"order_id": order_id}, occurred_at=at, not_before=at
        )
    for survey in settings.surveys:
        if survey.occasion == "order":
            wanted = _wanted(survey, owner_id, order_id, order_id, placed_at)
            yield Asked(wanted, order_id, survey.orders, survey.every_orders)


def after_return(settings: Settings, owner_id: UUID, order_id: str, key: str, at: datetime) -> Iterator[Wanted]:
    """What a member is asked about what came back; the key is of the return, of which an order may have many."""
    for survey in settings.surveys:
        if survey.occasion == "return":
            yield _wanted(survey, owner_id, order_id, key, at)


def after_activity(settings: Settings, owner_id: UUID, activity: str, key: str, at: datetime) -> Iterator[Wanted]:
    """What a member is asked about an activity."""
    for survey in settings.surveys:
        if survey.activity == activity:
            yield _wanted(survey, owner_id, None, key, at)


def keys_of_order(settings: Settings, order_id: str) -> list[str]:
    """Under which keys questions about an order wait."""
    asked = [survey.code for survey in settings.surveys if survey.occasion == "order"]
    return [order_id, *(f"{code}:{order_id}" for code in asked)]


def url_of(settings: Settings, data: Mapping[str, Any]) -> str:
    """Where the member says how it was; empty where nobody asks any more."""
    asked = _survey(settings, data) if "survey" in data else settings.feedback
    return "" if asked is None else asked.url.replace("{order_id}", data["order_id"] or "")


def is_gone(settings: Settings, data: Mapping[str, Any]) -> bool:
    """Whether a message asks what the program does not ask any more."""
    return "survey" in data and _survey(settings, data) is None


def _survey(settings: Settings, data: Mapping[str, Any]) -> Survey | None:
    return next((survey for survey in settings.surveys if survey.code == data["survey"]), None)


def _wanted(survey: Survey, owner_id: UUID, order_id: str | None, key: str, since: datetime) -> Wanted:
    at = since + survey.delay_days * A_DAY
    data = {
        "survey": survey.code, "asks": survey.kind, "occasion": survey.occasion, "order_id": order_id,
        "touchpoint": survey.touchpoint, "cooldown_days": survey.cooldown_days,
        "since": since.astimezone(UTC).isoformat(),
    }  # fmt: skip
    key = f"{survey.code}:{key}"
    return Wanted(member_id=owner_id, kind=KIND, key=key, data=data, occurred_at=at, not_before=at)
