"""The templates of messages over HTTP: read, written, given up, checked, and seen."""

import pytest

from loyalty.db.session import transaction
from loyalty.templates.kinds import KINDS
from tests.api import Api
from tests.builders import NOW, a_key, a_program, order_json
from tests.clocks import it_is
from tests.shop import publish_ladder

TEMPLATES = "/v1/admin/notification-templates"
POLISH = f"{TEMPLATES}/points_earned/pl"
WORDS = {"subject": "Punkty: {{ points }}", "text": "Masz {{ balance.available }} pkt."}


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def languages(api: Api, kind: str) -> dict[str, tuple[str, int]]:
    listed = {each["kind"]: each for each in api.get(TEMPLATES).json["data"]}
    return {each["language"]: (each["source"], each["version"]) for each in listed[kind]["languages"]}


def test_every_kind_is_listed_with_what_its_templates_can_say(api: Api):
    listed = {each["kind"]: each for each in api.get(TEMPLATES).json["data"]}

    assert list(listed) == list(KINDS)
    assert len(listed) == 16
    variables = {each["name"]: (each["type"], each["nullable"]) for each in listed["balance_statement"]["variables"]}
    assert variables["member.first_name"] == ("text", True)
    assert variables["expiring[].expires_on"] == ("date", False)
    assert variables["earned"] == ("points", False)
    assert listed["new_reward"]["category"] == "marketing"
    shipped = ("shipped", 0)
    assert languages(api, "tier_up") == dict.fromkeys(("el", "en", "fi", "hu", "lv", "pl"), shipped)


def test_a_template_is_the_engines_until_the_program_writes_its_own(api: Api):
    shipped = api.get(POLISH)
    assert (shipped.headers["ETag"], shipped.json["source"], shipped.json["version"]) == ('"0"', "shipped", 0)
    assert "na Twoim koncie" in shipped.json["subject"]

    made = api.put(POLISH, WORDS)

    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.json == {
        "kind": "points_earned",
        "language": "pl",
        "source": "own",
        "version": 1,
        "html": None,
        **WORDS,
    }
    assert api.get(POLISH).json == made.json
    assert languages(api, "points_earned")["pl"] == ("own", 1)
    assert languages(api, "points_matured")["pl"] == ("shipped", 0)


def test_a_change_names_the_version_it_was_made_from(api: Api):
    api.put(POLISH, WORDS)
    longer = {**WORDS, "html": "<p>{{ points }}</p>"}

    assert api.put(POLISH, longer).json["code"] == "precondition-required"
    stale = api.put(POLISH, longer, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json["current"]) == (412, 1)
    changed = api.put(POLISH, longer, headers={"If-Match": '"1"'})

    assert (changed.status_code, changed.headers["ETag"], changed.json["html"]) == (200, '"2"', longer["html"])


def test_a_template_that_is_given_up_leaves_its_versions(api: Api):
    api.put(POLISH, WORDS)

    given_up = api.call("DELETE", POLISH)

    assert (given_up.status_code, given_up.headers["ETag"], given_up.json["source"]) == (200, '"0"', "shipped")
    assert api.call("DELETE", POLISH).json["code"] == "template-not-found"
    assert api.get(POLISH).json["source"] == "shipped"
    assert api.put(POLISH, {**WORDS, "subject": "Nowe"}).json["version"] == 3
    versions = api.get(f"{POLISH}/versions").json["data"]
    assert [(each["version"], each["withdrawn"], each["subject"]) for each in versions] == [
        (3, False, "Nowe"), (2, True, WORDS["subject"]), (1, False, WORDS["subject"]),
    ]  # fmt: skip
    assert versions[0]["published_at"] == "2026-03-01T12:00:00Z"


def test_a_program_may_add_a_language(api: Api):
    german = f"{TEMPLATES}/points_earned/de"
    assert api.get(german).json["code"] == "template-not-found"
    assert api.get(f"{german}/versions").status_code == 404

    assert api.put(f"{TEMPLATES}/points_earned/pt_br", WORDS).json["language"] == "pt-BR"
    assert api.put(german, WORDS).status_code == 201

    assert api.get(f"{TEMPLATES}/points_earned/pt-BR").json["version"] == 1
    assert set(languages(api, "points_earned")) == {"de", "el", "en", "fi", "hu", "lv", "pl", "pt-BR"}
    assert api.call("DELETE", german).json["language"] == "en"


