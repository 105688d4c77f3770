"""Reasons in words, in the language of who reads them."""

import pytest

from loyalty.core.i18n import catalogues, language
from loyalty.personalisation.reasons import sentence

REASONS = {
    "bought_often": (14, {"of": 40}),
    "usual_interval": (12, {}),
    "days_since_last": (9, {}),
    "bought_together": (2.3, {"because": ["baking > flour", "tea"]}),
    "popular": (31, {"new": False}),
    "trend": (25, {}),
    "any_purchase": (0, {}),
    "untried": (0, {}),
}


def said(feature: str, tag: str = "en", **changed) -> str:
    value, facts = REASONS[feature]
    return sentence({"feature": feature, "value": value, "said": facts, "orders": [], **changed}, language(tag))


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("bought_often", "You bought this in 14 of your purchases so far; there were 40."),
        ("usual_interval", "You usually buy this about once in 12 days."),
        ("days_since_last", "You last bought this 9 days ago."),
        ("bought_together", "Whoever buys as you do buys this 2.3 times as often. What tells most: flour, tea."),
        ("popular", "Popular: of 100 members who came in the last 28 days, 31 bought it."),
        ("trend", "More members than usual are buying it: 25 % more."),
        ("untried", "Something new: hardly anybody has bought it yet."),
        ("any_purchase", "It is for whatever you buy."),
    ],
)
def test_each_reason_says_its_numbers(feature: str, words: str):
    assert said(feature) == words


def test_today_is_not_some_days_ago():
    assert said("days_since_last", value=0) == "You last bought this today."


def test_who_is_new_is_told_so():
    assert said("popular", said={"new": True}).startswith("You are new here, so this is what is popular:")


def test_a_reason_of_an_engine_that_knew_more_says_nothing():
    assert sentence({"feature": "moon", "value": 1, "said": {}}, language("en")) == ""


@pytest.mark.parametrize("tag", list(catalogues()))
@pytest.mark.parametrize("feature", list(REASONS))
def test_every_language_has_its_own_words(feature: str, tag: str):
    assert said(feature, tag) != said(feature)


def test_numbers_are_written_and_words_inflected_as_usual():
    assert "2,3" in said("bought_together", "pl")
    assert said("days_since_last", "pl", value=1) == "Ostatni zakup: 1 dzień temu."
