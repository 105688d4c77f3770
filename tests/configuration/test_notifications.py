"""What members are told is configuration too: settings and templates travel with the rest."""

from typing import Any

import pytest
from flask import Flask

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import a_key, a_program
from tests.configuration.test_routes import CONFIG, apply, audited, export

WORDS = {"subject": "Neue Punkte", "text": "{{ points|number }} Punkte.", "html": None}
TEMPLATE = "/v1/admin/notification-templates/points_matured/de"
SETTINGS = "/v1/admin/notification-settings"


@pytest.fixture
def speaking(api: Api) -> Api:
    """A shop with settings and a template of its own."""
    assert api.put(SETTINGS, {"expiring_days": [14], "quiet_hours": None}).status_code == 200
    assert api.put(TEMPLATE, WORDS).status_code == 201
    return api


@pytest.fixture
def other(app: Flask) -> Api:
    with app.app_context(), transaction() as session:
        program = a_program(session)
        return Api(app, program, a_key(session, program))


def test_settings_and_templates_arrive_as_they_were(speaking: Api, other: Api):
    document = export(speaking)
    apply(
        other, {"format": 1, **{name: document[name] for name in ("notification_settings", "notification_templates")}}
    )

    assert other.get(SETTINGS).json["expiring_days"] == [14]
    assert other.get(TEMPLATE).json["text"] == WORDS["text"]
    before = audited(other)
    assert apply(other, document | {"program": {}})["changes"] is not None
    assert [action for action in audited(other)[: len(audited(other)) - len(before)] if "notification" in action] == []


def test_what_is_exported_changes_nothing_where_it_came_from(speaking: Api):
    assert speaking.post(f"{CONFIG}/diff", export(speaking)).json["changes"] == []


def test_a_template_that_is_not_named_stays(speaking: Api):
    other_one = {"points_matured": {"de-AT": WORDS}}
    changes = apply(speaking, {"format": 1, "notification_templates": other_one})["changes"]

    assert [(change["path"], change["action"]) for change in changes] == [
        ("/notification_templates/points_matured/de-AT", "add")
    ]
    assert export(speaking)["notification_templates"] == {"points_matured": {"de": WORDS, "de-AT": WORDS}}


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        ({"notification_templates": {"points_matured": {"de": {**WORDS, "text": "{{ pionts }}"}}}},
         "/notification_templates/points_matured/de/text"),
        ({"notification_templates": {"no_such_kind": {"de": WORDS}}}, "/notification_templates/no_such_kind"),
        ({"notification_settings": {"statement_day": 31}}, "/notification_settings/statement_day"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_where_it_stands_and_nothing_is_changed(speaking: Api, part: dict[str, Any], pointer: str):
    before = export(speaking)
    answer = speaking.post(f"{CONFIG}/import", {"format": 1, **part})

    assert answer.status_code == 422
    assert any(error["pointer"].startswith(pointer) for error in answer.json["errors"]), answer.json
    assert export(speaking) == before


def test_a_language_that_nobody_knows_is_refused(speaking: Api):
    answer = speaking.post(
        f"{CONFIG}/import", {"format": 1, "notification_templates": {"points_matured": {"xq": WORDS}}}
    )

    assert (answer.status_code, answer.json["code"]) == (422, "language-unknown")