def test_what_is_unknown_is_refused(api: Api):
    unknown = api.get(f"{TEMPLATES}/points_earnt/pl")
    assert (unknown.status_code, unknown.json["code"]) == (404, "message-kind-not-found")
    assert "Did you mean 'points_earned'?" in unknown.json["detail"]
    for tag in ("xx-YY", "x", "root", "en@euro", "pl-PL-and-so-on"):
        nobodys = api.put(f"{TEMPLATES}/points_earned/{tag}", WORDS)
        assert (nobodys.status_code, nobodys.json["code"]) == (422, "language-unknown")


def test_a_template_that_cannot_be_used_is_refused_with_what_is_wrong(api: Api):
    wrong = {"subject": "{{ pionts }}", "text": "{{ points|plural(one='punkt') }}"}

    refused = api.put(POLISH, wrong)

    assert (refused.status_code, refused.json["code"]) == (422, "template-invalid")
    assert {each["code"] for each in refused.json["errors"]} == {"unknown-variable", "plural-other"}
    checked = api.post(f"{POLISH}/check", wrong).json
    assert (checked["ok"], checked["errors"], checked["warnings"]) == (False, 2, 1)
    assert api.get(POLISH).json["version"] == 0
    warned = {"subject": "Punkty", "text": "Hej {{ member.first_name }}"}
    assert api.post(f"{POLISH}/check", warned).json["warnings"] == 1
    assert api.put(POLISH, warned).status_code == 201


def test_a_preview_is_for_somebody_made_up(api: Api):
    seen = api.post(f"{POLISH}/preview", {}).json

    assert (seen["language"], seen["sample"]) == ("pl", True)
    assert "Anna" in seen["text"]
    assert seen["html"].startswith('<!doctype html>\n<html lang="pl" dir="ltr">')
    assert "unsubscribe" not in seen["html"]
    assert "https://shop.example/unsubscribe/sample" in api.post(f"{TEMPLATES}/new_reward/pl/preview", {}).json["text"]


def test_a_preview_is_for_a_member_as_they_are(api: Api):
    publish_ladder(api, {"code": "bronze", "name": "Bronze", "threshold": 0})
    api.enrol(first_name="Ada")
    api.post("/v1/orders", order_json(order_id="A-1"))
    text = "{{ member.first_name }} {{ member.tier }} {{ balance.available }} {{ program.name }}"

    seen = api.post(f"{POLISH}/preview", {"customer_id": "c-42", "text": text}).json

    assert seen["text"] == f"Ada Bronze {api.balance()['available']} {api.program.name}"
    assert (seen["sample"], seen["subject"].replace("\xa0", " ")) == (False, "120 punktów na Twoim koncie")
    assert api.post(f"{POLISH}/preview", {"customer_id": "c-43"}).json["code"] == "member-not-found"


def test_a_preview_of_what_is_not_published_changes_nothing(api: Api):
    api.put(POLISH, WORDS)

    assert api.post(f"{POLISH}/preview", {"subject": "Inne"}).json["subject"] == "Inne"
    assert api.post(f"{POLISH}/preview", {"subject": "{{ a }}"}).json["code"] == "template-invalid"
    assert api.post(f"{TEMPLATES}/points_earned/de/preview", {"subject": "{{ points }} P"}).json["language"] == "de"
    assert api.post(f"{TEMPLATES}/points_earned/de/preview", {}).json["language"] == "en"

    assert api.get(POLISH).json["version"] == 1


def test_each_change_is_told_to_the_audit_log(api: Api):
    api.put(POLISH, WORDS)
    api.put(POLISH, {**WORDS, "subject": "Nowe"}, headers={"If-Match": '"1"'})
    api.call("DELETE", POLISH)

    log = api.get("/v1/admin/audit?resource=notification-templates/points_earned/pl").json["data"]

    assert [each["action"].partition(".")[2] for each in log] == ["withdrawn", "changed", "created"]
    assert [each["before"] and each["before"]["subject"] for each in log] == ["Nowe", WORDS["subject"], None]
    assert [each["after"] and each["after"]["version"] for each in log] == [None, 2, 1]


def test_another_program_has_its_own(api: Api, app):
    api.put(POLISH, WORDS)
    with app.app_context(), transaction() as session:
        program = a_program(session)
        stranger = Api(app, program, a_key(session, program))

    assert stranger.get(POLISH).json["source"] == "shipped"
    assert stranger.get(f"{POLISH}/versions").json["data"] == []
    assert stranger.call("DELETE", POLISH).status_code == 404
