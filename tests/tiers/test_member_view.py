"""What a member reads of their tier. It is March 2026, unless said otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.core.ids import new_id
from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import at, buy, configure, give_back, merge, refused
from tests.statements import statements
from tests.tiers.published import TIERS, publish, tier_of

_GRANT = "INSERT INTO tier_grants VALUES (%s, %s, 'pinned', %s, %s, %s, 'a VIP', 'key x', %s)"


@pytest.fixture(autouse=True)
def _march(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def a_member_with(api: Api, amount: int = 0, **given: Any) -> str:
    """A member of a program with a ladder, who has bought something at NOW; answers the internal id."""
    publish(api, **given)
    member_id = api.enrol(enrolled_at="2026-01-10T09:00:00Z")["member_id"]
    if amount:
        buy(api, "A-1", amount=amount)
    return str(member_id)


def pin(api: Api, member_id: str, tier: str, until: datetime | None = None) -> None:
    """Give a member a tier by hand."""
    with api.app.app_context(), transaction() as session:
        session.run(_GRANT, (member_id, new_id(), tier, NOW, until, NOW))


def test_a_member_reads_the_tier_and_what_comes(api: Api):
    a_member_with(api, 12_000)

    found = tier_of(api)

    assert found == {
        "customer_id": "c-42", "as_of": at(NOW), "locale": "en", "ladder_version": 1, "basis": "spend", "unit": "EUR",
        "window": {"mode": "calendar_year", "from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"},
        "progress": 12_000,
        "tier": {
            "code": "silver", "name": "Silver", "description": "For those who come back.", "color": "#c0c0c0",
            "icon": None,
            "benefits": {
                "multiplier": "1.5", "expiry": None, "perks": ["Free delivery"], "early_access_hours": 24,
            },
        },
        "since": at(NOW), "valid_until": "2028-01-01T00:00:00Z", "grace_until": None, "in_grace": False,
        "pinned": None,
        "next": {"tier": {"code": "gold", "name": "Gold"}, "have": 12_000, "need": 25_000, "missing": 13_000},
        "keep": {
            "have": 0, "need": 10_000, "missing": 10_000, "by": "2028-01-01T00:00:00Z",
            "counts_from": "2027-01-01T00:00:00Z",
        },
        "projection": {
            "at": "2028-01-01T00:00:00Z", "tier": {"code": "bronze", "name": "Bronze"}, "reason": "falls",
            "text": "If nothing else happens, you have Bronze from January 1, 2028 on.",
        },
        "text": "You have Silver until the end of December 31, 2027. Spend €130.00 more to reach Gold.",
    }  # fmt: skip


def test_who_has_bought_nothing_has_the_lowest_tier_since_the_enrolment(api: Api):
    a_member_with(api)

    found = tier_of(api)

    assert (found["tier"]["code"], found["since"], found["valid_until"]) == ("bronze", "2026-01-10T09:00:00Z", None)
    assert (found["keep"], found["next"]["missing"]) == (None, 10_000)
    assert (found["projection"]["at"], found["projection"]["reason"]) == (None, "never_ends")
    assert found["text"] == "You have Bronze. Spend €100.00 more to reach Silver."


def test_at_the_top_there_is_nothing_but_to_stay(api: Api):
    a_member_with(api, 25_000)

    found = tier_of(api)

    assert found["next"] is None
    assert found["text"] == (
        "You have Gold until the end of December 31, 2027. "
        "Spend €250.00 from January 1, 2027 to December 31, 2027 to keep Gold."
    )


def test_days_begin_in_the_zone_of_the_program(api: Api):
    configure(api, time_zone="Europe/Warsaw")
    a_member_with(api, 12_000)

    found = tier_of(api)

    assert found["valid_until"] == found["projection"]["at"] == "2027-12-31T23:00:00Z"
    assert found["window"]["from"] == "2025-12-31T23:00:00Z"
    assert "December 31, 2027" in found["text"]


def test_what_has_ended_is_read_as_ended_though_no_job_has_run(api: Api, monkeypatch: pytest.MonkeyPatch):
    a_member_with(api, 12_000)

    it_is(monkeypatch, datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert tier_of(api)["tier"]["code"] == "silver"
    it_is(monkeypatch, datetime(2028, 1, 1, tzinfo=UTC))
    found = tier_of(api)

    assert (found["tier"]["code"], found["since"], found["valid_until"]) == ("bronze", "2028-01-01T00:00:00Z", None)


def test_in_the_grace_it_says_what_is_to_be_done(api: Api, monkeypatch: pytest.MonkeyPatch):
    a_member_with(api, 12_000, grace={"days": 31})

    assert tier_of(api)["grace_until"] == "2028-02-01T00:00:00Z"
    it_is(monkeypatch, datetime(2028, 1, 10, tzinfo=UTC))
    found = tier_of(api)

    assert (found["tier"]["code"], found["in_grace"], found["keep"]["by"]) == ("silver", True, "2028-02-01T00:00:00Z")
    assert found["text"] == (
        "Your Silver tier was valid until December 31, 2027, and you keep it until the end of January 31, 2028. "
        "Spend €100.00 more by January 31, 2028 to keep Silver."
    )


def test_where_counting_begins_anew_nothing_keeps_the_tier(api: Api):
    a_member_with(api, 12_000, validity={"mode": "end_of_period"})

    found = tier_of(api)

    assert found["keep"] is None
    assert found["projection"]["reason"] == "begins_anew"
    assert found["projection"]["text"] == "Counting begins anew: from January 1, 2027 on, you have Bronze."


def test_where_enough_was_bought_the_tier_is_kept(api: Api):
    a_member_with(api, 25_000, window={"mode": "lifetime"}, validity={"mode": "months", "months": 6})

    found = tier_of(api)

    assert (found["keep"]["missing"], found["keep"]["counts_from"], found["window"]["from"]) == (0, None, None)
    assert found["projection"]["text"] == "If nothing else happens, you keep Gold after September 1, 2026."
    assert found["text"].endswith("You have done all it takes to keep Gold.")


def test_a_tier_that_was_given_is_told_as_such(api: Api):
    pin(api, a_member_with(api, 12_000), "gold", datetime(2026, 7, 1, tzinfo=UTC))

    found = tier_of(api)

    assert (found["tier"]["code"], found["valid_until"]) == ("gold", "2026-07-01T00:00:00Z")
    assert found["pinned"] == {"tier": "gold", "until": "2026-07-01T00:00:00Z", "reason": "a VIP"}
    assert (found["next"]["tier"]["code"], found["next"]["missing"], found["keep"]["need"]) == ("gold", 13_000, 10_000)
    assert found["projection"]["reason"] == "grant_ended"
    assert found["projection"]["text"] == "What we have given you ends: from July 1, 2026 on, you have Silver."
    assert found["text"] == "We have given you Gold until the end of June 30, 2026."


def test_a_tier_that_was_given_for_good_does_not_end(api: Api):
    pin(api, a_member_with(api), "gold")

    found = tier_of(api)

    assert (found["valid_until"], found["projection"]["reason"]) == (None, "never_ends")
    assert found["text"] == "We have given you Gold."


def test_a_ladder_that_is_to_come_is_foreseen(api: Api):
    dearer = [{**tier, "threshold": 2 * tier["threshold"]} for tier in TIERS]
    publish(api, 2, tiers=dearer, effective_from=NOW + timedelta(days=30))
    a_member_with(api, 12_000)

    found = tier_of(api)

    assert (found["ladder_version"], found["projection"]["reason"]) == (1, "moved")
    assert found["projection"]["text"] == "New tiers apply from March 31, 2026 on: you have Bronze then."


@pytest.mark.parametrize("status", ["suspend", "close"])
def test_whoever_may_not_earn_may_still_read(api: Api, status: str):
    a_member_with(api, 12_000)
    assert api.post(f"/v1/members/c-42/{status}").status_code == 200

    assert tier_of(api)["tier"]["code"] == "silver"
    assert api.get("/v1/members/c-42/tier/history").json["data"]


def test_whoever_was_merged_may_still_read(api: Api):
    a_member_with(api, 12_000)
    api.enrol("c-43")
    assert merge(api, "c-42", "c-43").status_code == 200

    assert tier_of(api)["customer_id"] == "c-42"
    assert tier_of(api, "c-43")["tier"]["code"] == "silver"


def test_without_a_ladder_there_is_no_tier_to_show(api: Api):
    api.enrol()

    assert refused(api.get("/v1/members/c-42/tier")) == (404, "ladder-not-found")
    assert refused(api.get("/v1/members/nobody/tier")) == (404, "member-not-found")
    assert api.get("/v1/members/c-42/tier/history").json == {"data": [], "next": None}
    assert refused(api.get("/v1/members/nobody/tier/evaluations")) == (404, "member-not-found")


def test_a_ladder_that_has_not_begun_is_none_yet(api: Api):
    a_member_with(api, effective_from=NOW + timedelta(days=1))

    assert refused(api.get("/v1/members/c-42/tier")) == (404, "ladder-not-found")


def test_one_statement_reads_the_member_and_one_the_standing(api: Api):
    a_member_with(api, 12_000)
    tier_of(api)

    with statements() as sent:
        tier_of(api)

    assert [next(t for t in ("tier_standings", "members") if t in each) for each in sent if " m" in each] == [
        "members", "tier_standings",
    ]  # fmt: skip
    assert not [each for each in sent if not each.lstrip().startswith("SELECT")]


def test_the_history_tells_of_changes_and_the_evaluations_of_all_that_was_seen(api: Api):
    a_member_with(api, 4_000)
    buy(api, "A-2", amount=7_000)
    give_back(api, "A-2", {"1": 1})

    changes = api.get("/v1/members/c-42/tier/history").json["data"]
    seen = api.get("/v1/members/c-42/tier/evaluations").json["data"]

    assert [(c["from"], c["to"], c["cause"]) for c in changes] == [
        ("silver", "bronze", "return"), ("bronze", "silver", "order"), (None, "bronze", "enrolled"),
    ]  # fmt: skip
    assert (changes[1]["reference"], changes[1]["reason"]) == ("A-2", "reached")
    assert (changes[1]["at"], changes[1]["valid_until"]) == (at(NOW), "2028-01-01T00:00:00Z")
    assert [(e["cause"], e["value"], e["new"]) for e in seen] == [
        ("return", 4_000, "bronze"), ("order", 11_000, "silver"), ("order", 4_000, "bronze"), ("enrolled", 0, "bronze"),
    ]  # fmt: skip
    assert seen[0]["window_from"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("what", ["history", "evaluations"])
def test_lists_are_read_in_pages(api: Api, what: str):
    a_member_with(api, 4_000)
    buy(api, "A-2", amount=7_000)
    buy(api, "A-3", amount=20_000)
    address = f"/v1/members/c-42/tier/{what}"
    whole = api.get(address).json["data"]

    found, after = [], ""
    while after is not None:
        page = api.get(address, query_string={"limit": 1, **({"after": after} if after else {})}).json
        found, after = [*found, *page["data"]], page["next"]

    assert found == whole
    assert len(found) == {"history": 3, "evaluations": 4}[what]
    assert refused(api.get(f"{address}?after=x")) == (422, "invalid-request")
    assert api.get(f"{address}?after=WyJ4Il0").json["data"] == whole
