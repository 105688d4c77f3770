"""Bringing friends: both sides get what it is worth, once the friend has bought something."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from loyalty.activities.domain import ID_LENGTH_MAX
from loyalty.activities.referrals import thank_batch
from loyalty.db.session import transaction
from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import a_bonus, buckets, buy, cancel, give_back, publish_rules, refused
from tests.statements import statements

RULES = ({"code": "base", "points": "1"}, a_bonus("referral", 500), a_bonus("referred", 200))


@pytest.fixture(autouse=True)
def rules(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    publish_rules(api, *RULES)
    api.enrol("ada")


def enrol(api: Api, customer_id: str, referred_by: str) -> Any:
    return api.put(f"/v1/members/{customer_id}", {"referred_by": referred_by})


def the_job(api: Api) -> int:
    """What the worker does within a minute; referrals of other tests are among what is due."""
    with api.app.app_context(), transaction() as session:
        return thank_batch(session, now=NOW)


def activity(api: Api, activity_id: str) -> dict[str, Any] | None:
    answer = api.get(f"/v1/activities/{activity_id}")
    return answer.json if answer.status_code == 200 else None


def test_both_sides_are_thanked_after_the_first_order_of_the_friend(api: Api):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    assert buckets(api, "ada") == {}

    the_job(api)

    assert (buckets(api, "ada"), buckets(api, "bob")) == ({"available": 500}, {"available": 300})
    brought, came = activity(api, "referral-bob"), activity(api, "referred-bob")
    assert brought is not None
    assert came is not None
    assert (brought["customer_id"], brought["type"]) == ("ada", "referral")
    assert brought["properties"] == {"friend": "bob", "order_id": "A-1"}
    assert (came["customer_id"], came["type"]) == ("bob", "referred")
    assert came["properties"] == {"referrer": "ada", "order_id": "A-1"}


def test_a_friend_is_sent_by_code_or_by_customer_id(api: Api):
    code = api.get("/v1/members/ada").json["referral_code"]
    for customer_id, named in (("bob", code), ("eve", code.lower()), ("dan", "ada")):
        assert enrol(api, customer_id, named).status_code == 201
        assert api.get(f"/v1/members/{customer_id}").json["referred_by"] == "ada"
        buy(api, f"of-{customer_id}", customer_id=customer_id)

    the_job(api)

    assert buckets(api, "ada") == {"available": 1500}


def test_only_the_first_order_counts_and_the_job_may_run_as_often_as_it_likes(api: Api):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    the_job(api)
    buy(api, "A-2", customer_id="bob")

    the_job(api)
    the_job(api)

    assert buckets(api, "ada") == {"available": 500}


def test_nothing_happens_while_the_friend_has_not_bought_anything(api: Api):
    enrol(api, "bob", "ada")
    buy(api, "G-1", customer_id=None)
    buy(api, "A-1", customer_id="ada")

    the_job(api)

    assert (activity(api, "referral-bob"), activity(api, "referred-bob")) == (None, None)


@pytest.mark.parametrize("undo", [lambda api: cancel(api, "A-1"), lambda api: give_back(api, "A-1", {"1": 1})])
def test_a_first_order_that_did_not_last_makes_way_for_the_next(api: Api, undo: Any):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    undo(api)
    the_job(api)
    assert activity(api, "referral-bob") is None

    buy(api, "A-2", customer_id="bob")
    the_job(api)

    assert buckets(api, "ada") == {"available": 500}


def test_what_was_given_is_not_taken_back_when_the_order_comes_back_later(api: Api):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    the_job(api)

    cancel(api, "A-1")
    the_job(api)

    assert (buckets(api, "ada"), buckets(api, "bob")) == ({"available": 500}, {"available": 200})


def test_it_is_judged_by_the_rules_of_when_the_friend_ordered(api: Api, monkeypatch: pytest.MonkeyPatch):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    it_is(monkeypatch, NOW + shop.A_DAY)
    publish_rules(api, a_bonus("referral", 9))

    the_job(api)

    assert shop.entries(api, "ada")[0]["occurred_at"] == shop.at(NOW)
    assert buckets(api, "ada") == {"available": 500}


def test_a_referrer_who_is_no_active_member_gets_nothing_and_the_friend_does(api: Api):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    api.post("/v1/members/ada/suspend")

    the_job(api)

    assert (buckets(api, "ada"), buckets(api, "bob")) == ({}, {"available": 300})


def test_a_friend_who_has_left_is_no_friend_to_be_thanked_for(api: Api):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    api.post("/v1/members/bob/close")

    the_job(api)

    assert (activity(api, "referral-bob"), buckets(api, "ada")) == (None, {})


def test_many_friends_are_thanked_for_in_batches_each_once(api: Api):
    for number in range(5):
        enrol(api, f"f-{number}", "ada")
        buy(api, f"A-{number}", customer_id=f"f-{number}")

    with api.app.app_context():
        while True:
            with transaction() as session:
                if not thank_batch(session, now=NOW, limit=2):
                    break

    assert buckets(api, "ada") == {"available": 2500}


def test_two_workers_thank_once(api: Api):
    for number in range(6):
        enrol(api, f"f-{number}", "ada")
        buy(api, f"A-{number}", customer_id=f"f-{number}")

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(copy_context().run, the_job, api) for _ in range(2)]
    for job in jobs:
        job.result()

    assert buckets(api, "ada") == {"available": 3000}


def test_the_job_and_the_orders_of_both_sides_do_not_get_in_each_others_way(api: Api):
    for number in range(6):
        enrol(api, f"f-{number}", "ada")
        buy(api, f"A-{number}", customer_id=f"f-{number}")

    def act(number: int) -> None:
        if number % 3 == 0:
            the_job(api)
        else:
            buy(api, f"B-{number}", customer_id="ada" if number % 3 == 1 else f"f-{number % 6}")

    in_parallel(12, act)

    assert buckets(api, "ada") == {"available": 6 * 500 + 4 * 100}


def test_an_order_of_somebody_who_was_sent_takes_no_statement_more(api: Api):
    enrol(api, "bob", "ada")
    enrol(api, "eve", "ada")
    counts = []
    for order_id, customer_id in (("warm", "eve"), ("A-1", "bob"), ("A-2", "bob")):
        with statements() as sent:
            buy(api, order_id, customer_id=customer_id)
        counts.append(len(sent))

    assert counts[1] == counts[2]


def test_the_id_of_a_friend_with_a_long_id_fits_all_the_same(api: Api):
    long = "x" * ID_LENGTH_MAX
    member_id = enrol(api, long, "ada").json["member_id"]
    buy(api, "A-1", customer_id=long)

    the_job(api)

    found = activity(api, f"referral-{member_id}")
    assert found is not None
    assert found["properties"]["friend"] == long


# Who may be named


def test_nobody_comes_through_themselves(api: Api):
    code = api.get("/v1/members/ada").json["referral_code"]

    assert refused(enrol(api, "bob", "bob")) == (422, "self-referral")
    assert refused(enrol(api, "ada", "ada")) == (422, "self-referral")
    assert refused(enrol(api, "ada", code)) == (422, "self-referral")
    assert api.get("/v1/members/bob").status_code == 404


def test_members_do_not_come_through_each_other_however_long_the_way_around(api: Api):
    enrol(api, "bob", "ada")
    enrol(api, "eve", "bob")

    assert refused(enrol(api, "ada", "bob")) == (422, "referral-circle")
    assert refused(enrol(api, "ada", "eve")) == (422, "referral-circle")
    assert refused(enrol(api, "bob", "eve")) == (422, "referral-circle")


def test_through_whom_somebody_came_is_said_once(api: Api):
    api.enrol("dan")
    enrol(api, "bob", "ada")

    assert enrol(api, "bob", "ada").status_code == 200
    assert refused(enrol(api, "bob", "dan")) == (409, "enrolment-fixed")
    assert refused(enrol(api, "dan", "ada")) == (409, "enrolment-fixed")
    assert refused(enrol(api, "eve", "nobody")) == (422, "referrer-not-found")


def test_a_closed_member_brings_nobody_but_what_was_said_before_stays_said(api: Api):
    enrol(api, "bob", "ada")
    api.post("/v1/members/ada/close")

    answer = enrol(api, "eve", "ada")

    assert (*refused(answer), answer.json["referred_by"]) == (422, "referrer-closed", "ada")
    assert enrol(api, "bob", "ada").status_code == 200


# Members who turn out to be one


def test_the_code_of_a_member_who_was_merged_leads_to_who_stayed(api: Api):
    api.enrol("new")
    enrol(api, "bob", "ada")
    shop.merge(api, "ada", "new")
    enrol(api, "eve", "ada")
    for customer_id in ("bob", "eve"):
        buy(api, f"of-{customer_id}", customer_id=customer_id)
    assert enrol(api, "bob", "ada").status_code == 200
    assert api.get("/v1/members/eve").json["referred_by"] == "new"

    the_job(api)

    assert buckets(api, "new") == {"available": 1000}


def test_a_friend_who_turns_out_to_be_the_referrer_is_not_thanked_for(api: Api):
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    shop.merge(api, "ada", "bob")

    the_job(api)

    assert buckets(api, "bob") == {"available": 100}


def test_a_friend_who_has_not_bought_yet_takes_the_referral_along_into_a_new_membership(api: Api):
    enrol(api, "bob", "ada")
    api.enrol("new")
    shop.merge(api, "bob", "new")
    buy(api, "A-1", customer_id="new")

    the_job(api)

    assert (buckets(api, "ada"), buckets(api, "new")) == ({"available": 500}, {"available": 300})


def test_a_friend_who_turns_out_to_be_an_old_customer_is_not_thanked_for(api: Api):
    api.enrol("old")
    buy(api, "A-0", customer_id="old")
    for source, into in (("bob", "old"), ("old", "eve")):
        enrol(api, "bob", "ada")
        enrol(api, "eve", "ada")
        shop.merge(api, source, into)
    buy(api, "A-1", customer_id="eve")

    the_job(api)

    assert buckets(api, "ada") == {}


def test_a_referral_that_is_due_stays_due_when_the_friend_is_merged(api: Api):
    api.enrol("new")
    enrol(api, "bob", "ada")
    buy(api, "A-1", customer_id="bob")
    shop.merge(api, "bob", "new")

    the_job(api)

    assert (buckets(api, "ada"), buckets(api, "new")) == ({"available": 500}, {"available": 300})
