"""Webhooks over HTTP: made, changed, paused, pinged, replayed, and every refusal."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import ANY

import pytest
from flask import Flask
from standardwebhooks import Webhook

from loyalty.core import clock
from loyalty.db.session import transaction
from loyalty.webhooks import fanning
from tests.api import Api
from tests.builders import a_key, a_program
from tests.events.following import a_fact, all_are_visible, told
from tests.webhooks.desk import deliver_to
from tests.webhooks.receiver import LOOPBACK, Receiver, receiving

HOOKS = "/v1/admin/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


@pytest.fixture(autouse=True)
def open_to_ourselves(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WEBHOOK_NETWORKS", LOOPBACK)


def make(api: Api, url: str, *types: str, **headers: str) -> dict[str, Any]:
    response = api.post(HOOKS, {"url": url, "types": list(types)}, headers=headers)
    assert response.status_code == 201, response.json
    return response.json


def arrive(api: Api, made: dict[str, Any], count: int) -> None:
    """So many facts of the program happen, and are delivered."""
    with api.app.app_context():
        with transaction() as session:
            told(session, api.program.program_id, *(a_fact(number + 1) for number in range(count)))
        all_are_visible(api.program.program_id)
        now = clock.real_now()
        while True:
            with transaction() as session:
                if not fanning.fan_out(session, now=now):
                    break
        deliver_to(made["webhook_id"], now=now)


def test_a_webhook_is_made_and_shows_its_secret_once(api: Api):
    made = make(api, "https://shop.example/hook", "points.*", **{"Idempotency-Key": "k-1"})

    assert made["secret"].startswith("whsec_")
    assert len(Webhook(made["secret"])._whsecret) == 32
    shown = api.get(f"{HOOKS}/{made['webhook_id']}")
    assert shown.headers["ETag"] == '"1"'
    assert shown.json == {name: value for name, value in made.items() if name != "secret"}
    assert shown.json == {
        "webhook_id": ANY, "url": "https://shop.example/hook", "types": ["points.*"], "description": "",
        "status": "active", "paused_at": None, "paused_reason": None, "sequence": 0, "delivered": 0, "waiting": 0,
        "waiting_since": None, "failing_since": None, "next_try_at": None, "version": 1, "created_at": ANY,
        "secrets": [{"created_at": ANY, "expires_at": None}],
    }  # fmt: skip
    assert api.get(HOOKS).json == {"data": [shown.json], "next": None}
    again = api.post(
        HOOKS, {"url": "https://shop.example/hook", "types": ["points.*"]}, headers={"Idempotency-Key": "k-1"}
    )
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == {**made, "secret": None}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": ""}, {"url": "https://a.example/", "secret": "mine"}, {"url": "https://a.example/", "types": ["*"]},
        {"url": "https://a.example/", "types": ["Points.earned"]}, {"url": 7},
        {"url": "https://a.example/", "types": "points.*"},
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_refused(api: Api, body: dict[str, Any]):
    assert api.post(HOOKS, body).status_code == 422
    assert api.get(HOOKS).json["data"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com:80@10.0.0.1/", "http://10.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/", "https://user:pw@shop.example/", "gopher://shop.example/",
    ],
)  # fmt: skip
def test_a_url_into_a_private_network_is_refused_by_name(api: Api, url: str):
    made = make(api, "https://shop.example/hook")
    changed = api.patch(f"{HOOKS}/{made['webhook_id']}", {"url": url}, headers={"If-Match": '"1"'})
    for refused in (api.post(HOOKS, {"url": url}), changed):
        assert (refused.status_code, refused.json["code"]) == (422, "webhook-url-refused")
        assert refused.json["errors"][0]["pointer"] == "/url"


def test_a_program_has_only_so_many(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("loyalty.webhooks.service.WEBHOOKS_MOST", 1)
    make(api, "https://shop.example/hook")

    assert api.post(HOOKS, {"url": "https://shop.example/hook"}).json["code"] == "too-many-webhooks"


def test_a_change_names_the_version_it_was_made_from(api: Api):
    hook = f"{HOOKS}/{make(api, 'https://shop.example/hook')['webhook_id']}"

    changed = api.patch(hook, {"types": ["tier.changed"]}, headers={"If-Match": '"1"'})

    assert (changed.headers["ETag"], changed.json["types"]) == ('"2"', ["tier.changed"])
    assert changed.json["url"] == "https://shop.example/hook"
    assert api.patch(hook, {}, headers={"If-Match": '"1"'}).status_code == 412
    assert api.patch(hook, {}).status_code == 428


def test_a_webhook_that_is_deleted_is_gone(api: Api, receiver: Receiver):
    made = make(api, receiver.url)
    hook = f"{HOOKS}/{made['webhook_id']}"

    assert api.delete(hook).json["webhook_id"] == made["webhook_id"]

    assert [api.get(hook).status_code, api.delete(hook).status_code, api.post(f"{hook}/ping").status_code] == [404] * 3
    arrive(api, made, 1)
    assert receiver.received == []


def test_while_a_secret_is_changed_both_sign_and_never_three(api: Api, receiver: Receiver):
    made = make(api, receiver.url)
    hook = f"{HOOKS}/{made['webhook_id']}"

    def signers(*secrets: str) -> list[bool]:
        api.post(f"{hook}/ping")
        sent = receiver.received[-1]
        names = sent.headers["webhook-signature"].split(" ")
        return [
            Webhook(s).verify(sent.body, {**sent.headers, "webhook-signature": name}) is not None
            for s, name in zip(secrets, names, strict=True)
        ]

    second = api.post(f"{hook}/rotate-secret", {"keep_previous_seconds": 60}, headers={"Idempotency-Key": "r"}).json
    assert len(second["secrets"]) == 2
    assert signers(second["secret"], made["secret"]) == [True, True]
    replayed = api.post(f"{hook}/rotate-secret", {"keep_previous_seconds": 60}, headers={"Idempotency-Key": "r"})
    assert replayed.json["secret"] is None

    third = api.post(f"{hook}/rotate-secret").json
    assert signers(third["secret"], second["secret"]) == [True, True]

    last = api.post(f"{hook}/rotate-secret", {"keep_previous_seconds": 0}).json
    assert len(last["secrets"]) == 1
    assert signers(last["secret"]) == [True]
    shown = api.get(HOOKS).get_data(as_text=True) + api.get("/v1/admin/audit?limit=200").get_data(as_text=True)
    assert not any(secret["secret"] in shown for secret in (made, second, third, last))


def test_a_ping_tells_what_the_receiver_says(api: Api, receiver: Receiver):
    made = make(api, receiver.url)
    hook = f"{HOOKS}/{made['webhook_id']}"

    assert api.post(f"{hook}/ping").json == {"delivered": True, "status": 204, "error": None, "milliseconds": ANY}
    sent = receiver.received[0]
    body = Webhook(made["secret"]).verify(sent.body, sent.headers)
    assert (body["type"], body["sequence"], body["event_id"]) == ("webhook.ping", None, sent.headers["webhook-id"])
    assert sent.headers["user-agent"] == "loyalty-webhooks/1"

    receiver.answer = lambda _received: 404
    answer = api.post(f"{hook}/ping").json
    assert (answer["delivered"], answer["status"], answer["error"]) == (False, 404, "The receiver answered 404.")


def test_a_ping_to_nobody_says_so(api: Api):
    with receiving() as gone:
        made = make(api, gone.url)

    answer = api.post(f"{HOOKS}/{made['webhook_id']}/ping").json

    assert (answer["delivered"], answer["status"]) == (False, None)
    assert answer["error"] == "No connection came about."


def test_what_is_paused_waits_and_goes_on(api: Api, receiver: Receiver):
    made = make(api, receiver.url, "reward.*")
    hook = f"{HOOKS}/{made['webhook_id']}"
    paused = api.post(f"{hook}/pause").json
    assert (paused["status"], paused["paused_reason"]) == ("paused", "asked")
    assert api.post(f"{hook}/pause").json == paused
    arrive(api, made, 2)
    assert receiver.received == []

    assert api.post(f"{hook}/resume").json["status"] == "active"
    arrive(api, made, 1)

    assert receiver.numbers() == [1, 2, 3]
    assert [f["type"] for f in api.get("/v1/events?limit=200").json["data"] if f["type"].startswith("webhook")] == [
        "webhook.paused", "webhook.resumed",
    ]  # fmt: skip


def test_what_arrived_is_sent_again_under_the_same_numbers_and_ids(api: Api, receiver: Receiver):
    made = make(api, receiver.url)
    hook = f"{HOOKS}/{made['webhook_id']}"
    arrive(api, made, 5)
    first = [received.headers["webhook-id"] for received in receiver.received]

    assert api.post(f"{hook}/replay", {"from": 2, "to": 3}).json == {"from": 2, "to": 3, "replayed": 2}
    assert api.get(hook).json["waiting"] == 2
    arrive(api, made, 1)

    assert receiver.numbers() == [1, 2, 3, 4, 5, 2, 3, 6]
    assert [received.headers["webhook-id"] for received in receiver.received][5:7] == first[1:3]
    assert api.post(f"{hook}/replay", {"from": 5}).json == {"from": 5, "to": 6, "replayed": 2}


def test_what_cannot_be_sent_again_is_refused(api: Api, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    made = make(api, receiver.url)
    hook = f"{HOOKS}/{made['webhook_id']}"
    arrive(api, made, 4)
    with api.app.app_context(), transaction() as session:
        session.run("DELETE FROM webhook_deliveries WHERE webhook_id = %s AND sequence < 3", (made["webhook_id"],))

    forgotten = api.post(f"{hook}/replay", {"from": 1})
    assert (forgotten.status_code, forgotten.json["code"], forgotten.json["oldest"]) == (409, "replay-forgotten", 3)
    assert "GET /v1/events" in forgotten.json["detail"]
    unknown = api.post(f"{hook}/replay", {"from": 3, "to": 9})
    assert (unknown.status_code, unknown.json["code"], unknown.json["last"]) == (422, "replay-unknown", 4)
    assert api.post(f"{hook}/replay", {"from": 3, "to": 2}).status_code == 422
    monkeypatch.setattr("loyalty.webhooks.replaying.REPLAY_MOST", 1)
    assert api.post(f"{hook}/replay", {"from": 3}).json["code"] == "replay-too-long"


def test_the_log_of_deliveries_is_read_page_by_page_and_by_status(api: Api, receiver: Receiver):
    made = make(api, receiver.url)
    log = f"{HOOKS}/{made['webhook_id']}/deliveries"
    receiver.answer = lambda received: 200 if received.json["sequence"] < 3 else 500
    arrive(api, made, 4)

    everything = api.get(log).json["data"]

    assert [(d["sequence"], d["status"], d["attempts"]) for d in everything] == [
        (4, "waiting", 0), (3, "waiting", 1), (2, "delivered", 1), (1, "delivered", 1),
    ]  # fmt: skip
    assert everything[1]["last_error"] == "The receiver answered 500."
    assert everything[2]["last_status"] == 200
    assert [d["sequence"] for d in api.get(f"{log}?status=waiting").json["data"]] == [4, 3]
    page = api.get(f"{log}?status=delivered&limit=1").json
    assert [d["sequence"] for d in api.get(f"{log}?status=delivered&after={page['next']}").json["data"]] == [1]
    assert api.get(f"{log}?status=lost").status_code == 422


def test_webhooks_of_another_program_are_not_there(api: Api):
    hook = f"{HOOKS}/{make(api, 'https://shop.example/hook')['webhook_id']}"
    with api.app.app_context(), transaction() as session:
        program = a_program(session)
        stranger = Api(api.app, program, a_key(session, program))
        reader = api.as_key(a_key(session, api.program, "reports"))

    assert stranger.get(HOOKS).json["data"] == []
    assert {stranger.get(hook).status_code, stranger.post(f"{hook}/pause").status_code} == {404}
    assert reader.get(HOOKS).status_code == 403


def test_a_type_that_nothing_is_ever_told_as_is_refused_by_name(api: Api):
    made = make(api, "https://shop.example/hook", "points.*", "order.recorded")
    refused = api.post(
        HOOKS, {"url": "https://shop.example/hook", "types": ["points.*", "order.recoded", "umbrella.*"]}
    )
    changed = api.patch(f"{HOOKS}/{made['webhook_id']}", {"types": ["tier.chnaged"]}, headers={"If-Match": '"1"'})

    assert (refused.status_code, refused.json["code"]) == (422, "fact-types-unknown")
    assert refused.json["errors"] == [
        {"pointer": "/types/1", "detail": "No fact has the type 'order.recoded'. Did you mean 'order.recorded'?"},
        {"pointer": "/types/2", "detail": "No fact has the type 'umbrella.*'."},
    ]
    assert changed.json["errors"][0]["detail"].endswith("Did you mean 'tier.changed'?")
    assert api.get(f"{HOOKS}/{made['webhook_id']}").json["types"] == ["points.*", "order.recorded"]
