"""The life of an assignment, step by step."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty.core.errors import DomainError
from loyalty.core.ids import new_id
from loyalty.offers.domain import Assignment
from loyalty.offers.errors import AssignmentDismissed, AssignmentExpired, AssignmentNotFound, AssignmentRedeemed
from loyalty.offers.life import expired, step
from tests.builders import NOW

END = NOW + timedelta(days=28)
GIVEN = Assignment(
    member_id=new_id(), assignment_id=new_id(), offer_code="coffee", offer_version=1, status="assigned",
    promise={"kind": "bonus_points", "value": "100"}, earns=True, assigned_at=NOW, valid_to=END,
)  # fmt: skip
SEEN = replace(GIVEN, status="seen", seen_at=NOW)
ACTIVATED = replace(GIVEN, status="activated", activated_at=NOW)
REDEEMED = replace(ACTIVATED, status="redeemed", closed_at=NOW, order_id="A-1")
DISMISSED = replace(GIVEN, status="dismissed", closed_at=NOW)
EXPIRED = replace(GIVEN, status="expired", closed_at=END)
HELD_OUT = replace(GIVEN, status="held_out", holdout="offer")


@pytest.mark.parametrize(
    ("before", "what", "after"),
    [
        (GIVEN, "seen", SEEN),
        (GIVEN, "activated", ACTIVATED),
        (GIVEN, "dismissed", DISMISSED),
        (SEEN, "activated", replace(ACTIVATED, seen_at=NOW)),
        (SEEN, "dismissed", replace(DISMISSED, seen_at=NOW)),
        (ACTIVATED, "seen", replace(ACTIVATED, seen_at=NOW)),
        (ACTIVATED, "dismissed", replace(DISMISSED, activated_at=NOW)),
        # What is done already changes nothing, whatever became of it.
        (SEEN, "seen", None),
        (ACTIVATED, "activated", None),
        (REDEEMED, "activated", None),
        (DISMISSED, "dismissed", None),
    ],
)
def test_steps(before: Assignment, what: Any, after: Assignment | None):
    assert step(before, what, now=NOW) == after


@pytest.mark.parametrize(
    ("before", "what", "refusal"),
    [
        (REDEEMED, "seen", AssignmentRedeemed),
        (REDEEMED, "dismissed", AssignmentRedeemed),
        (DISMISSED, "seen", AssignmentDismissed),
        (DISMISSED, "activated", AssignmentDismissed),
        (replace(DISMISSED, activated_at=NOW), "activated", AssignmentDismissed),
        (EXPIRED, "seen", AssignmentExpired),
        (EXPIRED, "activated", AssignmentExpired),
        (EXPIRED, "dismissed", AssignmentExpired),
        (HELD_OUT, "seen", AssignmentNotFound),
        (HELD_OUT, "activated", AssignmentNotFound),
        (HELD_OUT, "dismissed", AssignmentNotFound),
    ],
)
def test_refusals(before: Assignment, what: Any, refusal: type[DomainError]):
    with pytest.raises(refusal):
        step(before, what, now=NOW)


@pytest.mark.parametrize("what", ["seen", "activated", "dismissed"])
def test_it_is_over_at_its_instant_whether_anybody_wrote_that_down_or_not(what: Any):
    assert step(GIVEN, what, now=END - timedelta(microseconds=1)) is not None
    with pytest.raises(AssignmentExpired):
        step(GIVEN, what, now=END)


def test_what_is_held_out_stays_so_when_it_is_over():
    assert expired(HELD_OUT) == replace(HELD_OUT, closed_at=END)
    assert expired(SEEN) == replace(SEEN, status="expired", closed_at=END)
