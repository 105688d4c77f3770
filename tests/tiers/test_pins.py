"""Tiers by hand: at least so high, until a date, with a reason and an actor."""

from datetime import timedelta

import pytest

from loyalty.db.session import transaction
from loyalty.tiers import settlement
from tests import shop
from tests.api import Api
from tests.builders import NOW, a_key
from tests.clocks import it_is
from tests.ladders import a_tier, evaluations, pin, publish, recorded, standing, tier, unpin, until_done
from tests.shop import at, in_days, merge, refused


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def club(api: Api) -> Api:
    """A shop with a ladder, and a member."""
    publish(api)
    api.enrol()
    return api


def test_a_pin_gives_a_tier_at_once_and_says_until_when(club: Api):
    answer = pin(club, "gold", in_days(30))

    assert answer.status_code == 200
    assert answer.json == {
        "tier": {"code": "gold", "name": "Gold"},
        "pinned": {"tier": "gold", "since": at(NOW), "until": in_days(30), "reason": "goodwill"},
    }
    assert tier(club) == "gold"
    assert shop.buy(club, "A-1").json["points"]["awarded"] == 200


def test_a_pin_is_recorded_with_its_actor_and_in_the_audit_log(club: Api):
    key_id = club.get("/v1/admin/keys").json["data"][0]["key_id"]
    pin(club, "gold", in_days(30))
    (grant,) = recorded(club, "tier_grants")
    assert (grant["kind"], grant["granted_by"], grant["reason"]) == ("pinned", key_id, "goodwill")
    told = club.get("/v1/admin/audit").json["data"][0]
    assert (told["action"], told["actor"], told["before"]) == ("tier.pinned", key_id, None)
    assert told["resource"] == "members/c-42/tier"
    assert told["after"] == {"tier": "gold", "since": at(NOW), "until": in_days(30), "reason": "goodwill"}

    unpin(club)

    told = club.get("/v1/admin/audit").json["data"][0]
    assert (told["action"], told["before"]["tier"], told["after"]) == ("tier.unpinned", "gold", {"reason": "a mistake"})


def test_a_pin_is_a_floor_and_buying_lifts_above_it(club: Api):
    pin(club, "silver", None)

    assert shop.buy(club, "A-1").json["tier"] == {"code": "silver", "changed_from": None}
    assert shop.buy(club, "A-2").json["tier"] == {"code": "gold", "changed_from": "silver"}
    assert unpin(club).json == {"tier": {"code": "gold", "name": "Gold"}, "pinned": None}


def test_a_pin_below_what_was_reached_changes_nothing_until_that_ends(club: Api, monkeypatch: pytest.MonkeyPatch):
    shop.buy(club, "A-1", amount=20_000)
    assert pin(club, "silver", None).json["tier"]["code"] == "gold"

    it_is(monkeypatch, NOW + timedelta(days=500))

    assert tier(club) == "silver"


def test_when_a_pin_ends_the_member_has_what_was_reached_by_buying(club: Api, monkeypatch: pytest.MonkeyPatch):
    pin(club, "gold", in_days(30))
    shop.buy(club, "A-1")
    assert standing(club)["next_change_at"] == NOW + timedelta(days=30)

    it_is(monkeypatch, NOW + timedelta(days=30) - timedelta(seconds=1))
    assert tier(club) == "gold"
    it_is(monkeypatch, NOW + timedelta(days=30))
    assert tier(club) == "silver"

    # No job has run, and the next order records what has ended, as of when it did.
    bought = shop.buy(club, "A-2", amount=100, placed_at=in_days(30)).json
    assert bought["tier"] == {"code": "silver", "changed_from": None}
    ended = next(e for e in evaluations(club) if e["cause"] == "grant_ended")
    assert (ended["as_of"], ended["old"], ended["new"]) == (NOW + timedelta(days=30), "gold", "silver")


def test_the_job_ends_a_pin_and_finds_nothing_more_to_do(club: Api, monkeypatch: pytest.MonkeyPatch):
    pin(club, "gold", in_days(30))
    later = NOW + timedelta(days=40)
    it_is(monkeypatch, later)

    found = until_done(club.app, lambda session: settlement.review_program(session, club.program.program_id, now=later))

    assert found == [1]
    assert (standing(club)["tier"], standing(club)["next_change_at"]) == ("bronze", None)
    assert evaluations(club)[-1]["as_of"] == NOW + timedelta(days=30)


