"""What members answer when they are asked how it was: scales, classes of answers, and frozen values. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from loyalty.activities.domain import FEEDBACK, ID_LENGTH_MAX, NewActivity

FeedbackKind = Literal["nps", "csat", "ces"]

COMMENT_LENGTH_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Scale:
    """Scores from `least` to `most`. `classes`: what an answer is called that has at least such a score, best first."""

    least: int
    most: int
    classes: tuple[tuple[str, int], ...]


SCALES: Final[Mapping[str, Scale]] = {
    "nps": Scale(0, 10, (("promoter", 9), ("passive", 7), ("detractor", 0))),
    "csat": Scale(1, 5, (("satisfied", 4), ("unsatisfied", 1))),
    "ces": Scale(1, 7, (("easy", 5), ("hard", 1))),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeedback:
    """An answer as a shop reports it. It may be about an order, or about a place where members meet the shop."""

    feedback_id: str
    customer_id: str
    kind: str
    score: int
    answered_at: datetime
    comment: str | None = None
    order_id: str | None = None
    touchpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """An answer as it is read. A comment that was erased is gone; when, is known."""

    feedback_id: str
    customer_id: str
    kind: str
    score: int
    comment: str | None
    comment_erased_at: datetime | None
    order_id: str | None
    touchpoint: str | None
    answered_at: datetime
    recorded_at: datetime
    activity_id: str


def class_of(kind: str, score: int) -> str:
    """What an answer is called: promoter, passive or detractor; satisfied or unsatisfied; easy or hard."""
    return next(name for name, from_score in SCALES[kind].classes if score >= from_score)


def scores_of(kind: str) -> range:
    """All scores of a kind."""
    scale = SCALES[kind]
    return range(scale.least, scale.most + 1)


def scores_up_to(kind: str | None, most: int | None) -> list[tuple[str, int]]:
    """The kinds and scores that a list is asked for."""
    return [
        (each, score)
        for each in SCALES
        for score in scores_of(each)
        if kind in (None, each) and (most is None or score <= most)
    ]


def activity_of(new: NewFeedback) -> NewActivity:
    """The answer as something that a member did: what earning rules see. They see no comment, only that there is one.

    It happened when the answer was given.
    """
    properties: dict[str, Any] = {
        "kind": new.kind, "score": new.score, "touchpoint": new.touchpoint, "order_id": new.order_id,
        "has_comment": new.comment is not None,
    }  # fmt: skip
    return NewActivity(
        activity_id=activity_id_of(new.feedback_id),
        customer_id=new.customer_id,
        type=FEEDBACK,
        occurred_at=new.answered_at,
        properties=properties,
    )


def activity_id_of(feedback_id: str) -> str:
    """The id of an answer's activity, such as no shop may give; by a hash where the answer's leaves no room."""
    made = f"{FEEDBACK}-{feedback_id}"
    return made if len(made) <= ID_LENGTH_MAX else f"{FEEDBACK}-{hashlib.sha256(feedback_id.encode()).hexdigest()[:40]}"


def receipt(new: NewFeedback, earned: Mapping[str, Any]) -> dict[str, Any]:
    """What the shop is told: what was answered, without the comment, and what it earned."""
    told = {"feedback_id": new.feedback_id, "customer_id": new.customer_id, "kind": new.kind, "score": new.score}
    names = ("activity_id", "points", "awards", "refused", "balance", "tier")
    return {**told, **{name: earned[name] for name in names}}
