"""A reward is drafted, checked, published, withdrawn and published again; every version stays readable."""

from typing import Any

import pytest

from tests.api import Api
from tests.builders import NOW, reward_json
from tests.clocks import it_is
from tests.shop import at, pointers, refused, replayed

MUG = "/v1/admin/rewards/mug"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    # What was published a moment ago is seen at once.
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)


def draft(api: Api, etag: str | None = None, **given: Any) -> Any:
    """Write the draft of the mug."""
    headers = {"If-Match": etag} if etag else {}
    return api.put(f"{MUG}/draft", reward_json(**{"name": "Mug", **given}), headers=headers)


def publish(api: Api, **given: Any) -> Any:
    """Draft the mug, and publish it."""
    assert draft(api, **given).status_code == 200
    answer = api.post(f"{MUG}/publish")
    assert answer.status_code == 200, answer.json
    return answer


def actions(api: Api) -> list[str]:
    """What the audit log says of the mug, oldest first."""
    told = api.get("/v1/admin/audit?limit=200").json["data"]
    return [each["action"] for each in reversed(told) if each["resource"].startswith("rewards/mug")]


def seen_by_members(api: Api) -> list[str]:
    """The names that are on sale."""
    return [reward["name"] for reward in api.get("/v1/rewards").json["data"]]


def redeem(api: Api, redemption_id: str = "r-1", **given: Any) -> Any:
    """Have a mug."""
    return api.post("/v1/members/c-42/redemptions", {"reward": "mug", "redemption_id": redemption_id, **given})


