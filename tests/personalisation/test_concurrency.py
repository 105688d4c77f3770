"""Members who ask at once, on real threads: everybody has one set of offers, and no budget is overspent."""

from collections import Counter

import pytest

from tests.api import Api
from tests.orders.test_concurrency import in_parallel
from tests.personalisation.shelf import FIVE_OFF, an_offer, assignments, offers, one, publish, spent, step, told
from tests.shop import configure

pytestmark = pytest.mark.usefixtures("ranker")

CROWD = 20


def test_of_twenty_who_ask_for_one_member_at_once_all_see_the_same_offers(api: Api):
    api.enrol()
    publish(api, *(an_offer(f"o-{number}") for number in range(12)), an_offer("held", holdout_percent="100"))

    answers = in_parallel(CROWD, lambda _: [each["assignment_id"] for each in offers(api)])

    assert len({tuple(sorted(found)) for found in answers}) == 1
    assert Counter(row["status"] for row in assignments(api)) == {"activated": 10, "held_out": 1}
    assert told(api) == ["offer.assigned", "offer.activated"] * 10


def test_what_is_held_out_is_noted_once(api: Api):
    api.enrol()
    configure(api, holdout_percent=100)
    publish(api, *(an_offer(f"o-{number}") for number in range(12)))

    in_parallel(CROWD, lambda _: offers(api))

    assert len(assignments(api, status="held_out")) == 10


def test_a_budget_for_five_is_given_to_five_of_twenty_and_the_others_get_the_next_offer(api: Api):
    for number in range(CROWD):
        api.enrol(f"c-{number}")
    publish(api, an_offer(promise=FIVE_OFF, budget_amount=2_700), an_offer("tea"))

    answers = in_parallel(CROWD, lambda number: [each["offer"] for each in offers(api, f"c-{number}", limit=1)])

    assert Counter(found for (found,) in answers) == {"coffee": 5, "tea": 15}
    assert spent(api, "coffee") == 2_500
    assert told(api, "voucher.issued") == ["voucher.issued"] * 5


def test_of_twenty_who_activate_at_once_five_get_a_voucher(api: Api):
    for number in range(CROWD):
        api.enrol(f"c-{number}")
    publish(api, an_offer(promise=FIVE_OFF, budget_amount=2_700, activation="opt_in"))
    given = [one(api, customer_id=f"c-{number}") for number in range(CROWD)]

    answers = in_parallel(CROWD, lambda number: step(api, given[number], "activate"))

    assert Counter(answer.status_code for answer in answers) == {200: 5, 422: 15}
    assert spent(api, "coffee") == 2_500


def test_an_offer_that_is_activated_twenty_times_at_once_is_activated_once(api: Api):
    api.enrol()
    publish(api, an_offer(promise=FIVE_OFF, budget_amount=2_700, activation="opt_in"))
    offer = one(api)

    answers = in_parallel(CROWD, lambda _: step(api, offer, "activate"))

    assert {(answer.status_code, answer.data) for answer in answers} == {(200, answers[0].data)}
    assert spent(api, "coffee") == 500
    assert told(api) == ["offer.assigned", "offer.activated"]
