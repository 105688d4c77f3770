"""What comes back with returned lines, as arithmetic: any sequence of returns ends where the return of all does."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.earning.domain import Awarded
from loyalty.orders.errors import LineUnknown, OverReturn
from loyalty.orders.returning import ReturnedLine, points_of, rest_of, share_of_spent, with_lines

Ordered = list[dict[str, Any]]

ORDERED: Ordered = [
    {"line_id": "1", "quantity": 3, "unit_price": 1000, "discount": 0},
    {"line_id": "2", "quantity": 1, "unit_price": 2000, "discount": 500},
]


def an_award(**lines: int) -> Awarded:
    by_line = {name.removeprefix("l"): points for name, points in lines.items()}
    return Awarded(seq=1, unit="points", points=sum(by_line.values()), rule_code="base", rule_version=1, lines=by_line)


@st.composite
def orders(draw: st.DrawFn) -> Ordered:
    made = []
    for number in range(draw(st.integers(1, 5))):
        quantity, unit_price = draw(st.integers(1, 6)), draw(st.integers(0, 10_000))
        discount = draw(st.integers(0, quantity * unit_price))
        made.append(
            {"line_id": str(number), "quantity": quantity, "unit_price": unit_price, "discount": discount},
        )
    return made


def discounts(ordered: Ordered) -> st.SearchStrategy[int]:
    return st.integers(0, sum(line["quantity"] * line["unit_price"] - line["discount"] for line in ordered))


@st.composite
def awards(draw: st.DrawFn, ordered: Ordered) -> Awarded:
    by_line = {line["line_id"]: draw(st.integers(0, 1000)) for line in ordered if draw(st.booleans())}
    return Awarded(seq=1, unit="points", points=sum(by_line.values()), rule_code="base", rule_version=1, lines=by_line)


@st.composite
def journeys(draw: st.DrawFn, ordered: Ordered) -> list[list[ReturnedLine]]:
    """Returns of some units each, until everything is back."""
    units = draw(st.permutations([line["line_id"] for line in ordered for _ in range(line["quantity"])]))
    steps = []
    while units:
        taken = draw(st.integers(1, len(units)))
        step, units = units[:taken], units[taken:]
        steps.append([ReturnedLine(line_id, step.count(line_id)) for line_id in dict.fromkeys(step)])
    return steps


def states(ordered: Ordered, steps: list[list[ReturnedLine]]) -> Iterator[dict[str, int]]:
    state: dict[str, int] = {}
    yield state
    for step in steps:
        state = with_lines(state, ordered, step)
        yield state


@given(data=st.data())
def test_any_sequence_of_returns_takes_exactly_what_the_return_of_all_takes(data: st.DataObject):
    ordered = data.draw(orders())
    award = data.draw(awards(ordered))

    taken = [points_of(award, ordered, state) for state in states(ordered, data.draw(journeys(ordered)))]

    assert set(taken[0].values()) == {0}
    assert taken[-1] == {line["line_id"]: award.lines.get(line["line_id"], 0) for line in ordered}
    for before, after in pairwise(taken):
        assert all(after[line_id] >= before[line_id] for line_id in before)


@given(data=st.data())
def test_what_is_taken_for_some_units_is_their_part_to_the_point(data: st.DataObject):
    ordered = data.draw(orders())
    award = data.draw(awards(ordered))
    for state in states(ordered, data.draw(journeys(ordered))):
        for line in ordered:
            points, back = award.lines.get(line["line_id"], 0), state.get(line["line_id"], 0)
            exact = points * back / line["quantity"]
            assert 0 <= exact - points_of(award, ordered, state)[line["line_id"]] < 1


@given(data=st.data(), spent=st.integers(0, 100_000))
def test_any_sequence_of_returns_gives_back_exactly_what_was_spent(data: st.DataObject, spent: int):
    ordered = data.draw(orders())
    discount = data.draw(discounts(ordered))

    shares = [share_of_spent(spent, ordered, discount, s) for s in states(ordered, data.draw(journeys(ordered)))]

    assert (shares[0], shares[-1]) == (0, spent)
    assert shares == sorted(shares)


@given(data=st.data())
def test_what_has_not_come_back_is_the_rest(data: st.DataObject):
    ordered = data.draw(orders())
    everything = {line["line_id"]: line["quantity"] for line in ordered}

    for state in states(ordered, data.draw(journeys(ordered))):
        rest = rest_of(state, ordered)
        assert with_lines(state, ordered, rest) == everything
        assert all(line.quantity for line in rest)


@given(data=st.data(), more=st.integers(1, 10))
def test_no_more_comes_back_than_was_ordered(data: st.DataObject, more: int):
    ordered = data.draw(orders())
    *_, state, _ = states(ordered, data.draw(journeys(ordered)))
    before = dict(state)
    line = data.draw(st.sampled_from(ordered))
    left = line["quantity"] - state.get(line["line_id"], 0)

    with pytest.raises(OverReturn) as refusal:
        with_lines(state, ordered, [ReturnedLine(line["line_id"], left + more)])

    assert refusal.value.facts["ordered"] - refusal.value.facts["returned"] == left
    assert state == before


def test_what_is_wrong_is_pointed_at():
    with pytest.raises(OverReturn) as over:
        with_lines({"1": 2}, ORDERED, [ReturnedLine("2", 1), ReturnedLine("1", 2)])
    with pytest.raises(LineUnknown) as unknown:
        with_lines({}, ORDERED, [ReturnedLine("1", 1), ReturnedLine("9", 1)])

    assert over.value.detail == "3 of line '1' were ordered, 2 came back before: 1 are left."
    assert over.value.facts["errors"][0]["pointer"] == "/lines/1/quantity"
    assert unknown.value.facts["errors"][0]["pointer"] == "/lines/1/line_id"


@pytest.mark.parametrize(("back", "taken"), [(1, 3), (2, 6), (3, 10)])
def test_ten_points_on_three_units_come_back_as_three_three_and_four(back: int, taken: int):
    assert points_of(an_award(l1=10), ORDERED, {"1": back}) == {"1": taken, "2": 0}


def test_a_line_that_earned_nothing_takes_nothing():
    assert points_of(an_award(l1=10), ORDERED, {"2": 1}) == {"1": 0, "2": 0}


@pytest.mark.parametrize(
    ("discount", "back", "share"),
    [
        (0, {}, 0),
        (0, {"1": 1}, 100),  # 10.00 of 45.00
        (0, {"2": 1}, 150),  # 15.00 of 45.00: its own discount is off
        (0, {"1": 3}, 300),
        (450, {"1": 1}, 100),  # what is off the order is off every line
        (0, {"1": 3, "2": 1}, 450),
    ],
)
def test_points_spent_on_an_order_are_shared_by_what_the_units_cost(discount: int, back: dict[str, int], share: int):
    assert share_of_spent(450, ORDERED, discount, back) == share


def test_points_spent_on_an_order_that_cost_nothing_come_back_with_its_last_unit():
    free: Ordered = [{"line_id": "1", "quantity": 2, "unit_price": 0, "discount": 0}]

    assert [share_of_spent(7, free, 0, {"1": back}) for back in (0, 1, 2)] == [0, 0, 7]


def test_what_was_free_took_none_of_the_points_that_were_spent():
    ordered = [*ORDERED, {"line_id": "gift", "quantity": 1, "unit_price": 0, "discount": 0}]

    assert share_of_spent(450, ordered, 0, {"gift": 1}) == 0
    assert share_of_spent(450, ordered, 0, {"1": 3, "2": 1}) == 450
