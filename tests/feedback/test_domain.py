"""Scales, classes and ids."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.activities.domain import ID_LENGTH_MAX, is_own_id
from loyalty.feedback.domain import SCALES, activity_id_of, class_of, scores_of, scores_up_to
from loyalty.programs.domain import FeedbackSettings
from loyalty.web.fields import SHOP_ID

CLASSES = {
    "nps": ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2,
    "csat": ["unsatisfied"] * 3 + ["satisfied"] * 2,
    "ces": ["hard"] * 4 + ["easy"] * 3,
}


@pytest.mark.parametrize("kind", SCALES)
def test_every_score_has_a_class(kind: str):
    assert [class_of(kind, score) for score in scores_of(kind)] == CLASSES[kind]


@pytest.mark.parametrize(("kind", "most"), [("nps", 6), ("csat", 2), ("ces", 3)])
def test_a_low_score_is_one_at_or_below_the_threshold(kind: str, most: int):
    low = FeedbackSettings()

    assert [score for score in scores_of(kind) if low.is_low(kind, score)] == [*range(SCALES[kind].least, most + 1)]
    assert not FeedbackSettings(nps_low=None, csat_low=None, ces_low=None).is_low(kind, SCALES[kind].least)


def test_a_list_is_asked_for_by_kind_and_up_to_a_score():
    assert scores_up_to("csat", 2) == [("csat", 1), ("csat", 2)]
    assert len(scores_up_to(None, None)) == 11 + 5 + 7


@given(ids=st.lists(st.from_regex(SHOP_ID, fullmatch=True), min_size=2, max_size=2, unique=True))
def test_the_activity_of_an_answer_has_an_id_of_the_engine_and_of_its_own(ids: list[str]):
    made = [activity_id_of(each) for each in ids]

    assert all(len(each) <= ID_LENGTH_MAX and re.fullmatch(SHOP_ID, each) and is_own_id(each) for each in made)
    assert made[0] != made[1]
    assert made == [activity_id_of(each) for each in ids]