def left(api: Api) -> int | None:
    """How many there are to give."""
    return api.get(MUG).json["stock"]


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop whose member c-42 has 10,000 points."""
    api.enrol()
    wish = {"adjustment_id": "a-1", "points": 10_000, "reason": "goodwill"}
    assert api.post("/v1/members/c-42/adjustments", wish).status_code == 201
    return api


def test_the_way_of_a_reward(shop: Api):
    drafted = draft(shop, name="Mugg", stock=0)
    assert (drafted.status_code, drafted.headers["ETag"], seen_by_members(shop)) == (200, '"1"', [])
    assert shop.post(f"{MUG}/check").json["findings"][0]["code"] == "no-stock"

    assert draft(shop, '"1"', name="Mug", stock=5).headers["ETag"] == '"2"'
    assert shop.post(f"{MUG}/check").json == {"ok": True, "errors": 0, "warnings": 0, "findings": []}

    published = shop.post(f"{MUG}/publish").json
    assert (published["version"], published["status"], published["stock"]) == (1, "published", 5)
    assert seen_by_members(shop) == ["Mug"]

    withdrawn = shop.post(f"{MUG}/withdraw").json
    assert (withdrawn["version"], withdrawn["status"], seen_by_members(shop)) == (2, "withdrawn", [])
    assert refused(redeem(shop)) == (404, "reward-not-found")
    assert refused(shop.post(f"{MUG}/withdraw")) == (409, "reward-withdrawn")

    assert draft(shop, '"3"', name="Big mug", stock=5).status_code == 200
    assert shop.post(f"{MUG}/publish").json["version"] == 3
    assert seen_by_members(shop) == ["Big mug"]
    assert actions(shop) == [
        "reward.drafted", "reward.drafted", "reward.created", "reward.withdrawn", "reward.drafted", "reward.changed",
    ]  # fmt: skip


def test_each_version_stays_as_it_was_published(api: Api):
    publish(api, name="One", stock=3)
    api.put(MUG, reward_json(name="Two", stock=9), headers={"If-Match": '"1"'})
    api.post(f"{MUG}/withdraw")

    told = api.get(f"{MUG}/versions").json["data"]

    assert [(each["version"], each["name"], each["stock"], each["withdrawn"]) for each in told] == [
        (3, "Two", 9, True), (2, "Two", 9, False), (1, "One", 3, False),
    ]  # fmt: skip
    assert {each["published_at"] for each in told} == {at(NOW)}
    assert len({each["published_by"] for each in told}) == 1
    assert api.get(f"{MUG}/versions/1").json == told[2]
    assert refused(api.get(f"{MUG}/versions/4")) == (404, "reward-version-not-found")
    assert refused(api.get("/v1/admin/rewards/cup/versions")) == (404, "reward-not-found")


def test_a_draft_begins_with_what_is_published(api: Api):
    assert refused(api.get(f"{MUG}/draft")) == (404, "reward-draft-not-found")
    publish(api, name="Mug", points=70)

    shown = api.get(f"{MUG}/draft")

    assert (shown.json["name"], shown.json["points"]) == ("Mug", 70)
    # The version of drafts moves on, also when one becomes what is published.
    assert shown.headers["ETag"] == '"2"'


def test_two_who_draft_do_not_overwrite_each_other(api: Api):
    draft(api)

    assert refused(draft(api)) == (428, "precondition-required")
    assert refused(draft(api, '"7"')) == (412, "stale-version")
    assert draft(api, '"1"', name="Ours").status_code == 200
    assert refused(draft(api, '"1"', name="Theirs")) == (412, "stale-version")
    assert api.get(f"{MUG}/draft").json["name"] == "Ours"


def test_a_draft_changes_nothing_for_members(shop: Api):
    publish(shop, points=100, stock=5)
    before = shop.get("/v1/members/c-42/rewards").json

    draft(shop, points=1, stock=900, name="Cheap")

    assert shop.get("/v1/members/c-42/rewards").json == before
    assert shop.get(MUG).json["drafted"] is True
    assert redeem(shop).json["points"] == 100
    assert left(shop) == 4


def test_a_mere_draft_is_listed_as_one(api: Api):
    draft(api, stock=4)

    (listed,) = api.get("/v1/admin/rewards").json["data"]

    assert (listed["status"], listed["version"], listed["stock"], listed["drafted"]) == ("draft", 0, 4, True)
    assert refused(api.get(MUG)) == (404, "reward-not-found")


def test_nothing_is_published_where_there_is_no_draft(api: Api):
    for what in ("check", "publish"):
        assert refused(api.post(f"{MUG}/{what}")) == (404, "reward-draft-not-found")
    publish(api)
    for what in ("check", "publish"):
        assert api.post(f"{MUG}/{what}").json["code"] == "nothing-to-publish"


def test_what_a_check_finds_wrong_is_not_published_and_the_draft_stays(api: Api):
    draft(api, stock=5, fulfilment="pool")

    answer = api.post(f"{MUG}/publish")

    assert refused(answer) == (422, "reward-invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/stock"]
    assert api.get(f"{MUG}/draft").json["stock"] == 5


def test_publishing_again_with_the_same_key_is_answered_with_the_first_answer(api: Api):
    draft(api)
    key = {"Idempotency-Key": "publish-the-mug"}

    first, again = (api.post(f"{MUG}/publish", headers=key) for _ in range(2))

    assert (again.json, replayed(again)) == (first.json, True)


def test_publishing_leaves_the_stock_alone_unless_the_draft_says_another_number(shop: Api):
    publish(shop, stock=10)
    redeem(shop)
    assert left(shop) == 9

    publish(shop, stock=10, name="Better mug")
    assert left(shop) == 9
    publish(shop, stock=20)
    assert left(shop) == 20
    publish(shop, stock=None)
    assert left(shop) is None
    publish(shop, stock=10)
    assert left(shop) == 10


def test_putting_a_reward_says_what_is_left_whatever_it_was(shop: Api):
    publish(shop, stock=10)
    redeem(shop)

    shop.put(MUG, reward_json(stock=10), headers={"If-Match": '"1"'})

    assert left(shop) == 10


def test_stock_is_changed_by_so_many_and_never_below_nothing(shop: Api):
    publish(shop, stock=5)
    redeem(shop)

    assert shop.post(f"{MUG}/stock", {"change": 3}).json["stock"] == 7
    assert shop.post(f"{MUG}/stock", {"change": -7}).json["stock"] == 0
    answer = shop.post(f"{MUG}/stock", {"change": -1})
    assert (*refused(answer), answer.json["left"]) == (422, "stock-too-low", 0)
    assert actions(shop)[-2:] == ["reward.restocked", "reward.restocked"]
    assert shop.get(MUG).json["version"] == 1
    publish(shop, stock=None)
    assert refused(shop.post(f"{MUG}/stock", {"change": 1})) == (422, "stock-too-low")
    assert refused(shop.post("/v1/admin/rewards/cup/stock", {"change": 1})) == (404, "reward-not-found")


def test_codes_are_uploaded_and_counted(shop: Api):
    publish(shop, fulfilment="pool")
    assert left(shop) == 0
    assert refused(redeem(shop)) == (422, "out-of-stock")

    answer = shop.post(f"{MUG}/codes", {"codes": ["MUG-0001", "MUG-0002"]})

    assert (answer.status_code, answer.json) == (201, {"reward": "mug", "added": 2, "left": 2})
    assert shop.post(f"{MUG}/codes", {"codes": ["MUG-0003"]}).json["left"] == 3
    assert redeem(shop).json["voucher"]["code"] == "MUG-0001"
    assert left(shop) == 2
    assert actions(shop)[-2:] == ["reward.codes_added", "reward.codes_added"]
    assert refused(shop.post(f"{MUG}/stock", {"change": 1})) == (422, "stock-too-low")


@pytest.mark.parametrize("codes", [["MUG-0002", "MUG-0001"], ["MUG-0002", "MUG-0002"], ["MUG-0002", "mug 0001"]])
def test_of_codes_with_one_that_is_known_none_is_taken(shop: Api, codes: list[str]):
    publish(shop, fulfilment="pool")
    shop.post(f"{MUG}/codes", {"codes": ["MUG-0001"]})

    answer = shop.post(f"{MUG}/codes", {"codes": codes})

    assert refused(answer) == (422, "duplicate-codes")
    assert left(shop) == 1


def test_codes_belong_to_rewards_that_give_them(api: Api):
    publish(api, fulfilment="code")

    assert refused(api.post(f"{MUG}/codes", {"codes": ["MUG-0001"]})) == (422, "no-pool")
    assert refused(api.post("/v1/admin/rewards/cup/codes", {"codes": ["MUG-0001"]})) == (404, "reward-not-found")
    assert pointers(api.post(f"{MUG}/codes", {"codes": []})) == ["/codes"]


def test_a_reward_that_becomes_one_of_codes_has_as_many_as_were_uploaded(shop: Api):
    publish(shop, fulfilment="pool")
    shop.post(f"{MUG}/codes", {"codes": ["MUG-0001", "MUG-0002"]})
    publish(shop, fulfilment="code", stock=50)
    assert left(shop) == 50

    publish(shop, fulfilment="pool")

    assert left(shop) == 2
