"""Redeeming: by which price, with which lots, with how many statements, and what a refusal knows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from psycopg.rows import scalar_row, tuple_row

from loyalty.core.answers import Answer
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import Session
from loyalty.ledger.errors import InsufficientPoints
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberClosed, MemberNotFound, MemberSuspended
from loyalty.members.service import set_status
from loyalty.programs.domain import Program
from loyalty.rewards import catalogue, queries, service, stock
from loyalty.rewards.domain import NewRedemption
from loyalty.rewards.errors import OutOfStock, RewardEnded, RewardNotFound, RewardNotStarted
from tests.builders import NOW, a_member, a_program, a_reward
from tests.ledger.books import earn, history, remaining

A_DAY = timedelta(days=1)


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


@pytest.fixture
def member(session: Session, program: Program) -> LockedMember:
    """A member with 500 points that never lapse."""
    member = a_member(session, program, "c-42")
    earn(session, program, member, 500)
    return member


@pytest.fixture
def redeem(session: Session, program: Program, member: LockedMember) -> Iterator[Any]:
    """Redeem a reward for the member; answers the receipt."""

    def redeem(redemption_id: str = "r-1", reward: str = "five-off", **given: Any) -> Answer:
        customer_id, now = given.get("customer_id", member.customer_id), given.get("now", NOW)
        wish = NewRedemption(redemption_id=redemption_id, reward=reward, hold=given.get("hold", False))
        return service.redeem_reward(session, program.program_id, customer_id, wish, now=now)

    return redeem


def receipt(answer: Answer) -> dict[str, Any]:
    return orjson.loads(answer.body)


def test_a_redemption_is_answered_with_a_receipt(session: Session, program: Program, redeem):
    a_reward(session, program, points=120)

    answer = redeem()

    told = receipt(answer)
    code = told["voucher"].pop("code")
    assert not answer.replayed
    assert told == {
        "redemption_id": "r-1",
        "reward": "five-off",
        "status": "confirmed",
        "points": 120,
        "expires_at": None,
        "voucher": {"value": {"type": "discount_amount", "amount": 500}, "expires_at": None},
        "balance": {"available": 380, "pending": 0, "held": 0, "debt": 0},
    }
    found = queries.redemption(session, program.program_id, "r-1", now=NOW)
    assert (found.status, found.points, found.redeemed_at, found.voucher and found.voucher["code"]) == (
        "confirmed",
        120,
        NOW,
        code,
    )


def test_points_that_lapse_first_are_spent_first_and_lapsed_ones_not_at_all(
    session: Session, program: Program, member: LockedMember, redeem
):
    lapsed = earn(session, program, member, 100, expires_at=NOW + A_DAY)
    soon = earn(session, program, member, 30, expires_at=NOW + 3 * A_DAY)
    matured = earn(session, program, member, 50, matures_at=NOW + 2 * A_DAY, expires_at=NOW + 4 * A_DAY)
    a_reward(session, program, points=90)

    redeem(now=NOW + 2 * A_DAY)

    assert remaining(session, member.member_id) == {lapsed: 0, soon: 0, matured: 0, 1: 490}
    assert history(session, member.member_id)[-3:] == [
        ("expire", -100, 530, NOW + A_DAY),
        ("mature", 50, 580, NOW + 2 * A_DAY),
        ("redeem", -90, 490, NOW + 2 * A_DAY),
    ]


def test_the_next_redemption_costs_the_new_price(session: Session, program: Program, member: LockedMember, redeem):
    a_reward(session, program, points=100)
    redeem("r-1")

    a_reward(session, program, points=150, name="Dearer")

    assert receipt(redeem("r-2"))["points"] == 150
    reasons = "SELECT reason FROM entries WHERE member_id = %s AND kind = 'redeem' ORDER BY seq"
    assert session.rows(reasons, (member.member_id,), into=scalar_row) == ["5 off", "Dearer"]


def test_an_edit_moves_the_version_and_a_redemption_does_not(session: Session, program: Program, redeem):
    a_reward(session, program, stock=5)
    redeem()
    read = catalogue.reward(session, program.program_id, "five-off", now=NOW)
    assert (read.version, read.left) == (1, 4)

    edited = a_reward(session, program, stock=9)

    assert (edited.version, edited.left) == (2, 9)


@pytest.mark.parametrize(("before", "after"), [(None, 1), (3, 1), (0, 2), (3, 0), (None, 0)])
def test_the_stock_is_what_the_last_edit_says_is_left(session: Session, program: Program, redeem, before, after):
    a_reward(session, program, stock=before)
    assert a_reward(session, program, stock=after).left == after

    for number in range(after):
        redeem(f"r-{number}")
    with pytest.raises(OutOfStock) as refused:
        redeem("one-more")

    assert refused.value.facts == {"reward": "five-off"}


def test_a_reward_whose_stock_is_lifted_never_runs_out(session: Session, program: Program, redeem):
    a_reward(session, program, stock=1)
    redeem("r-1")

    a_reward(session, program, stock=None)

    assert not redeem("r-2").replayed


def test_whoever_waits_while_the_stock_is_lifted_is_not_refused(session: Session, program: Program, redeem):
    a_reward(session, program, stock=0)
    # As if it had been lifted after the redemption read the catalogue.
    stock.restock(session, program.program_id, "five-off", None)

    assert not redeem("r-1").replayed


def test_the_same_redemption_again_is_the_first_answer_whatever_happened_since(
    session: Session, program: Program, member: LockedMember, redeem
):
    a_reward(session, program, points=500, stock=1, valid_to=NOW + A_DAY)
    first = redeem()
    a_reward(session, program, points=900, stock=0, valid_to=NOW + A_DAY)
    set_status(session, program.program_id, member, "closed", now=NOW)

    again = redeem(now=NOW + 2 * A_DAY)

    assert again == Answer(first.body, replayed=True)
    assert [kind for kind, *_ in history(session, member.member_id)] == ["earn", "redeem"]


def test_an_id_is_taken_for_every_reward_and_every_member(session: Session, program: Program, redeem):
    a_reward(session, program)
    a_reward(session, program, "tea")
    a_member(session, program, "c-43")
    redeem("r-1")

    for other in ({"reward": "tea"}, {"customer_id": "c-43"}, {"customer_id": "nobody"}):
        with pytest.raises(IdempotencyConflict) as refused:
            redeem("r-1", **other)
        assert refused.value.facts == {"redemption_id": "r-1"}


def test_an_order_and_a_redemption_may_have_the_same_id(session: Session, program: Program, redeem):
    a_reward(session, program)
    session.run("INSERT INTO natural_keys VALUES (%s, 'order', 'r-1', gen_random_uuid(), NULL)", (program.program_id,))

    assert not redeem("r-1").replayed


def test_too_few_points_are_told_with_what_is_missing(session: Session, program: Program, redeem):
    a_reward(session, program, points=501)
    a_member(session, program, "new")

    with pytest.raises(InsufficientPoints) as refused:
        redeem()
    with pytest.raises(InsufficientPoints) as refused_without_account:
        redeem("r-2", customer_id="new")

    assert refused.value.facts == {"required": 501, "available": 500, "missing": 1, "unit": "points"}
    assert refused_without_account.value.facts["missing"] == 501


@pytest.mark.parametrize(("status", "refusal"), [("suspended", MemberSuspended), ("closed", MemberClosed)])
def test_who_is_not_active_redeems_nothing(
    session: Session, program: Program, member: LockedMember, redeem, status: str, refusal: type[Exception]
):
    a_reward(session, program)
    set_status(session, program.program_id, member, status, now=NOW)

    with pytest.raises(refusal):
        redeem()

    keys = "SELECT key FROM natural_keys WHERE program_id = %s AND kind = 'redemption'"
    assert session.rows(keys, (program.program_id,), into=tuple_row) == []


def test_strangers_and_unknown_rewards_are_not_found(session: Session, program: Program, redeem):
    a_reward(session, a_program(session), "elsewhere")

    with pytest.raises(MemberNotFound):
        redeem(customer_id="nobody")
    with pytest.raises(RewardNotFound) as refused:
        redeem(reward="elsewhere")

    assert refused.value.facts == {"reward": "elsewhere"}


def test_a_reward_out_of_season_says_from_or_until_when_it_can_be_had(session: Session, program: Program, redeem):
    begin, end = NOW + A_DAY, NOW + 2 * A_DAY
    a_reward(session, program, valid_from=begin, valid_to=end)

    with pytest.raises(RewardNotStarted) as early:
        redeem("too-early", now=begin - timedelta(microseconds=1))
    with pytest.raises(RewardEnded) as late:
        redeem("too-late", now=end)

    assert early.value.facts == {"reward": "five-off", "valid_from": begin}
    assert late.value.facts == {"reward": "five-off", "valid_to": end}
    assert not redeem("first", now=begin).replayed
    assert not redeem("last", now=end - timedelta(microseconds=1)).replayed
