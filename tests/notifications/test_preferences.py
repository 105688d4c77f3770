"""Members say what they want to be told; the storefront reads what comes of it."""

from typing import Any

from loyalty.db.session import transaction
from loyalty.notifications import preferring
from loyalty.notifications.storing import TOLD
from tests.api import Api
from tests.notifications.written import member_id
from tests.shop import merge, pointers, refused

ADDRESS = "/v1/members/c-42/preferences"
CLUB = {"email": {"from": "club@shop.example"}}


def effective(api: Api, kind: str, address: str = ADDRESS) -> dict[str, str]:
    """What comes of it for a kind, by channel."""
    return next(each["channels"] for each in api.get(address).json["effective"] if each["kind"] == kind)


def say(api: Api, wants: dict[str, Any], version: int | None = None) -> Any:
    """Replace what c-42 wants."""
    return api.put(ADDRESS, wants, headers={} if version is None else {"If-Match": f'"{version}"'})


def arrange(api: Api, *channels: str) -> None:
    """Use these channels beside the inbox."""
    settings = {"channels": dict.fromkeys(channels, True), **CLUB}
    assert api.put("/v1/admin/notification-settings", settings).status_code == 200


def test_who_said_nothing_takes_what_there_is(api: Api):
    api.enrol()

    answer = api.get(ADDRESS)

    said = {name: value for name, value in answer.json.items() if name != "effective"}
    assert said == {
        "channels": {}, "kinds": {}, "quiet_hours": None, "time_zone": None, "digest": "off", "version": 0,
    }  # fmt: skip
    assert [each["kind"] for each in answer.json["effective"]] == list(TOLD)
    off = {"email": "channel_off", "webhook": "channel_off", "apprise": "channel_off"}
    assert effective(api, "tier_up") == {"inbox": "on", **off}


def test_what_is_wanted_is_replaced_by_who_names_the_version(api: Api):
    api.enrol()
    hours = {"from": "22:30", "to": "06:00"}
    first = say(api, {"quiet_hours": hours, "time_zone": "Europe/Riga", "digest": "weekly"})
    assert (first.status_code, first.json["version"], first.headers["ETag"]) == (200, 1, '"1"')
    assert (first.json["quiet_hours"], first.json["time_zone"]) == (hours, "Europe/Riga")

    assert say(api, {}).status_code == 428
    assert say(api, {}, version=3).status_code == 412
    second = say(api, {"channels": {"email": False}}, version=1)

    assert (second.json["version"], second.json["quiet_hours"], second.json["digest"]) == (2, None, "off")
    assert second.json == api.get(ADDRESS).json


def test_a_switch_tells_why_it_is_off(api: Api):
    api.enrol(email="ada@example.com", consents={"email": True})
    api.enrol("c-43", email="bob@example.com")
    arrange(api, "email", "apprise")
    say(api, {"channels": {"apprise": False}, "kinds": {"new_reward": {"email": False}}})

    assert effective(api, "new_reward")["email"] == "kind_refused"
    assert effective(api, "offer_assigned") == {
        "inbox": "on", "email": "on", "webhook": "channel_off", "apprise": "channel_refused",
    }  # fmt: skip
    # Marketing needs consent; what is owed to a member does not; the inbox pushes nobody.
    assert effective(api, "new_reward", "/v1/members/c-43/preferences") == {
        "inbox": "on", "email": "no_consent", "webhook": "channel_off", "apprise": "no_consent",
    }  # fmt: skip
    assert effective(api, "tier_up", "/v1/members/c-43/preferences")["email"] == "on"
    # An order is a line in the inbox, not an e-mail.
    assert effective(api, "points_earned")["email"] == "channel_off"


def test_nobody_is_reached_without_an_address(api: Api):
    api.enrol(consents={"email": True})
    arrange(api, "email")

    assert effective(api, "tier_up")["email"] == "no_address"
    assert effective(api, "tier_up")["inbox"] == "on"


def test_a_suspended_member_is_told_nothing_but_may_say_what_they_want(api: Api):
    api.enrol()
    api.post("/v1/members/c-42/suspend")

    assert say(api, {"digest": "daily"}).status_code == 200
    assert set(effective(api, "tier_up").values()) == {"member_suspended"}


def test_who_left_says_nothing_any_more(api: Api):
    api.enrol()
    api.enrol("c-43")
    say(api, {"channels": {"email": False}})
    assert merge(api, "c-42", "c-43").status_code == 200

    answer = say(api, {}, version=1)

    assert refused(answer) == (422, "member-closed")
    assert answer.json["merged_into"] == "c-43"
    assert set(effective(api, "tier_up").values()) == {"member_closed"}
    # The one who stays has wishes of their own.
    assert api.get("/v1/members/c-43/preferences").json["version"] == 0
    assert refused(api.get("/v1/members/c-7/preferences")) == (404, "member-not-found")


def test_what_makes_no_sense_is_refused_by_its_name(api: Api):
    api.enrol()

    assert pointers(say(api, {"kinds": {"tier_up": {"fax": False}}})) == ["/kinds/tier_up/fax"]
    assert pointers(say(api, {"kinds": {"party": {"email": False}}})) == ["/kinds/party"]
    assert pointers(say(api, {"time_zone": "Mars/Olympus"})) == ["/time_zone"]
    assert pointers(say(api, {"digest": "hourly"})) == ["/digest"]
    assert pointers(say(api, {"quiet_hours": {"from": "08:00", "to": "08:00"}})) == ["/quiet_hours/to"]


def test_what_is_stored_is_what_a_sender_reads(api: Api):
    api.enrol()
    say(api, {"kinds": {"new_reward": {"email": False, "inbox": True}}})

    with api.app.app_context(), transaction() as session:
        found = preferring.of_member(session, member_id(api))

    assert found.wants.kinds == {"new_reward": {"email": False, "inbox": True}}
