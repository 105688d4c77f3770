"""What a program tells its members is arranged by one document, with a version; what makes no sense is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.db.session import transaction
from loyalty.notifications import arranging
from loyalty.notifications.domain import CHANNELS, Caps, Digest, Preferences, QuietHours, Settings
from loyalty.notifications.storing import (
    TOLD,
    preferences_document,
    preferences_from,
    settings_document,
    settings_from,
)
from tests.api import Api
from tests.shop import pointers

ADDRESS = "/v1/admin/notification-settings"
USUAL = settings_document(Settings())


def put(api: Api, wanted: dict[str, Any], version: int | None = None) -> Any:
    """Replace the settings."""
    return api.put(ADDRESS, wanted, headers={} if version is None else {"If-Match": f'"{version}"'})


def settings_of(api: Api) -> Settings:
    """The settings as others read them."""
    with api.app.app_context(), transaction() as session:
        return arranging.settings_of(session, api.program.program_id)


def test_what_is_usual_is_there_before_anybody_said_anything(api: Api):
    answer = api.get(ADDRESS)

    assert answer.json == {**USUAL, "version": 0}
    assert answer.headers["ETag"] == '"0"'
    assert answer.json["channels"] == {"inbox": True, "email": False, "webhook": False, "apprise": False}
    assert settings_of(api) == Settings()


def test_settings_are_replaced_by_who_names_the_version_they_saw(api: Api):
    first = put(api, {"expiring_days": [14], "caps": {"day": 1, "week": None}})
    assert (first.status_code, first.json["version"]) == (200, 1)
    assert first.json == api.get(ADDRESS).json

    assert put(api, {"expiring_days": [3]}).status_code == 428
    assert put(api, {"expiring_days": [3]}, version=7).status_code == 412
    second = put(api, {"statement_day": None}, version=1)

    # What is left out is as usual again.
    assert second.json == {**USUAL, "statement_day": None, "version": 2}
    assert settings_of(api) == Settings(statement_day=None)
    told = api.get("/v1/admin/audit?resource=notification-settings").json["data"]
    assert [(change["action"], change["before"] is None) for change in told] == [
        ("notification_settings.changed", False),
        ("notification_settings.changed", True),
    ]


def test_what_others_read_is_what_was_sent(api: Api):
    sender = {"from": '"Club, the" <club@shop.example>', "reply_to": "help@shop.example"}
    put(
        api,
        {
            "channels": {"email": True}, "kinds": {"points_earned": ["email", "inbox"], "tier_down": []},
            "expiring_days": [7, 30, 7], "quiet_hours": None, "digest": None, "email": sender,
            "feedback": {"url": "https://shop.example/feedback?order={order_id}"},
        },
    )  # fmt: skip

    found = settings_of(api)

    assert found.channels == {"inbox", "email"}
    assert found.channels_of("points_earned") == ("inbox", "email")
    assert (found.channels_of("tier_down"), found.channels_of("tier_up")) == ((), ("inbox", "email"))
    assert (found.expiring_days, found.quiet_hours, found.digest) == ((30, 7), None, None)
    assert (found.sender, found.reply_to, found.feedback.after_days) == (*sender.values(), 7)


def test_what_is_left_out_of_a_part_is_as_usual(api: Api):
    put(api, {"caps": {}, "digest": {}, "channels": {"webhook": True}})

    assert settings_of(api) == Settings(channels=frozenset({"inbox", "webhook"}))


MAIL = {"channels": {"email": True}}
A_SURVEY = {"code": "nps", "kind": "nps", "after": {"every_orders": 3}, "url": "https://shop.example/nps"}


@pytest.mark.parametrize("after", [{"orders": 1}, {"every_orders": 3}, {"return": True}, {"activity": "support_case"}])
def test_a_survey_is_read_as_it_was_told_and_the_rest_is_as_usual(api: Api, after: dict[str, Any]):
    survey = {**A_SURVEY, "after": after}
    put(api, {"surveys": [survey]})

    assert api.get(ADDRESS).json["surveys"] == [
        {**survey, "delay_days": 7, "touchpoint": None, "cooldown_days": 30}
    ]  # fmt: skip


REFUSED = {
    "an unknown kind": ({"kinds": {"birthday": ["inbox"]}}, "/kinds/birthday"),
    "how a burst is told": ({"kinds": {"digest": ["inbox"]}}, "/kinds/digest"),
    "an unknown channel": ({"channels": {"fax": True}}, "/channels/fax"),
    "an unknown channel of a kind": ({"kinds": {"tier_up": ["fax"]}}, "/kinds/tier_up/0"),
    "a switch that is none": ({"channels": {"inbox": "yes"}}, "/channels/inbox"),
    "no days ahead": ({"expiring_days": [0]}, "/expiring_days/0"),
    "too many times": ({"lapsing_days": [1, 2, 3, 4, 5, 6]}, "/lapsing_days"),
    "a day that not every month has": ({"statement_day": 29}, "/statement_day"),
    "reach too far": ({"within_reach_percent": 49}, "/within_reach_percent"),
    "hours without end": ({"quiet_hours": {"from": "21:00", "to": "21:00"}}, "/quiet_hours/to"),
    "an hour that is none": ({"quiet_hours": {"from": "24:00", "to": "08:00"}}, "/quiet_hours/from"),
    "no messages": ({"caps": {"day": 0}}, "/caps/day"),
    "a digest of one": ({"digest": {"least": 1}}, "/digest/least"),
    "e-mail from nobody": (MAIL, "/email"),
    "e-mail from nobody at all": ({**MAIL, "email": None}, "/email"),
    "no address": ({"email": {"from": "Club"}}, "/email/from"),
    "two addresses": ({"email": {"from": "a@shop.example, b@shop.example"}}, "/email/from"),
    "another header": ({"email": {"from": "Club\r\nBcc: x@y.example <club@shop.example>"}}, "/email/from"),
    "another header at the end": ({"email": {"from": "club@shop.example\n"}}, "/email/from"),
    "another header in quotes": ({"email": {"from": '"Club\nBcc: x" <club@shop.example>'}}, "/email/from"),
    "a script": ({"storefront_url": "javascript:alert(1)"}, "/storefront_url"),
    "a file": ({"feedback": {"url": "file:///etc/passwd"}}, "/feedback/url"),
    "an unknown place": ({"feedback": {"url": "https://shop.example/{customer}"}}, "/feedback/url"),
    "half a place": ({"feedback": {"url": "https://shop.example/{order_id"}}, "/feedback/url"),
    **{
        name: ({"surveys": [{**A_SURVEY, **given}]}, f"/surveys/0{pointer}")
        for name, given, pointer in (
            ("a survey of a kind that is none", {"kind": "stars"}, "/kind"),
            ("a survey without an occasion", {"after": {}}, "/after"),
            ("a survey on two occasions", {"after": {"orders": 1, "return": True}}, "/after"),
            ("a survey after no return", {"after": {"return": False}}, "/after/return"),
            ("a survey after feedback", {"after": {"activity": "feedback"}}, "/after/activity"),
            ("a survey after no order", {"after": {"orders": 0}}, "/after/orders"),
            ("an order of an activity", {"after": {"activity": "call"}, "url": "https://x.example/{order_id}"}, "/url"),
            ("a survey that names the customer", {"url": "https://x.example/{customer_id}"}, "/url"),
            ("a survey that waits too long", {"delay_days": 366}, "/delay_days"),
            ("a longer pause than is known of", {"cooldown_days": 91}, "/cooldown_days"),
        )
    },
    "two surveys of one code": ({"surveys": [A_SURVEY, A_SURVEY]}, "/surveys"),
    "feedback beside surveys": ({"surveys": [A_SURVEY], "feedback": {"url": "https://x.example"}}, "/feedback"),
    "an unknown field": ({"sms": True}, "/sms"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_by_its_name(api: Api, name: str):
    wanted, pointer = REFUSED[name]

    answer = put(api, wanted)

    assert pointers(answer) == [pointer]
    assert answer.json["errors"][0]["detail"]
    assert api.get(ADDRESS).json["version"] == 0


def test_two_programs_do_not_share_settings(api: Api):
    put(api, {"statement_day": 5})

    with api.app.app_context(), transaction() as session:
        assert arranging.settings_of(session, api.program.program_id).statement_day == 5
        assert arranging.settings_of(session, api.program.program_id.__class__(int=1)) == Settings()


hours = st.builds(
    QuietHours,
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
some_channels = st.frozensets(st.sampled_from(CHANNELS))
switches = st.dictionaries(st.sampled_from(CHANNELS), st.booleans(), min_size=1)


@settings(max_examples=40)
@given(
    st.builds(
        Settings,
        channels=some_channels,
        kinds=st.dictionaries(st.sampled_from(TOLD), some_channels),
        quiet_hours=st.none() | hours,
        caps=st.builds(Caps, st.none() | st.integers(1, 9), st.none() | st.integers(1, 9)),
        digest=st.none() | st.builds(Digest, st.integers(1, 9), st.integers(2, 9)),
    )
)
def test_settings_come_out_of_their_document_as_they_went_in(arranged: Settings):
    assert settings_from(settings_document(arranged)) == arranged


@settings(max_examples=40)
@given(
    st.builds(
        Preferences,
        channels=switches,
        kinds=st.dictionaries(st.sampled_from(TOLD), switches),
        quiet_hours=st.none() | hours,
        digest=st.sampled_from(["off", "daily", "weekly"]),
    )
)
def test_preferences_come_out_of_their_document_as_they_went_in(wants: Preferences):
    assert preferences_from(preferences_document(wants)) == wants
