"""Refusals: a class and a sentence."""

import pytest

from loyalty.core.errors import InvalidRequest, RuleRefused


class TillJammed(RuleRefused):
    """The till is jammed.

    Somebody has to hit it.
    """

    code = "till-jammed"


def test_the_title_of_a_refusal_is_the_first_line_of_its_docstring():
    assert TillJammed.title() == "The till is jammed."


def test_a_refusal_says_its_title_unless_it_has_something_to_add():
    assert str(TillJammed()) == "The till is jammed."
    assert str(TillJammed("Till 7 is jammed.")) == "Till 7 is jammed."


def test_a_refusal_carries_its_facts():
    assert TillJammed("Till 7 is jammed.", till=7).facts == {"till": 7}


@pytest.mark.parametrize(
    ("mistakes", "detail"),
    [
        ([("/a", "No.")], "/a: No."),
        ([("/a", "No."), ("/b", "Never."), ("/c", "Why?"), ("/d", "Not said.")], "/a: No.; /b: Never.; /c: Why?"),
    ],
)
def test_an_invalid_request_names_its_first_three_mistakes_and_lists_all(mistakes: list[tuple[str, str]], detail: str):
    errors = [{"pointer": pointer, "detail": said} for pointer, said in mistakes]

    refusal = InvalidRequest(errors)

    assert refusal.detail == detail
    assert refusal.facts == {"errors": errors}
