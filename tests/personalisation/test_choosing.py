"""Which offers get the places: by score, list and lot, and one of each group."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.ids import new_id
from loyalty.offers.domain import Personalising, held_out
from loyalty.personalisation.choosing import Chosen, Room, choose
from loyalty.personalisation.ranking import Ranked
from tests.personalisation.shelf import the_offer

DAY = date(2026, 3, 1)
MEMBER = UUID("01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5")
NO_RULES = Personalising()


def ranked(count: int, lists: str = "f", groups: str = "") -> list[Ranked]:
    """So many offers, the best first; `lists` and `groups` say by letter, over and over, which they are of."""
    names = {"f": "favourites", "w": "win_back", "d": "discover"}
    return [
        Ranked(
            the_offer(f"o-{number:03}", group=groups[number % len(groups)] if groups else None), number + 1,
            1 - number / 1000, 0.5, names[lists[number % len(lists)]], (),
        )
        for number in range(count)
    ]  # fmt: skip


def codes(chosen: list[Chosen]) -> list[str]:
    return [each.ranked.offer.code for each in chosen if not each.held_out]


def test_the_best_get_the_places():
    chosen = choose(ranked(8), NO_RULES, Room(places=3), member_id=MEMBER, day=DAY)

    assert codes(chosen) == ["o-000", "o-001", "o-002"]


def test_of_each_group_one_gets_a_place_and_none_of_a_group_that_is_taken():
    chosen = choose(
        ranked(6, groups="aabbcc"), NO_RULES, Room(places=6, groups=frozenset("b")), member_id=MEMBER, day=DAY
    )

    assert codes(chosen) == ["o-000", "o-004"]


def test_favourites_get_no_more_than_their_share():
    chosen = choose(
        ranked(20, "fffw"), Personalising(favourites_percent=30), Room(places=10), member_id=MEMBER, day=DAY
    )

    assert Counter(each.ranked.in_list for each in chosen) == {"favourites": 3, "win_back": 5}


def test_what_is_explored_was_never_bought_and_is_drawn_by_lot():
    offers = ranked(40, "fd")
    explored = [
        each.ranked.offer.code
        for day in range(50)
        for each in choose(
            offers, Personalising(exploration_percent=20), Room(places=10), member_id=MEMBER,
            day=DAY + timedelta(days=day),
        )
        if each.explored
    ]  # fmt: skip

    assert len(explored) == 100, "two of ten places, each day"
    assert len(set(explored)) > 10
    assert all(int(code[2:]) % 2 == 1 for code in explored)


def test_shares_of_few_places_are_right_on_average():
    rules = Personalising(exploration_percent=10)
    members = [new_id() for _ in range(2000)]

    explored = sum(
        each.explored
        for member in members
        for each in choose(ranked(9, "fd"), rules, Room(places=3), member_id=member, day=DAY)
    )

    assert explored / len(members) == pytest.approx(0.3, abs=0.05)


def test_what_is_held_out_takes_no_place_and_no_group():
    chosen = choose(
        ranked(4, groups="ab"), NO_RULES, Room(places=2), member_id=MEMBER, day=DAY,
        is_held_out=lambda each: each.offer.code == "o-000",
    )  # fmt: skip

    assert [(each.ranked.offer.code, each.held_out) for each in chosen] == [
        ("o-000", True), ("o-001", False), ("o-002", False),
    ]  # fmt: skip


@given(
    count=st.integers(0, 30), lists=st.text("fwd", min_size=1, max_size=5), groups=st.text("abc", max_size=6),
    exploration=st.integers(0, 100), favourites=st.none() | st.integers(0, 100), places=st.integers(1, 12),
    only=st.sampled_from([None, "favourites", "discover"]), member=st.uuids(), day=st.dates(),
    held=st.sets(st.integers(0, 30)),
)  # fmt: skip
def test_whatever_is_asked(count, lists, groups, exploration, favourites, places, only, member, day, held):
    offers = ranked(count, lists, groups)
    rules = Personalising(exploration_percent=exploration, favourites_percent=favourites)
    names = {f"o-{number:03}" for number in held}

    def once() -> list[Chosen]:
        return choose(
            offers, rules, Room(places=places, only=only), member_id=member, day=day,
            is_held_out=lambda each: each.offer.code in names,
        )  # fmt: skip

    chosen = once()

    given_out = [each for each in chosen if not each.held_out]
    taken = [each.ranked.offer.group for each in given_out if each.ranked.offer.group]
    assert chosen == once(), "the same for the same input"
    assert len(given_out) <= places
    assert len(codes(chosen)) == len(set(codes(chosen)))
    assert len(taken) == len(set(taken))
    assert {each.ranked.offer.code for each in chosen if each.held_out} <= names
    assert names.isdisjoint(codes(chosen))
    if only:
        assert {each.ranked.in_list for each in chosen} <= {only}
    elif favourites is not None:
        assert sum(each.ranked.in_list == "favourites" for each in given_out) <= favourites * places // 100
    if favourites is None and not groups:
        fits = [each for each in offers if only in (None, each.in_list) and each.offer.code not in names]
        assert len(given_out) == min(places, len(fits)), "no place stays free that an offer could have"


@given(member=st.uuids(), percent=st.integers(0, 100), more=st.integers(0, 100))
def test_whoever_is_in_a_holdout_is_in_each_larger_one(member: UUID, percent: int, more: int):
    small, large = (held_out(member, Decimal(each), "scope") for each in (percent, min(100, percent + more)))

    assert large or not small


def test_a_holdout_has_its_share_and_those_of_two_offers_are_independent():
    members = [new_id() for _ in range(20_000)]
    one, other = ({m for m in members if held_out(m, Decimal(10), scope)} for scope in ("p:coffee", "p:tea"))

    assert len(one) / len(members) == pytest.approx(0.1, abs=0.01)
    assert len(one & other) / len(members) == pytest.approx(0.01, abs=0.004)
