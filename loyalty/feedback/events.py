"""The facts that answers tell. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime

from loyalty.events.domain import Fact
from loyalty.feedback.domain import NewFeedback
from loyalty.members.domain import LockedMember


def given(new: NewFeedback, member: LockedMember, *, occurred_at: datetime) -> Fact:
    """`feedback.given`: a member said how it was. What was said beside the score stands in no fact."""
    return _fact("feedback.given", new, member, occurred_at)


def low(new: NewFeedback, member: LockedMember, *, occurred_at: datetime) -> Fact:
    """`feedback.low`: the score is so low that somebody should act."""
    return _fact("feedback.low", new, member, occurred_at)


def _fact(kind: str, new: NewFeedback, member: LockedMember, at: datetime) -> Fact:
    return Fact(
        type=kind,
        version=1,
        member_id=member.member_id,
        customer_id=member.customer_id,
        occurred_at=at,
        data={
            "feedback_id": new.feedback_id,
            "kind": new.kind,
            "score": new.score,
            "touchpoint": new.touchpoint,
            "order_id": new.order_id,
            "has_comment": new.comment is not None,
        },
    )
