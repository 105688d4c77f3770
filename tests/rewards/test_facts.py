"""What redemptions and stocks tell: each fact is of a kind that the contract lists, with data of its shape."""

from datetime import datetime
from typing import get_args

import pytest

from loyalty.app import FACTS
from loyalty.events.domain import Fact
from loyalty.members.domain import LockedMember
from loyalty.rewards import events
from loyalty.rewards.domain import STATUSES, RedemptionStatus
from loyalty.rewards.fact_schemas import KINDS
from tests.builders import NOW, new_id

MEMBER = LockedMember(new_id(), "c-42", "active", NOW, None, 1, referral_waits=False)


def became(status: str, at: datetime = NOW, **given) -> Fact:
    """A redemption whose status is now this."""
    facts = {
        "redemption_id": "r-1",
        "reward": "five-off",
        "points": 25,
        "voucher_issued": True,
        "fulfilment": "code",
        "occurred_at": at,
    }
    return events.redemption_became(status, MEMBER.member_id, MEMBER.customer_id, **{**facts, **given})


TOLD = [
    *(became(status) for status in STATUSES),
    became("cancelled", reason="The member changed their mind."),
    events.stock_low("five-off", remaining=3, threshold=5, occurred_at=NOW),
    events.out_of_stock("five-off", occurred_at=NOW),
    events.published("five-off", version=1, first=True, points=25, valid_from=NOW, valid_to=None, occurred_at=NOW),
    events.withdrawn("five-off", version=2, occurred_at=NOW),
]


@pytest.mark.parametrize("fact", TOLD, ids=lambda fact: fact.type)
def test_the_data_of_a_fact_has_the_shape_that_the_contract_gives_it(fact: Fact):
    (kind,) = (kind for kind in KINDS if (kind.type, kind.version) == (fact.type, fact.version))

    # What was read is written as it was told.
    assert kind.data().dump(kind.data().load(fact.data)) == fact.data


def test_every_kind_is_told_and_every_status_has_one():
    assert {(fact.type, fact.version) for fact in TOLD} == {(kind.type, kind.version) for kind in KINDS}
    assert get_args(RedemptionStatus) == STATUSES


def test_a_fact_of_a_redemption_names_the_member_and_one_of_a_stock_nobody():
    held, out = became("held"), events.out_of_stock("five-off", occurred_at=NOW)

    assert (held.member_id, held.customer_id, held.occurred_at) == (MEMBER.member_id, "c-42", NOW)
    assert (out.member_id, out.customer_id) == (None, None)


def test_no_kind_of_any_slice_is_declared_twice():
    declared = [(kind.type, kind.version) for kind in FACTS]

    assert len(set(declared)) == len(declared)
    assert set(KINDS) <= set(FACTS)
