"""What answers come to: values worked out by hand, and intervals that hold what is true as often as they say."""

import random
from collections import Counter
from math import isclose, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.feedback.domain import SCALES, scores_of
from loyalty.kpis.opinions import NONE, Estimate, Scores, ces, classes, csat, estimate, mean_of, nps

ANSWERS = {
    kind: st.dictionaries(st.sampled_from(scores_of(kind)), st.integers(0, 2_000)).filter(lambda d: sum(d.values()) > 0)
    for kind in SCALES
}
BOUNDS = {"nps": (-100, 100), "csat": (0, 1), "ces": (1, 7)}


def test_nps_is_promoters_less_detractors():
    scores = {10: 40, 9: 10, 8: 20, 7: 10, 6: 10, 0: 10}

    found = nps(scores)

    assert (found.value, classes("nps", scores)) == (30, {"promoter": 50, "passive": 30, "detractor": 20})
    assert (found.low, found.high) == pytest.approx((14.1, 44.4), abs=1.5)


@pytest.mark.parametrize(("up", "down", "rest"), [(12, 2, 36), (50, 20, 30), (3, 9, 1)])
def test_at_the_ends_of_the_interval_of_nps_a_score_test_begins_to_refuse(up: int, down: int, rest: int):
    n, found = up + down + rest, nps({10: up, 0: down, 8: rest})

    for end in (found.low / 100, found.high / 100):
        # The likeliest shares that differ so, searched among many instead of worked out.
        shares = [(end + share, share) for share in (number / 100_000 for number in range(1, 100_000))]
        possible = [(p, q) for p, q in shares if p > 0 and p + q < 1]
        p, q = max(possible, key=lambda pq: up * log(pq[0]) + down * log(pq[1]) + rest * log(1 - pq[0] - pq[1]))
        assert abs((up - down) / n - end) / sqrt((p + q - end * end) / n) == pytest.approx(1.96, abs=0.002)


def test_csat_is_the_share_of_the_two_best_with_the_interval_of_wilson():
    # 15 of 20: Wilson's interval, as worked out by hand.
    assert csat({5: 10, 4: 5, 3: 3, 1: 2}) == Estimate(0.75, 0.531299, 0.888138)


def test_ces_is_a_mean_with_the_interval_of_student():
    # 1, 2, 3, 4, 5: mean 3, s = sqrt(2.5), t = 2.776 for four degrees of freedom.
    found = ces(dict.fromkeys(range(1, 6), 1))

    assert found.value == 3
    half = 2.776445 * sqrt(2.5 / 5)
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half), abs=1e-5)


def test_where_all_answer_alike_it_is_still_not_certain():
    assert nps({10: 5}) == Estimate(100, nps({10: 5}).low, 100)
    assert 0 < nps({10: 5}).low < nps({10: 50}).low < 100
    assert (csat({5: 5}).value, csat({5: 5}).high) == (1, 1)
    assert 0.5 < csat({5: 5}).low < 1
    assert nps({8: 9}).value == 0
    assert nps({8: 9}).low < 0 < nps({8: 9}).high


@pytest.mark.parametrize("kind", SCALES)
def test_of_no_answer_nothing_is_said(kind: str):
    assert estimate(kind, {}) == NONE


def test_of_one_answer_there_is_a_mean_and_no_interval():
    assert ces({4: 1}) == Estimate(4)
    assert mean_of(1, 500, 250_000) == Estimate(500)
    assert mean_of(0, 0, 0) == NONE


@pytest.mark.parametrize("kind", SCALES)
@given(data=st.data())
def test_an_interval_holds_its_value_and_lies_on_the_scale(kind: str, data: st.DataObject):
    scores = data.draw(ANSWERS[kind])
    found = estimate(kind, scores)
    least, most = BOUNDS[kind]

    assert least <= found.value <= most
    if found.low is not None:
        assert least - 1e-6 <= found.low <= found.value + 1e-6
        assert found.value - 1e-6 <= found.high <= most + 1e-6


@given(scores=ANSWERS["nps"])
def test_nps_of_the_opposite_is_the_opposite(scores: Scores):
    ups = classes("nps", scores)
    found = nps(scores)
    other = nps({0: ups["promoter"], 8: ups["passive"], 10: ups["detractor"]})

    assert isclose(other.value, -found.value, abs_tol=1e-5)
    assert isclose(other.low, -found.high, abs_tol=1e-4)
    assert isclose(other.high, -found.low, abs_tol=1e-4)


@pytest.mark.parametrize("kind", SCALES)
@given(data=st.data())
def test_more_of_the_same_answers_say_more(kind: str, data: st.DataObject):
    scores = data.draw(ANSWERS[kind])
    few, many = estimate(kind, scores), estimate(kind, {score: 10 * n for score, n in scores.items()})

    assert isclose(few.value, many.value, abs_tol=1e-6)
    if few.low is not None and many.low is not None:
        assert many.high - many.low <= few.high - few.low + 1e-6


@pytest.mark.parametrize(
    ("kind", "weights", "truth"),
    [
        ("nps", [1, 1, 1, 1, 1, 3, 4, 8, 20, 25, 35], 48.0),
        ("nps", [0, 0, 0, 0, 0, 1, 1, 3, 15, 30, 50], 78.0),
        ("csat", [2, 3, 10, 35, 50], 0.85),
        ("ces", [2, 3, 5, 10, 25, 30, 25], 5.43),
    ],
)
def test_an_interval_holds_what_is_true_about_95_times_of_100(kind: str, weights: list[int], truth: float):
    chance = random.Random(9)
    held = 0
    for _ in range(1_500):
        found = estimate(kind, Counter(chance.choices(scores_of(kind), weights, k=60)))
        held += found.low <= truth <= found.high

    assert 0.93 <= held / 1_500 <= 0.975
