"""A link in a message switches off what the message was about: nothing less, nothing else, and only by a POST."""

import re
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from loyalty.config import Settings, from_environment
from loyalty.core.errors import OperatorError
from loyalty.core.i18n import language
from loyalty.db.session import transaction
from loyalty.notifications import unsubscribe_page, unsubscribing
from loyalty.notifications.domain import CHANNELS
from loyalty.notifications.storing import TOLD
from loyalty.notifications.unsubscribing import CATEGORIES, Subscription
from tests.api import Api
from tests.builders import a_program
from tests.notifications.written import member_id
from tests.shop import configure, merge, refused

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link_of(api: Api, about: str = "new_reward", channel: str = "email", customer_id: str = "c-42") -> str:
    """The address, below that of the service, by which a member switches something off."""
    subscription = Subscription(api.program.program_id, member_id(api, customer_id), channel, about)
    with api.app.app_context():
        address = unsubscribing.link("https://club.example", unsubscribing.token_of(subscription))
    return address.removeprefix("https://club.example")


def visitor(api: Api) -> Api:
    """Somebody who has no key."""
    return api.as_key(None)


def preferences(api: Api, customer_id: str = "c-42") -> dict[str, Any]:
    """What a member wants."""
    return api.get(f"/v1/members/{customer_id}/preferences").json


def test_looking_at_a_link_changes_nothing(api: Api):
    api.enrol()
    link = link_of(api)

    for _ in range(3):
        assert visitor(api).get(link).status_code == 200
    assert api.app.test_client().head(link).status_code == 200

    assert preferences(api)["version"] == 0


def test_the_page_shows_what_is_switched_off_and_nothing_of_the_member(api: Api):
    api.enrol(first_name="Adalovelace", email="ada@example.com", phone="+3712000")

    page = visitor(api).get(link_of(api))
    text = page.get_data(as_text=True)

    assert page.mimetype == "text/html"
    assert re.findall(r"<dd>(.*?)</dd>", text) == ["New rewards", "E-mail"]
    assert re.findall(r'<button name="stop" value="(\w+)">', text) == ["these", "all"]
    assert not re.search(r"adalovelace|ada@|3712000|c-42", text, re.IGNORECASE)
    assert not re.search(r"<script|src=|href=|http", text)


def test_the_page_is_kept_by_nobody_and_loads_nothing(api: Api):
    api.enrol()
    link = link_of(api)

    for page in (visitor(api).get(link), visitor(api).post(link, data=ONE_CLICK)):
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_a_name_with_markup_is_text(api: Api):
    api.enrol()
    configure(api, name="<b>Tom & Co</b>")

    assert "<h1>&lt;b&gt;Tom &amp; Co&lt;/b&gt;</h1>" in visitor(api).get(link_of(api)).get_data(as_text=True)


def test_one_click_of_a_mailer_switches_off_what_the_message_was_about(api: Api):
    api.enrol()

    answer = visitor(api).post(link_of(api), data=ONE_CLICK)

    assert answer.status_code == 200
    found = preferences(api)
    assert (found["version"], found["channels"]) == (1, {})
    assert found["kinds"] == {"new_reward": {"email": False}}


@pytest.mark.parametrize(
    "body", [{}, {"data": {"stop": "these"}}, {"data": ONE_CLICK, "content_type": "multipart/form-data"}]
)
def test_whatever_asks_for_less_gets_less(api: Api, body: dict[str, Any]):
    api.enrol()

    assert visitor(api).post(link_of(api, channel="apprise"), **body).status_code == 200

    assert preferences(api)["kinds"] == {"new_reward": {"apprise": False}}


def test_a_button_switches_off_the_whole_channel(api: Api):
    api.enrol()

    page = visitor(api).post(link_of(api), data={"stop": "all"})

    assert "You will not get anything on this channel any more." in page.get_data(as_text=True)
    assert (preferences(api)["channels"], preferences(api)["kinds"]) == ({"email": False}, {})


def test_a_link_of_a_category_is_about_all_its_kinds(api: Api):
    api.enrol()

    visitor(api).post(link_of(api, about="marketing"), data=ONE_CLICK)

    assert set(preferences(api)["kinds"]) == {
        "reward_within_reach", "new_reward", "offer_assigned", "offer_ending", "feedback_request",
    }  # fmt: skip


def test_again_it_changes_nothing_and_what_was_said_before_stays(api: Api):
    api.enrol()
    api.put("/v1/members/c-42/preferences", {"kinds": {"new_reward": {"inbox": False}}, "digest": "daily"})
    link = link_of(api)

    for _ in range(3):
        assert visitor(api).post(link, data=ONE_CLICK).status_code == 200

    found = preferences(api)
    assert (found["version"], found["digest"]) == (2, "daily")
    assert found["kinds"] == {"new_reward": {"inbox": False, "email": False}}
    (told,) = api.get("/v1/admin/audit?actor=member").json["data"]
    assert (told["action"], told["resource"]) == ("member.unsubscribed", "members/c-42/preferences")
    assert told["before"]["kinds"] == {"new_reward": {"inbox": False}}
    assert told["after"]["kinds"] == found["kinds"]