def test_pinning_again_replaces_the_pin(club: Api, monkeypatch: pytest.MonkeyPatch):
    pin(club, "gold", None)
    it_is(monkeypatch, NOW + timedelta(days=1))

    assert pin(club, "silver", in_days(30)).json["tier"]["code"] == "silver"

    first, second = recorded(club, "tier_grants", order="granted_at")
    assert (first["tier"], first["until"]) == ("gold", NOW + timedelta(days=1))
    assert (second["tier"], second["since"]) == ("silver", NOW + timedelta(days=1))
    assert standing(club)["next_change_at"] == NOW + timedelta(days=30)


def test_two_pins_at_the_same_instant_leave_the_second(club: Api):
    pin(club, "gold", None)

    assert pin(club, "silver", None).json["tier"]["code"] == "silver"
    assert unpin(club).json["tier"]["code"] == "bronze"
    assert {grant["until"] for grant in recorded(club, "tier_grants")} == {NOW}


def test_unpinning_shows_in_the_standing_and_in_an_evaluation_even_where_the_tier_stays(club: Api):
    pin(club, "gold", in_days(30))
    shop.buy(club, "A-1", amount=20_000)
    before = len(evaluations(club))

    unpin(club)

    assert (standing(club)["tier"], standing(club)["next_change_at"].date().isoformat()) == ("gold", "2027-03-02")
    seen = evaluations(club)[before:]
    assert [(e["cause"], e["old"], e["new"]) for e in seen] == [("unpinned", "gold", "gold")]


def test_a_pin_of_a_tier_that_another_ladder_does_not_have_gives_nothing(club: Api, monkeypatch: pytest.MonkeyPatch):
    pin(club, "gold", None)
    later = NOW + timedelta(days=1)
    publish(club, 2, effective_from=later, tiers=[a_tier("basic", 0), a_tier("plus", 50_000)])
    it_is(monkeypatch, later)

    assert tier(club) == "basic"
    assert unpin(club).json["tier"]["code"] == "basic"


def test_a_merge_takes_pins_along_and_unpinning_ends_them_all(club: Api):
    club.enrol("c-43")
    pin(club, "silver", None)
    pin(club, "gold", None, customer_id="c-43")

    assert merge(club, "c-43", "c-42").json["tier"]["code"] == "gold"
    assert unpin(club).json["tier"]["code"] == "bronze"
    assert refused(unpin(club)) == (422, "not-pinned")


def test_a_retry_with_the_same_key_pins_once(club: Api):
    headers = {"Idempotency-Key": "pin-1"}
    wish = {"tier": "gold", "until": None, "reason": "goodwill"}
    first = club.post("/v1/members/c-42/tier/pin", wish, headers=headers)

    again = club.post("/v1/members/c-42/tier/pin", wish, headers=headers)

    assert (again.json, shop.replayed(again)) == (first.json, True)
    assert len(recorded(club, "tier_grants")) == 1


def test_who_is_suspended_may_be_pinned_and_who_is_closed_not(club: Api):
    club.post("/v1/members/c-42/suspend")
    assert pin(club, "gold").status_code == 200
    club.post("/v1/members/c-42/close")

    assert refused(pin(club, "gold")) == (422, "member-closed")
    assert refused(unpin(club)) == (422, "member-closed")


def test_what_is_refused(club: Api):
    assert refused(pin(club, "gold", customer_id="nobody")) == (404, "member-not-found")
    assert refused(unpin(club)) == (422, "not-pinned")
    unknown = pin(club, "platinum")
    assert refused(unknown) == (422, "tier-unknown")
    assert (unknown.json["tier"], unknown.json["tiers"]) == ("platinum", ["bronze", "silver", "gold"])
    assert shop.pointers(pin(club, "gold", at(NOW))) == ["/until"]
    assert shop.pointers(pin(club, "gold", reason="")) == ["/reason"]
    assert recorded(club, "tier_grants") == []


@pytest.mark.parametrize("effective_from", [None, NOW + timedelta(days=1)], ids=["none", "scheduled"])
def test_without_a_ladder_in_force_there_is_nothing_to_pin(api: Api, effective_from: object):
    api.enrol()
    if effective_from:
        publish(api, effective_from=effective_from)

    assert refused(pin(api, "gold")) == (404, "ladder-not-found")
    assert refused(unpin(api)) == (404, "ladder-not-found")


def test_pinning_needs_the_right_to_change_members(club: Api):
    with club.app.app_context(), transaction() as session:
        readers, writers = (a_key(session, club.program, scope) for scope in ("members:read", "members:write"))

    assert refused(pin(club.as_key(readers), "gold")) == (403, "scope-missing")
    assert pin(club.as_key(writers), "gold").status_code == 200
