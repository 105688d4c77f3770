"""What a member reads of the catalogue: the nearest first, with every reason, in their language."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api import Api
from tests.builders import NOW, reward_json
from tests.clocks import it_is
from tests.shop import adjust, at, buy, configure, in_days, merge, publish_ladder

TIERS = (
    {"code": "bronze", "threshold": 0, "name": "Bronze", "translations": {"pl": {"name": "Brązowy"}}},
    {"code": "silver", "threshold": 10_000, "benefits": {"early_access_hours": 48}},
    {"code": "gold", "threshold": 25_000, "translations": {"pl": {"name": "Złoty"}}},
)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop whose member c-42 has 100 points."""
    api.enrol()
    adjust(api, 100)
    return api


def offer(api: Api, code: str, points: int = 50, **given: Any) -> None:
    """Put a reward into the catalogue."""
    wanted = {"name": code.title(), "type": "experience", "value": {}, "fulfilment": "none", **given}
    answer = api.put(f"/v1/admin/rewards/{code}", reward_json(points=points, **wanted))
    assert answer.status_code == 201, answer.json


def rewards(api: Api, customer_id: str = "c-42", **query: Any) -> Any:
    """What a member can have."""
    answer = api.get(f"/v1/members/{customer_id}/rewards", query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.json


def one(api: Api, code: str, **query: Any) -> dict[str, Any]:
    """What a member reads of one reward."""
    return next(each for each in rewards(api, **query)["data"] if each["code"] == code)


def codes(found: Any) -> list[str]:
    """Which rewards, in order."""
    return [each["code"] for each in found["data"]]


def reasons(told: dict[str, Any]) -> list[str]:
    """Why not."""
    return [reason["code"] for reason in told["reasons"]]


def redeem(api: Api, reward: str, redemption_id: str = "r-1", customer_id: str = "c-42", **given: Any) -> None:
    """Have a reward."""
    wish = {"reward": reward, "redemption_id": redemption_id, **given}
    answer = api.post(f"/v1/members/{customer_id}/redemptions", wish)
    assert answer.status_code == 201, answer.json


def test_a_member_without_rewards_to_have_reads_of_their_points(shop: Api):
    assert rewards(shop) == {
        "customer_id": "c-42", "member_status": "active", "as_of": at(NOW), "locale": "en", "unit": "points",
        "available_points": 100, "tier": None, "next_reward": None, "data": [], "next": None,
    }  # fmt: skip
    assert shop.get("/v1/members/nobody/rewards").json["code"] == "member-not-found"


def test_a_reward_is_told_with_what_it_takes(shop: Api):
    offer(shop, "tour", 130, limits={"month": 2}, stock=9, categories=["days out"], description="An afternoon.")

    assert one(shop, "tour") == {
        "code": "tour", "name": "Tour", "description": "An afternoon.", "terms": None, "type": "experience",
        "points": 130, "value": {}, "currency": "EUR", "available": False, "missing": 30,
        "summary": "You need 30 more points.",
        "reasons": [{"code": "insufficient_points", "detail": "You need 30 more points.", "required": 130,
                     "available": 100, "missing": 30}],
        "limits_left": {"month": 2}, "stock": 9, "valid_from": None, "valid_to": None, "early_access": False,
        "fulfilment": "none", "images": [], "categories": ["days out"],
    }  # fmt: skip


@pytest.fixture
def full(shop: Api) -> Api:
    """A shop with a reward in each condition."""
    publish_ladder(shop, *TIERS)
    offer(shop, "dear", 100)
    offer(shop, "cheap", 10)
    offer(shop, "first", 100, sort=-1)
    offer(shop, "also-dear", 100)
    offer(shop, "nearly", 101)
    offer(shop, "far", 900, sort=-5)
    offer(shop, "for-gold", 10, tiers=["gold"])
    offer(shop, "soon", 10, valid_from=in_days(9))
    offer(shop, "had", 10, limits={"ever": 1})
    offer(shop, "for-buyers", 10, when="history.orders > 0")
    offer(shop, "gone", 10, stock=0)
    offer(shop, "over", 10, valid_to=in_days(-1), valid_from=in_days(-2))
    redeem(shop, "had")
    adjust(shop, 10)
    return shop


NEAREST_FIRST = [
    "first", "cheap", "also-dear", "dear", "nearly", "far", "for-gold", "soon", "had", "for-buyers", "gone", "over",
]  # fmt: skip


def test_the_nearest_stands_first(full: Api):
    found = rewards(full)

    assert codes(found) == NEAREST_FIRST
    assert [each["available"] for each in found["data"]] == [True] * 4 + [False] * 8
    assert [each["summary"] for each in found["data"][3:]] == [
        "You can have this now.",
        "You need 1 more point.",
        "You need 800 more points.",
        "You can have this once you have Gold.",
        "You can have this from March 10, 2026 on.",
        "You have had this as often as it can be had.",
        "You do not meet the conditions of this reward.",
        "There is none left.",
        "You could have this until February 28, 2026.",
    ]
    assert found["next_reward"] == {"reward": "nearly", "name": "Nearly", "missing": 1}


@pytest.mark.parametrize("limit", [1, 5, 11, 12, 13])
def test_pages_follow_each_other(full: Api, limit: int):
    found, after = [], {}
    for _ in range(13):
        page = rewards(full, limit=limit, **after)
        assert page["next_reward"]["reward"] == "nearly"
        found += codes(page)
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert found == NEAREST_FIRST


def test_a_page_goes_on_where_the_last_one_ended_though_rewards_come_and_go(full: Api):
    page = rewards(full, limit=3)
    full.post("/v1/admin/rewards/also-dear/withdraw")
    offer(full, "new", 1)

    assert codes(rewards(full, limit=3, after=page["next"])) == ["dear", "nearly", "far"]
    assert full.get("/v1/members/c-42/rewards?after=nonsense").status_code == 422


def test_rewards_are_read_by_category_type_and_whether_they_can_be_had(full: Api):
    offer(full, "tea", 101, categories=["tea"], sort=1)
    offer(full, "mug", 10, type="free_product", value={"sku": "MUG"}, categories=["tea", "gifts"])

    assert codes(rewards(full, category="tea")) == ["mug", "tea"]
    assert codes(rewards(full, type="free_product")) == ["mug"]
    assert codes(rewards(full, available="true")) == ["first", "cheap", "mug", "also-dear", "dear"]
    assert codes(rewards(full, available="false", category="tea")) == ["tea"]
    # Where only what can be had is shown, what comes next is told all the same.
    assert rewards(full, available="true")["next_reward"]["reward"] == "nearly"
    assert full.get("/v1/members/c-42/rewards?available=maybe").status_code == 422


def test_all_reasons_are_told_and_the_farthest_sums_them_up(full: Api):
    offer(full, "far-away", 500, tiers=["gold"], stock=0, when="history.orders > 0")

    told = one(full, "far-away")

    assert reasons(told) == ["out_of_stock", "tier_too_low", "condition_not_met", "insufficient_points"]
    assert told["summary"] == "There is none left."
    # What a condition saw is not for members to read.
    assert told["reasons"][2] == {
        "code": "condition_not_met", "detail": "You do not meet the conditions of this reward.",
    }  # fmt: skip


SAID = {
    "pl": ["Możesz już odebrać tę nagrodę.", "Brakuje Ci 22 punktów.", "Możesz odebrać tę nagrodę od 10 marca 2026.",
           "Możesz odebrać tę nagrodę, gdy osiągniesz poziom Złoty."],
    "el": ["Μπορείτε να το αποκτήσετε τώρα.", "Σας λείπουν ακόμη 22 πόντοι.",  # noqa: RUF001
           "Μπορείτε να το αποκτήσετε από 10 Μαρτίου 2026.",  # noqa: RUF001
           "Μπορείτε να το αποκτήσετε μόλις φτάσετε στο επίπεδο Gold."],  # noqa: RUF001
    "fi": ["Voit saada tämän nyt.", "Tarvitset vielä 22 pistettä.", "Voit saada tämän 10. maaliskuuta 2026 alkaen.",
           "Voit saada tämän, kun tasosi on Gold."],
    "lv": ["Jūs varat to saņemt jau tagad.", "Jums vēl vajag 22 punktus.", "No 10.03.2026. jūs varat to saņemt.",
           "Jūs varat to saņemt, kad sasniegsiet līmeni Gold."],
    "hu": ["Ezt most megkaphatja.", "Még 22 pont hiányzik.", "Ezt 2026. március 10. napjától kaphatja meg.",
           "Ezt akkor kaphatja meg, ha eléri ezt a szintet: Gold."],
    "en-GB": ["You can have this now.", "You need 22 more points.", "You can have this from 10 March 2026 on.",
              "You can have this once you have Gold."],
}  # fmt: skip


def test_a_member_reads_in_their_language_or_in_the_one_that_is_asked_for(shop: Api):
    publish_ladder(shop, *TIERS)
    offer(shop, "now", 10)
    offer(shop, "nearly", 122)
    offer(shop, "soon", 10, valid_from=in_days(9))
    offer(shop, "for-gold", 10, tiers=["gold"])

    for tag, said in SAID.items():
        told = [one(shop, code, locale=tag)["summary"] for code in ("now", "nearly", "soon", "for-gold")]
        assert [text.replace("\xa0", " ") for text in told] == said, tag


def test_words_of_rewards_are_translated_as_far_as_they_are(shop: Api):
    words = {"pl": {"name": "Wycieczka"}, "pt-BR": {"name": "Passeio", "description": "Uma tarde."}}
    offer(shop, "tour", 130, description="An afternoon.", translations=words)
    shop.enrol("c-pl", locale="pl-PL")

    found = rewards(shop, "c-pl")

    told = found["data"][0]
    assert (found["locale"], told["name"], told["description"]) == ("pl-PL", "Wycieczka", "An afternoon.")
    assert found["next_reward"] == {"reward": "tour", "name": "Wycieczka", "missing": 130}
    assert one(shop, "tour", locale="pt_BR")["description"] == "Uma tarde."
    configure(shop, locale="pl")
    assert one(shop, "tour")["name"] == "Wycieczka"


def test_a_tier_that_time_took_away_is_gone_before_any_job_has_seen_it(shop: Api, monkeypatch: pytest.MonkeyPatch):
    validity = {"mode": "months", "months": 1}
    publish_ladder(shop, *TIERS, window={"mode": "rolling", "days": 20}, validity=validity)
    offer(shop, "for-silver", 50, tiers=["silver"], points_by_tier={"silver": 40})
    buy(shop, "A-1", amount=12_000)
    had = rewards(shop)
    assert (had["tier"], reasons(one(shop, "for-silver")), one(shop, "for-silver")["points"]) == ("silver", [], 40)

    it_is(monkeypatch, NOW + timedelta(days=60))

    assert rewards(shop)["tier"] == "bronze"
    told = one(shop, "for-silver")
    assert (reasons(told), told["points"]) == (["tier_too_low"], 50)


def test_a_tier_is_told_though_no_reward_asks_for_one(shop: Api):
    publish_ladder(shop, *TIERS)
    offer(shop, "tour")

    assert rewards(shop)["tier"] == "bronze"


def test_early_access_is_told_with_the_members_own_beginning(shop: Api, monkeypatch: pytest.MonkeyPatch):
    publish_ladder(shop, *TIERS)
    offer(shop, "tour", valid_from=in_days(2))
    buy(shop, "A-1", amount=12_000)
    shop.enrol("c-new")

    mine, theirs = one(shop, "tour"), rewards(shop, "c-new")["data"][0]

    assert (mine["available"], mine["early_access"], mine["valid_from"]) == (True, True, at(NOW))
    assert (theirs["available"], theirs["early_access"], theirs["valid_from"]) == (False, False, in_days(2))
    it_is(monkeypatch, NOW + timedelta(days=2))
    assert one(shop, "tour")["early_access"] is False


def test_a_member_who_was_merged_brings_what_they_had(shop: Api):
    offer(shop, "once", 10, limits={"ever": 1, "year": 3})
    shop.enrol("c-old")
    adjust(shop, 50, "c-old")
    redeem(shop, "once", customer_id="c-old")
    assert one(shop, "once")["limits_left"] == {"ever": 1, "year": 3}

    merge(shop, "c-old", "c-42")

    told = one(shop, "once")
    assert (reasons(told), told["limits_left"]) == (["limit_reached"], {"ever": 0, "year": 2})


def test_what_was_held_and_not_confirmed_in_time_counts_as_left_and_as_not_had(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    offer(shop, "mug", 10, stock=1, limits={"ever": 1})
    redeem(shop, "mug", hold=True, hold_seconds=60)
    held = one(shop, "mug")
    assert (reasons(held), held["stock"]) == (["out_of_stock", "limit_reached"], 0)
    assert shop.get("/v1/rewards").json["data"][0]["stock"] == 0

    it_is(monkeypatch, NOW + timedelta(seconds=60))

    told = one(shop, "mug")
    assert (reasons(told), told["stock"], told["limits_left"]) == ([], 1, {"ever": 1})
    assert rewards(shop)["available_points"] == 100
    assert shop.get("/v1/rewards").json["data"][0]["stock"] == 1


def test_what_was_cancelled_was_not_had(shop: Api):
    offer(shop, "mug", 10, limits={"day": 1})
    redeem(shop, "mug")
    assert one(shop, "mug")["limits_left"] == {"day": 0}

    assert shop.post("/v1/redemptions/r-1/cancel", {}).status_code == 200

    assert one(shop, "mug")["limits_left"] == {"day": 1}


def test_codes_of_a_pool_are_what_is_left(shop: Api):
    offer(shop, "ticket", 10, fulfilment="pool")
    assert reasons(one(shop, "ticket")) == ["out_of_stock"]

    shop.post("/v1/admin/rewards/ticket/codes", {"codes": ["SEAT-1", "SEAT-2"]})

    assert one(shop, "ticket")["stock"] == 2
