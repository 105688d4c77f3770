"""Segments that every program has: what they say, and how rules name them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning.belonging import Segments
from loyalty.earning.domain import Facts
from loyalty.earning.records import Judged, judged_from
from loyalty.earning.rules import RuleSet
from loyalty.earning.segments import BUILT_IN, Segment, conditions, registry
from loyalty.features.decay import PACE, weight
from loyalty.features.domain import Buying, Cuts, Habits
from loyalty.programs.domain import Program
from loyalty.rules.findings import findings
from loyalty.rules.history import History, Purchases, Sums
from tests.builders import NOW, a_rule

A_DAY = timedelta(days=1)
ALL = Segments(conditions(()))
LIFE = {"never_bought", "active", "at_risk", "lapsed"}


def a_program() -> Program:
    return Program(
        program_id=UUID(int=1), code="p", name="P", version=1, config_version=1, currency="EUR", time_zone="UTC",
        locale="en", sandbox=False,
    )  # fmt: skip


def facts(*days_ago: int, cents: int = 10_000, discount: int = 0, cuts: Cuts | None = None, **more: Any) -> Facts:
    """Somebody with an order so many days before NOW, for each, who paid so much less than the price."""
    placed = sorted(NOW - days * A_DAY for days in days_ago)
    visits = sum((weight(at, PACE) for at in placed), Decimal(0))
    first, last = (placed[0], placed[-1]) if placed else (None, None)
    buying = Buying(
        orders=len(placed), spend=cents * len(placed), gross=(cents + discount) * len(placed), visits=visits,
        worth=visits * cents, first_at=first, last_at=last, **more,
    )  # fmt: skip
    history = History(Purchases(Sums(len(placed), len(placed), cents * len(placed)), last))
    return Facts(enrolled_at=NOW - 1000 * A_DAY, history=history, habits=Habits(buying, cuts))


def segments_of(known: Facts) -> set[str]:
    return set(ALL.of(a_program(), known, NOW))


@pytest.mark.parametrize("segment", BUILT_IN, ids=lambda segment: segment.code)
def test_there_is_nothing_to_be_said_against_their_conditions(segment: Segment):
    assert list(findings(segment.when, "member")) == []


@pytest.mark.parametrize(
    ("days_ago", "found"),
    [
        ((), {"never_bought"}),
        ((0,), {"new", "one_time", "active"}),
        ((60,), {"one_time", "active"}),
        ((61,), {"one_time", "at_risk"}),
        ((180,), {"one_time", "at_risk"}),
        ((181,), {"one_time", "lapsed"}),
        # Every 20 days: twice as long are 40, five times 100.
        ((99, 79, 59, 39), {"active", "regular"}),
        ((100, 80, 60, 40), {"at_risk"}),
        ((159, 139, 119, 99), {"at_risk"}),
        ((160, 140, 120, 100), {"lapsed"}),
        # Every day: nobody is missed within four weeks.
        ((31, 30, 29, 28), {"active"}),
        ((32, 31, 30, 29), {"at_risk"}),
        ((94, 93, 92, 91), {"lapsed"}),
    ],
)
def test_who_is_in_which(days_ago: tuple[int, ...], found: set[str]):
    assert segments_of(facts(*days_ago)) == found


def test_by_what_is_spent_saved_and_redeemed():
    cuts = Cuts(as_of=NOW, recency=(1, 2, 3, 4), visits=(0.1, 0.2, 0.3, 0.4), worth=(100, 200, 300, 400))

    assert segments_of(facts(3, 2, 1, cuts=cuts)) == {"new", "active", "high_value", "champions"}
    assert "bargain_hunters" in segments_of(facts(3, 2, 1, cents=700, discount=300))
    assert "bargain_hunters" not in segments_of(facts(3, 2, 1, cents=710, discount=290))
    assert "redeemers" in segments_of(facts(redeemed=1))


@given(st.lists(st.integers(0, 1_000), max_size=8))
def test_everybody_is_in_exactly_one_of_those_on_the_course_of_life(days_ago: list[int]):
    assert len(segments_of(facts(*days_ago)) & LIFE) == 1


def test_what_is_not_known_yet_keeps_nobody_out_of_the_course_of_life():
    known = facts(100)

    assert segments_of(Facts(enrolled_at=NOW, history=known.history)) == {"one_time", "at_risk"}


def test_a_programs_own_segment_takes_the_place_of_one_of_the_same_code():
    own = Segment("new", "Newcomers", "history.orders <= 3")

    assert registry([own])["new"] is own
    assert registry([])["new"] in BUILT_IN
    assert Segments(conditions([own])).of(a_program(), facts(900), NOW) >= {"new", "one_time", "lapsed"}


def test_rules_ask_for_features_only_if_a_segment_or_condition_does():
    assert not RuleSet(1, (a_rule(),)).needs.anything
    assert not RuleSet(1, (a_rule(segments=("one_time",)),)).needs.features
    assert RuleSet(1, (a_rule(segments=("redeemers",)),)).needs.features
    assert RuleSet(1, (a_rule(when="features.redemptions > 0"),)).needs.features


@given(st.lists(st.integers(0, 1_000), max_size=4), st.booleans())
def test_what_was_known_is_kept_to_the_digit(days_ago: list[int], counted: bool):
    cuts = Cuts(as_of=NOW, recency=(1, 2, 3, 4), visits=(0.1, 0.2, 0.3, 0.4), worth=(1, 2, 3.5, 4)) if counted else None
    judged = Judged(1, 1, facts(*days_ago, cuts=cuts, redeemed=len(days_ago)))

    assert judged_from(judged.document()) == judged
