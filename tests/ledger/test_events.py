"""What points tell, from the entries of a book: together what belongs together, never more or less than happened."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.ledger.domain import Account, Entry
from loyalty.ledger.events import TYPES, facts_of
from loyalty.ledger.fact_schemas import KINDS
from loyalty.ledger.models import KINDS as ENTRY_KINDS
from loyalty.ledger.settling import MISSED
from tests.builders import NOW, new_id

MEMBER = new_id()
ADDS = ("points.earned", "points.returned", "points.reinstated", "points.transferred_in", "points.adjusted")
TAKES = ("points.expired", "points.redeemed", "points.reversed", "points.transferred_out", "points.debt_paid")


def an_entry(kind: str = "earn", points: int = 10, **given: Any) -> Entry:
    """Ten points that can be spent at once, unless said otherwise."""
    defaults = {"seq": 1, "unit": "points", "occurred_at": NOW, "known_at": NOW, "available": points}
    return Entry(member_id=MEMBER, kind=kind, points=points, **{**defaults, **given})


def told(*entries: Entry, **read: Account) -> list[tuple[str, dict[str, Any]]]:
    return [(fact.type, fact.data) for fact in facts_of(entries, read, MEMBER, "c-42")]


def test_every_kind_of_entry_is_told():
    assert set(TYPES) == set(ENTRY_KINDS)
    assert set(TYPES.values()) == {kind.type for kind in KINDS}


def test_what_several_rules_gave_for_one_order_is_told_at_once():
    base = an_entry(order_id="A-1", rule_code="base", expires_at=NOW + timedelta(days=9))
    extra = replace(base, points=5, available=5, rule_code="extra", expires_at=NOW + timedelta(days=5))

    (fact,) = facts_of([base, extra], {"points": Account(member_id=MEMBER, unit="points", available=7)}, MEMBER, "c-42")

    assert (fact.type, fact.member_id, fact.customer_id, fact.occurred_at) == ("points.earned", MEMBER, "c-42", NOW)
    assert fact.data == {
        "unit": "points", "points": 15, "waiting": 0, "seq": extra.seq, "available": 22,
        "pending": 0, "held": 0, "debt": 0, "order_id": "A-1",
        "reference": None, "rules": ["base", "extra"], "matures_at": None, "expires_at": "2026-03-06T12:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    "other", [{"unit": "stars"}, {"order_id": "A-2"}, {"occurred_at": NOW + timedelta(1)}, {"reference": "review-1"}]
)
def test_what_differs_is_told_apart(other: dict[str, Any]):
    assert len(told(an_entry(), an_entry(**other))) == 2


def test_what_lapses_together_is_told_together_whatever_lots_it_was_in():
    lapsing = [an_entry("expire", -points, reference=str(points)) for points in (1, 2)]
    missed = [an_entry("reverse", -1, reference=str(lot), reason=MISSED) for lot in (3, 4)]

    found = told(*lapsing, *missed, points=Account(member_id=MEMBER, unit="points", available=5))

    assert [(of, data["points"], data["available"], data["reference"]) for of, data in found] == [
        ("points.expired", 3, 2, None),
        ("points.reversed", 2, 0, None),
    ]


def test_what_moved_no_points_is_not_told():
    assert told(an_entry("reverse", 0), an_entry("transfer_in", 0)) == []


def test_a_debt_that_moves_with_a_merge_is_owed_by_the_one_and_no_more_by_the_other():
    assert told(an_entry("transfer_in", -10, available=0, debt=10))[0][0] == "points.owed"
    (of, data), = told(
        an_entry("transfer_out", 10, available=0, debt=-10), points=Account(member_id=MEMBER, unit="points", debt=10)
    )  # fmt: skip
    assert (of, data["points"], data["debt"]) == ("points.debt_paid", 10, 0)


# Kinds whose points all come out of, or go into, what can be spent.
plain = st.sampled_from([kind for kind in TYPES if kind not in ("mature", "hold", "release", "debt")])
entries = st.lists(st.tuples(plain, st.integers(1, 9), st.sampled_from(["points", "stars"])), max_size=12)


@given(entries, st.integers(200, 300))
def test_facts_add_up_to_what_the_account_holds(given_entries: list[tuple[str, int, str]], before: int):
    signed = {"expire", "redeem", "reverse", "transfer_out", "debt_paid"}
    made = [an_entry(kind, -n if kind in signed else n, unit=unit) for kind, n, unit in given_entries]
    read = {unit: Account(member_id=MEMBER, unit=unit, available=before) for unit in ("points", "stars")}

    found = facts_of(made, read, MEMBER, "c-42")

    for unit in read:
        mine = [fact for fact in found if fact.data["unit"] == unit]
        change = sum(
            (fact.type in ADDS) * fact.data["points"] - (fact.type in TAKES) * fact.data["points"] for fact in mine
        )
        after = before + sum(entry.points for entry in made if entry.unit == unit)
        assert before + change == after
        assert not mine or mine[-1].data["available"] == after


def test_points_that_cannot_be_spent_yet_are_told_apart_from_those_that_can():
    at_once = an_entry(order_id="A-1")
    later = replace(at_once, available=0, pending=at_once.points, seq=at_once.seq + 1)
    matured = replace(an_entry("mature"), points=4, available=4, pending=-4)

    (earned,) = facts_of([at_once, later], {}, MEMBER, "c-42")
    (usable,) = facts_of([matured], {}, MEMBER, "c-42")

    assert (earned.data["points"], earned.data["waiting"]) == (2 * at_once.points, at_once.points)
    assert (earned.data["seq"], usable.data["waiting"]) == (later.seq, 0)
