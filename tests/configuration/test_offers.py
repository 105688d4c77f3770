"""Offers as a part of the configuration: from the sandbox in which they were tried to the shop."""

from typing import Any

import pytest
from flask import Flask

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import a_key, a_program
from tests.personalisation.offering import DRAFT, OFFERS, cheaper, double, gift, off, points, publish
from tests.shop import refused

CONFIG = "/v1/admin/config"
CHOOSING = {"exploration_percent": 10, "never_personalise": {"categories": ["tobacco"]}}


@pytest.fixture
def sandbox(app: Flask) -> Api:
    """A program in which things are tried."""
    with app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True)
        return Api(app, program, a_key(session, program))


@pytest.fixture
def tried(sandbox: Api) -> Api:
    """The sandbox, with offers of each kind in force."""
    rich = double(titles={"pl": "Podwójnie"}, caps={"month": 2}, budget_points=900, holdout_percent="12.5", days=3)
    offers = [points(priority=0), rich, off(group="g"), cheaper(group="g"), gift(trigger="win_back", cooldown_days=90)]
    assert publish(sandbox, *offers, personalising=CHOOSING).status_code == 200
    return sandbox


def export(api: Api) -> dict[str, Any]:
    return api.get(CONFIG).json


def apply(api: Api, document: dict[str, Any]) -> list[str]:
    """Import a document; answers what that changed."""
    answer = api.post(f"{CONFIG}/import", document)
    assert answer.status_code == 200, answer.json
    return [change["path"] for change in answer.json["changes"]]


def test_offers_go_from_the_sandbox_to_production_as_they_are(tried: Api, api: Api):
    document = {"format": 1, "offers": export(tried)["offers"]}
    assert "offers" not in export(api)

    assert apply(api, document) == ["/offers"]

    assert export(api)["offers"] == export(tried)["offers"]
    there, here = (shop.get(OFFERS).json for shop in (tried, api))
    assert (here["offers"], here["personalising"]) == (there["offers"], there["personalising"])
    assert apply(api, document) == []
    assert api.get(OFFERS).json["version"] == 1


def test_what_is_exported_changes_nothing_where_it_came_from(tried: Api):
    document = export(tried)

    assert tried.post(f"{CONFIG}/diff", document).json["changes"] == []
    assert apply(tried, document) == []


def test_a_difference_is_named_by_a_pointer_into_the_document(tried: Api):
    document = export(tried)
    offers = document["offers"]["offers"]
    offers[1]["promise"]["value"] = "3"
    del offers[0]
    offers.append(points(code="new"))
    document["offers"]["personalising"]["never_personalise"]["skus"] = ["X-1"]

    assert apply(tried, document) == [
        "/offers/offers/0/promise/value", "/offers/offers/4", "/offers/offers/0",
        "/offers/personalising/never_personalise/skus",
    ]  # fmt: skip
    assert [offer["code"] for offer in tried.get(OFFERS).json["offers"]] == [offer["code"] for offer in offers]
    assert tried.get(OFFERS).json["version"] == 2


def test_two_ways_of_saying_the_same_offers_are_no_difference(tried: Api):
    document = export(tried)
    document["offers"]["offers"].reverse()
    for offer in document["offers"]["offers"]:
        offer |= {"tiers": [], "when": None, "min_basis": offer.get("min_basis", 0), "valid_from": None}
        offer["promise"]["value"] = str(offer["promise"]["value"])
        del offer["activation"]

    assert tried.post(f"{CONFIG}/diff", document).json["changes"] == []


@pytest.mark.parametrize("nothing", [{}, {"offers": None}])
def test_a_document_without_offers_says_nothing_of_them(tried: Api, nothing: dict[str, Any]):
    before = export(tried)

    assert apply(tried, {"format": 1, **nothing}) == []
    assert export(tried) == before


def test_a_document_with_no_offer_ends_them(tried: Api):
    apply(tried, {"format": 1, "offers": {"offers": []}})

    assert tried.get(OFFERS).json["offers"] == []


def test_offers_that_cannot_be_published_are_refused_where_they_stand_in_the_document(tried: Api):
    document = {"format": 1, "program": {"rounding": "ceil"}, "offers": {"offers": [points(), points()]}}

    answer = tried.post(f"{CONFIG}/import", document)

    assert refused(answer) == (422, "offers-invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/offers/offers/0/code", "/offers/offers/1/code"]
    assert export(tried)["program"]["rounding"] == "floor"


def test_a_draft_that_someone_has_begun_is_left_to_them(tried: Api):
    mine = {"offers": [points(code="mine")], "personalising": {"exploration_percent": 7}}
    etag = tried.get(DRAFT).headers["ETag"]
    assert tried.put(DRAFT, mine, headers={"If-Match": etag}).status_code == 200

    apply(tried, {"format": 1, "offers": {"offers": [points(code="theirs")]}})

    assert [offer["code"] for offer in tried.get(OFFERS).json["offers"]] == ["theirs"]
    draft = tried.get(DRAFT).json
    assert ([offer["code"] for offer in draft["offers"]], draft["personalising"]["exploration_percent"]) == (
        ["mine"],
        7,
    )
