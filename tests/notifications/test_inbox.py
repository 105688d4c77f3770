"""The inbox: newest first, read and unread, with what came to those who were merged."""

from typing import Any

from tests.api import Api
from tests.builders import NOW
from tests.notifications.written import a_message
from tests.shop import A_DAY, at, merge, refused, replayed
from tests.statements import statements

ADDRESS = "/v1/members/c-42/inbox"


def ids(answer: Any) -> list[str]:
    """The messages of a page."""
    assert answer.status_code == 200, answer.json
    return [message["message_id"] for message in answer.json["data"]]


def test_an_inbox_is_empty_at_first(api: Api):
    api.enrol()

    assert api.get(ADDRESS).json == {"data": [], "next": None, "unread": 0}
    assert refused(api.get("/v1/members/c-7/inbox")) == (404, "member-not-found")


def test_what_was_sent_to_the_inbox_is_in_it_newest_first(api: Api):
    api.enrol()
    api.enrol("c-43")
    first = a_message(api, kind="points_earned")
    a_message(api, channel="email")
    a_message(api, status="queued")
    a_message(api, status="suppressed", reason="outdated")
    a_message(api, "c-43")
    second = a_message(api, kind="new_reward", at=NOW + A_DAY)

    answer = api.get(ADDRESS)

    assert ids(answer) == [second, first]
    assert answer.json["unread"] == 2
    newest = answer.json["data"][0]
    assert (newest["kind"], newest["category"], newest["read_at"]) == ("new_reward", "marketing", None)
    assert (newest["occurred_at"], newest["sent_at"]) == (at(NOW + A_DAY), at(NOW + A_DAY))


def test_an_inbox_is_read_page_by_page(api: Api):
    api.enrol()
    written = [a_message(api) for _ in range(5)]

    first = api.get(f"{ADDRESS}?limit=2")
    second = api.get(f"{ADDRESS}?limit=2&after={first.json['next']}")
    third = api.get(f"{ADDRESS}?limit=2&after={second.json['next']}")

    assert ids(first) + ids(second) + ids(third) == written[::-1]
    assert third.json["next"] is None
    assert api.get(f"{ADDRESS}?after=nonsense").status_code == 422


def test_a_message_is_read_and_unread_again(api: Api):
    api.enrol()
    first, second = a_message(api), a_message(api)

    assert api.post(f"{ADDRESS}/{first}/read").json == {"changed": 1, "unread": 1}
    assert ids(api.get(f"{ADDRESS}?unread=true")) == [second]
    read_at = api.get(ADDRESS).json["data"][1]["read_at"]
    assert read_at is not None

    # When it was read first is when it was read.
    assert api.post(f"{ADDRESS}/{first}/read").json == {"changed": 0, "unread": 1}
    assert api.get(ADDRESS).json["data"][1]["read_at"] == read_at
    assert api.post(f"{ADDRESS}/{first}/unread").json == {"changed": 1, "unread": 2}
    assert api.post(f"{ADDRESS}/{first}/unread").json == {"changed": 0, "unread": 2}


def test_all_is_read_up_to_what_was_seen(api: Api):
    api.enrol()
    written = [a_message(api) for _ in range(4)]

    assert api.post(f"{ADDRESS}/read", {"up_to": written[1]}).json == {"changed": 2, "unread": 2}
    assert ids(api.get(f"{ADDRESS}?unread=true")) == [written[3], written[2]]
    assert api.post(f"{ADDRESS}/read").json == {"changed": 2, "unread": 0}
    assert api.post(f"{ADDRESS}/read", {}).json == {"changed": 0, "unread": 0}


def test_a_retry_is_answered_as_the_first_time(api: Api):
    api.enrol()
    message, key = a_message(api), {"Idempotency-Key": "tap-1"}

    first = api.post(f"{ADDRESS}/{message}/read", headers=key)
    again = api.post(f"{ADDRESS}/{message}/read", headers=key)

    assert (again.json, replayed(again)) == (first.json, True)


def test_what_is_not_in_the_inbox_cannot_be_read(api: Api):
    api.enrol()
    api.enrol("c-43")
    theirs, mailed = a_message(api, "c-43"), a_message(api, channel="email")

    for message in (theirs, mailed):
        assert refused(api.post(f"{ADDRESS}/{message}/read")) == (404, "message-not-found")
        assert refused(api.post(f"{ADDRESS}/{message}/unread")) == (404, "message-not-found")
        assert refused(api.post(f"{ADDRESS}/read", {"up_to": message})) == (404, "message-not-found")
    assert api.get("/v1/members/c-43/inbox").json["unread"] == 1


def test_the_inbox_of_who_was_merged_goes_with_them(api: Api):
    for customer_id in ("c-42", "c-43", "c-44"):
        api.enrol(customer_id)
    written = [a_message(api, customer_id) for customer_id in ("c-44", "c-42", "c-43", "c-44")]
    assert merge(api, "c-44", "c-43").status_code == 200
    assert merge(api, "c-43", "c-42").status_code == 200

    assert ids(api.get(ADDRESS)) == written[::-1]
    assert api.post(f"{ADDRESS}/{written[0]}/read").json == {"changed": 1, "unread": 3}
    assert api.post(f"{ADDRESS}/read").json == {"changed": 3, "unread": 0}


def test_an_inbox_costs_as_many_statements_whatever_is_in_it(api: Api):
    api.enrol()
    a_message(api)
    api.get(ADDRESS)
    with statements() as of_one:
        api.get(ADDRESS)
    for _ in range(20):
        a_message(api)

    with statements() as of_many:
        assert len(ids(api.get(ADDRESS))) == 21

    assert len(of_many) == len(of_one)


def test_no_more_than_a_hundred_are_counted(api: Api):
    api.enrol()
    for _ in range(101):
        a_message(api)

    assert api.get(ADDRESS).json["unread"] == 100
    assert api.post(f"{ADDRESS}/read").json == {"changed": 101, "unread": 0}