def test_a_link_of_who_was_merged_is_heard_by_who_stays(api: Api):
    api.enrol("c-42")
    api.enrol("c-43")
    link = link_of(api)
    merge(api, "c-42", "c-43")

    assert visitor(api).post(link, data=ONE_CLICK).status_code == 200

    assert preferences(api, "c-43")["kinds"] == {"new_reward": {"email": False}}


def test_who_is_suspended_or_has_left_may_still_ask_to_be_left_alone(api: Api):
    api.enrol()
    link = link_of(api)
    api.post("/v1/members/c-42/suspend")
    assert visitor(api).post(link, data=ONE_CLICK).status_code == 200
    api.post("/v1/members/c-42/close")

    assert visitor(api).post(link, data={"stop": "all"}).status_code == 200

    assert preferences(api)["channels"] == {"email": False}


def broken(link: str) -> list[str]:
    """A link as it arrives where mailers cut, and as it is tried by who would like another."""
    head, token = link.rsplit("/", 1)
    payload, signature = token.rsplit(".", 1)
    changed = payload[:-2] + ("A" if payload[-2] != "A" else "B") + payload[-1]
    return [
        f"{head}/{each}"
        for each in (token[:-1], payload, f"{changed}.{signature}", f"{payload}.{signature[::-1]}", "x", "%00", "ä.ö")
    ]


def test_a_link_that_was_changed_is_none(api: Api):
    api.enrol()

    for link in broken(link_of(api)):
        assert refused(visitor(api).get(link)) == (404, "unsubscribe-link-unknown"), link
        assert refused(visitor(api).post(link, data=ONE_CLICK)) == (404, "unsubscribe-link-unknown"), link

    assert preferences(api)["version"] == 0


def test_a_link_opens_nothing_of_another_program(api: Api):
    api.enrol()
    member = member_id(api)
    with api.app.app_context():
        with transaction() as session:
            other = a_program(session).program_id
        mixed = unsubscribing.token_of(Subscription(other, member, "email", "new_reward"))
        nobody = unsubscribing.token_of(Subscription(api.program.program_id, UUID(int=1), "email", "new_reward"))
        fax = unsubscribing.token_of(Subscription(api.program.program_id, member, "fax", "new_reward"))

    for token in (mixed, nobody, fax):
        assert refused(visitor(api).post(f"/v1/unsubscribe/{token}", data=ONE_CLICK))[0] == 404


def test_what_a_form_says_is_understood_or_refused(api: Api):
    api.enrol()
    link = link_of(api)

    assert visitor(api).post(link, data={"stop": "nothing"}).status_code == 422
    assert visitor(api).post(link, data={"List-Unsubscribe": "Maybe"}).status_code == 422
    assert preferences(api)["version"] == 0


def test_links_are_made_with_one_secret_by_every_process(app: Flask, monkeypatch: pytest.MonkeyPatch):
    subscription = Subscription(UUID(int=1), UUID(int=2), "email", "new_reward")
    with app.app_context():
        first = unsubscribing.token_of(subscription)
        # As another process, which has not asked yet.
        monkeypatch.setattr(unsubscribing, "_secrets", {})
        assert unsubscribing.token_of(subscription) == first


@pytest.mark.parametrize(
    ("tag", "question"),
    [
        ("en", "What do you no longer want to get?"),
        ("pl", "Czego nie chcesz już otrzymywać?"),
        ("el", "Τι δεν θέλετε να λαμβάνετε πλέον;"),  # noqa: RUF001
        ("fi", "Mitä et enää halua saada?"),
        ("lv", "Ko jūs vairs nevēlaties saņemt?"),
        ("hu", "Mit nem szeretne többé kapni?"),
    ],
)
def test_a_member_is_asked_in_their_language(api: Api, tag: str, question: str):
    api.enrol(locale=tag)

    text = visitor(api).get(link_of(api)).get_data(as_text=True)

    assert f'<html lang="{tag}">' in text
    assert question in text


def test_who_has_no_language_has_that_of_the_program(api: Api):
    api.enrol()
    configure(api, locale="fi-FI")

    assert "Mitä et enää halua saada?" in visitor(api).get(link_of(api)).get_data(as_text=True)


def test_everything_that_a_link_can_be_about_has_a_name():
    assert set(unsubscribe_page.ABOUT) == {*TOLD, *CATEGORIES}
    assert set(unsubscribe_page.CHANNELS) == set(CHANNELS)
    names = [language("pl").say(name) for name in unsubscribe_page.ABOUT.values()]
    assert len(set(names)) == len(names)


def test_without_an_address_of_the_service_there_are_no_links():
    assert unsubscribing.link("", "t") is None
    assert unsubscribing.link("https://shop.example/club/", "t") == "https://shop.example/club/v1/unsubscribe/t"
    assert Settings().public_url == ""
    assert from_environment({"LOYALTY_PUBLIC_URL": " https://club.example/ "}).public_url == "https://club.example"
    for wrong in ("club.example", "ftp://club.example", "https://club.example/?a=b"):
        with pytest.raises(OperatorError, match="LOYALTY_PUBLIC_URL"):
            from_environment({"LOYALTY_PUBLIC_URL": wrong})
