"""Comparing configurations: every difference is named by where it is, as deep down as can be said."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.configuration.domain import Change, Comparison, differences


def told(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:
    """The differences as tuples."""
    return [(change.path, change.action, change.before, change.after) for change in differences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("/a", "change", 1, 2)]),
        ({}, {"a": 2}, [("/a", "add", None, 2)]),
        ({"a": 1}, {}, [("/a", "remove", 1, None)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("/a/b/c", "change", 1, 2)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("/a", "change", [1, 2], [2, 1])]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, [("/a~1b/~0", "change", 1, 2)]),
        ({"a": {"b": 1}}, {"a": None}, [("/a", "change", {"b": 1}, None)]),
    ],
)
def test_differences_are_named_by_where_they_are(before: Any, after: Any, expected: list[Any]):
    assert told(before, after) == expected


def test_things_with_a_code_are_compared_by_it_whatever_their_order():
    before = [{"code": "a", "n": 1}, {"code": "b", "n": 2}, {"code": "c", "n": 3}]
    after = [{"code": "c", "n": 3}, {"code": "new", "n": 9}, {"code": "a", "n": 7}]

    assert told({"rules": before}, {"rules": list(reversed(before))}) == []
    assert told({"rules": before}, {"rules": after}) == [
        ("/rules/1", "add", None, {"code": "new", "n": 9}),
        ("/rules/2/n", "change", 1, 7),
        ("/rules/1", "remove", {"code": "b", "n": 2}, None),
    ]


def test_what_a_change_touches_is_what_it_lies_in():
    comparison = Comparison((Change("/rewards/12/points", "change", 1, 2),))

    assert comparison.touches("/rewards")
    assert comparison.touches("/rewards/12")
    assert not comparison.touches("/rewards/1")
    assert not comparison.touches("/program")


documents = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=10,
)


@given(documents, documents)
def test_nothing_differs_only_where_nothing_does(one: Any, other: Any):
    assert told(one, deepcopy(one)) == []
    assert bool(told({"x": one}, {"x": other})) == (one != other)
