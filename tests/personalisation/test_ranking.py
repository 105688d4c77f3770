"""Which offers fit a member best: by what they bought, what others buy, and when."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.features.domain import Features
from loyalty.features.statistics import NO_STATISTICS
from loyalty.personalisation.ranking import explain, rank
from tests.personalisation.tastes import NOW, a_town, an_offer, features_of, order, statistics_of

TOWN = a_town()
STATISTICS = statistics_of(TOWN, skus={"F-1": "baking > flour", "F-2": "baking > flour", "B-1": "coffee > beans"})
CODES = STATISTICS.categories.codes
OFFERS = [an_offer(f"on-{code}", code) for code in CODES]

a_history = st.lists(
    st.tuples(st.floats(0, 300), st.sets(st.sampled_from(CODES), max_size=4), st.just(())), max_size=12
).map(lambda orders: sorted((order(days, *goods) for days, goods, _ in orders), reverse=True))


def ranked(features: Features, *offers, **given):
    return [(each.offer.code, each) for each in rank(features, STATISTICS, offers or OFFERS, now=NOW, **given)]


@given(a_history)
def test_chances_are_chances_and_ranks_are_without_gaps(history):
    found = rank(features_of(history), STATISTICS, OFFERS, now=NOW)

    assert all(0 <= each.score <= 1 and 0 <= each.probability <= 1 for each in found)
    assert [each.rank for each in found] == list(range(1, len(OFFERS) + 1))
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


@given(a_history, st.randoms())
def test_the_sequence_in_which_offers_come_does_not_matter(history, chance: Random):
    features, shuffled = features_of(history), list(OFFERS)
    chance.shuffle(shuffled)

    assert rank(features, STATISTICS, shuffled, now=NOW) == rank(features, STATISTICS, OFFERS, now=NOW)


@given(a_history.filter(lambda history: len(history) > 1), st.integers(0, 11), st.integers(1, 9))
def test_more_purchases_never_speak_against_goods(history, which, more):
    features = features_of(history)
    code = CODES[which % len(CODES)]
    if code not in features.categories:
        return
    goods = features.categories[code]
    raised = replace(goods, weight=goods.weight * more)
    fonder = replace(features, categories={**features.categories, code: raised})

    offer = an_offer("it", code)
    assert rank(fonder, STATISTICS, [offer], now=NOW)[0].score >= rank(features, STATISTICS, [offer], now=NOW)[0].score


def test_of_equal_offers_the_smaller_priority_comes_first_and_then_the_code():
    features = TOWN[0]
    found = ranked(features, *(an_offer(code, "milk", priority=p) for code, p in (("b", 2), ("a", 2), ("z", 1))))

    assert [code for code, _ in found] == ["z", "a", "b"]


def test_what_was_bought_lately_is_a_favourite_what_was_once_is_won_back_and_the_rest_is_to_be_discovered():
    features = features_of([order(90, "baking > flour"), order(5, "milk")])
    found = dict(ranked(features))

    assert found["on-milk"].in_list == "favourites"
    assert found["on-baking > flour"].in_list == "win_back"
    assert found["on-coffee > beans"].in_list == "discover"


def test_who_buys_as_bakers_do_discovers_yeast_before_filters():
    features = features_of([order(60 - 7 * n, "milk", "baking > flour") for n in range(8)])
    found = dict(ranked(features))

    assert found["on-baking > yeast"].rank < found["on-coffee > filters"].rank


def test_the_chance_is_that_of_any_purchase_in_the_days_of_the_offer():
    features = TOWN[0]
    (_, week), (_, month) = (ranked(features, an_offer("it", "milk", days=days))[0] for days in (7, 28))
    (_, ends) = ranked(features, an_offer("it", "milk", days=28, valid_to=NOW + timedelta(days=7)))[0]
    (_, over) = ranked(features, an_offer("it", "milk", valid_to=NOW - timedelta(days=1)))[0]

    assert week.score == month.score
    assert 1 - month.probability == pytest.approx((1 - week.probability) ** 4)
    assert ends.probability == pytest.approx(week.probability)
    assert over.probability == 0


def test_several_categories_are_bought_when_any_of_them_is():
    features = TOWN[0]
    chances = [ranked(features, an_offer("it", code))[0][1].score for code in ("milk", "coffee > beans")]
    (_, either) = ranked(features, an_offer("both", "milk", "coffee > beans"))[0]

    assert either.score == pytest.approx(1 - (1 - chances[0]) * (1 - chances[1]))


def test_a_category_within_another_of_the_same_offer_says_nothing_more():
    features = TOWN[0]

    (_, wide), (_, both) = (ranked(features, an_offer("it", *codes))[0]
                            for codes in (("baking",), ("baking", "baking > flour")))  # fmt: skip
    assert both.score == wide.score


def test_articles_fit_whoever_bought_them_and_then_whoever_buys_their_category():
    buys_one = features_of([order(40 - 9 * n, "baking > flour", skus=("F-1",)) for n in range(4)])
    found = dict(ranked(buys_one, *(an_offer(sku, skus=(sku,)) for sku in ("F-1", "F-2", "B-1"))))
    town = [*TOWN, *(features_of([order(3, "coffee > beans", "baking > flour", skus=("F-2", "B-1"))]) for _ in "12")]
    known = statistics_of(town, skus=dict(STATISTICS.sku_categories))
    offers = [an_offer(sku, skus=(sku,)) for sku in ("F-1", "F-2", "B-1")]

    assert found["F-1"].rank == 1
    assert [each.offer.code for each in rank(buys_one, known, offers, now=NOW)] == ["F-1", "F-2", "B-1"]


def test_an_offer_on_the_whole_basket_is_as_likely_as_a_visit():
    (_, any_basket), (_, large) = ranked(TOWN[0], an_offer("any"), an_offer("large", min_basis=3_000))

    assert any_basket.score == 1
    assert 0 < large.score < 0.1
    assert 0.9 < any_basket.probability < 1
    assert [reason.feature for reason in any_basket.reasons] == ["any_purchase"]


def test_who_is_new_gets_what_is_popular_and_is_told_so():
    found = ranked(Features())
    milk = found[0][1]
    active = sum((NOW - each.buying.last_at).days < 28 for each in TOWN)
    buyers = sum("milk" in each.categories and (NOW - each.categories["milk"].last_at).days < 28 for each in TOWN)

    assert milk.offer.code == "on-milk"
    assert milk.in_list == "discover"
    assert milk.reasons[0].feature == "popular"
    assert milk.reasons[0].said == {"new": True}
    assert milk.reasons[0].value == round(100 * buyers / active)
    assert 0 < milk.probability < 1


def test_before_the_first_count_only_the_own_purchases_speak():
    features = features_of([order(50, "milk"), order(20, "milk", "tea"), order(3, "milk")])
    found = rank(features, NO_STATISTICS, [an_offer("t", "tea"), an_offer("m", "milk"), an_offer("x", "oil")], now=NOW)

    assert [each.offer.code for each in found] == ["m", "t", "x"]
    assert found[2].score == 0
    assert found[0].reasons[0].value == 3


def test_only_the_first_have_reasons_and_any_can_be_explained():
    features = TOWN[0]
    found = rank(features, STATISTICS, OFFERS, now=NOW, limit=2)

    assert [bool(each.reasons) for each in found] == [True, True] + [False] * (len(OFFERS) - 2)
    everything = rank(features, STATISTICS, OFFERS, now=NOW)
    assert explain(features, STATISTICS, everything[3].offer, now=NOW) == everything[3].reasons
    assert rank(features, STATISTICS, [], now=NOW) == []


def test_every_number_of_a_reason_comes_from_the_orders():
    orders = [
        order(days, "milk", *(("baking > flour",) if days in {44, 32, 20, 8} else ())) for days in range(44, 0, -6)
    ]
    # Every second order has flour: the 1st, 3rd, 5th and 7th.
    features = features_of(orders)
    flour = [n for n, (_, goods, _) in enumerate(orders) if "baking > flour" in goods]
    days = [orders[n][0] for n in flour]
    reasons = {each.feature: each for each in explain(features, STATISTICS, an_offer("f", "baking > flour"), now=NOW)}

    assert reasons["bought_often"].value == len(flour)
    assert reasons["bought_often"].said == {"of": len(orders)}
    assert reasons["bought_often"].orders == tuple(f"o-{n}" for n in flour)
    assert reasons["usual_interval"].value == round((days[0] - days[-1]) / (len(flour) - 1))
    assert reasons["days_since_last"].value == int(days[-1])
    assert reasons["days_since_last"].orders == (f"o-{flour[-1]}",)


def test_what_goes_together_is_named_with_the_orders_that_say_so():
    orders = [order(60 - 7 * n, "milk", "baking > flour") for n in range(8)]
    reasons = {each.feature: each for each in
               explain(features_of(orders), STATISTICS, an_offer("y", "baking > yeast"), now=NOW)}  # fmt: skip

    assert "baking > flour" in reasons["bought_together"].said["because"]
    assert reasons["bought_together"].value >= 1.5
    assert set(reasons["bought_together"].orders) <= {f"o-{n}" for n in range(8)}
