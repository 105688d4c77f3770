"""What became of every message: by member, by program, in numbers; and what failed is put back."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import Session, transaction
from loyalty.notifications import listing
from loyalty.notifications.domain import REASONS
from tests.api import Api
from tests.builders import NOW, a_key, a_member, a_program
from tests.clocks import it_is
from tests.notifications.written import a_message, write_message
from tests.rights import as_owner
from tests.shop import A_DAY, at, merge, pointers, refused, replayed

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "/v1/admin/messages"
FAILED = {"status": "failed", "channel": "email", "reason": "gave_up", "attempts": 12, "last_error": "refused"}


def ids(answer: Any) -> list[str]:
    """The messages of a page."""
    assert answer.status_code == 200, answer.json
    return [message["message_id"] for message in answer.json["data"]]


def test_every_message_to_a_member_is_told_with_what_became_of_it(api: Api):
    api.enrol()
    api.enrol("c-43")
    theirs = a_message(api, "c-43")
    sent = a_message(api)
    kept = a_message(api, kind="new_reward", channel="email", status="suppressed", reason="no_consent")
    digested = a_message(api, channel="email", status="digested", digest_id=uuid4())
    waits = a_message(api, channel="apprise", status="queued")
    merge(api, "c-43", "c-42")

    found = api.get("/v1/members/c-42/messages")

    assert ids(found) == [waits, digested, kept, sent, theirs]
    told = found.json["data"][2]
    assert (told["kind"], told["category"], told["reason"]) == ("new_reward", "marketing", "no_consent")
    assert (told["why"], told["due_at"], told["sent_at"]) == (REASONS["no_consent"], at(NOW), None)
    assert [m["customer_id"] for m in found.json["data"]] == ["c-42"] * 4 + ["c-43"]
    assert found.json["data"][1]["digest_id"] is not None


def test_messages_to_a_member_are_filtered_and_read_page_by_page(api: Api):
    api.enrol()
    sent = a_message(api, channel="email")
    failed = a_message(api, **FAILED)
    a_message(api)

    assert ids(api.get("/v1/members/c-42/messages?channel=email")) == [failed, sent]
    assert ids(api.get("/v1/members/c-42/messages?channel=email&status=sent")) == [sent]
    first = api.get("/v1/members/c-42/messages?channel=email&limit=1")
    assert ids(api.get(f"/v1/members/c-42/messages?channel=email&after={first.json['next']}")) == [sent]
    assert pointers(api.get("/v1/members/c-42/messages?channel=fax")) == ["channel"]
    assert refused(api.get("/v1/members/c-7/messages")) == (404, "member-not-found")


def test_what_failed_in_a_program_is_listed_unless_another_status_is_named(api: Api):
    api.enrol()
    first, second = a_message(api, **FAILED), a_message(api, **FAILED, kind="tier_up")
    a_message(api)
    kept = a_message(api, status="suppressed", reason="kind_refused")
    waits = a_message(api, status="queued")

    found = api.get(ADDRESS)
    assert ids(found) == [second, first]
    assert (found.json["data"][0]["why"], found.json["data"][0]["attempts"]) == (REASONS["gave_up"], 12)
    assert ids(api.get(f"{ADDRESS}?status=suppressed")) == [kept]
    assert ids(api.get(f"{ADDRESS}?status=queued")) == [waits]
    assert ids(api.get(f"{ADDRESS}?kind=tier_up&channel=email")) == [second]
    assert ids(api.get(f"{ADDRESS}?channel=apprise")) == []
    assert pointers(api.get(f"{ADDRESS}?status=sent")) == ["status"]


def every_page(api: Api, query: str) -> tuple[list[str], int]:
    """All messages of a list, and on how many pages they stand."""
    found, pages, after = [], 0, ""
    while True:
        answer = api.get(f"{ADDRESS}?{query}{after}")
        found, pages = found + ids(answer), pages + 1
        if answer.json["next"] is None:
            return found, pages
        after = f"&after={answer.json['next']}"


def test_a_list_is_whole_page_by_page_whatever_it_is_filtered_by(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol()
    rare = a_message(api, **FAILED, kind="tier_up")
    written = [rare, *(a_message(api, **FAILED) for _ in range(6))]
    assert every_page(api, "limit=3") == (written[::-1], 3)

    # Nobody looks further than this for one page: it may be empty, and the next one goes on.
    monkeypatch.setattr(listing, "LOOKED_AT_MAX", 2)

    assert every_page(api, "kind=tier_up&limit=3") == ([rare], 4)
    assert every_page(api, "channel=email&limit=3")[0] == written[::-1]


def test_what_failed_alike_is_put_back_once(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol()
    failed = [a_message(api, **FAILED) for _ in range(3)]
    other = a_message(api, **{**FAILED, "reason": "address_refused"})
    wish, key = {"channel": "email", "reason": "gave_up"}, {"Idempotency-Key": "again-1"}
    it_is(monkeypatch, NOW + A_DAY)

    first = api.post(f"{ADDRESS}/requeue", wish, headers=key)
    again = api.post(f"{ADDRESS}/requeue", wish, headers=key)

    assert first.json == {"requeued": 3, "more": False}
    assert (again.json, replayed(again)) == (first.json, True)
    assert ids(api.get(ADDRESS)) == [other]
    waiting = api.get(f"{ADDRESS}?status=queued").json["data"]
    assert [m["message_id"] for m in waiting] == failed[::-1]
    assert {(m["attempts"], m["due_at"], m["reason"], m["last_error"]) for m in waiting} == {
        (0, at(NOW + A_DAY), None, None)
    }
    told = api.get("/v1/admin/audit").json["data"][0]
    assert (told["action"], told["after"]) == ("messages.requeued", {**wish, "requeued": 3})


def test_more_than_can_be_put_back_at_once_is_put_back_in_turns(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol()
    failed = [a_message(api, **FAILED) for _ in range(3)]
    monkeypatch.setattr(listing, "REQUEUED_MAX", 2)
    wish = {"channel": "email", "reason": "gave_up"}

    assert api.post(f"{ADDRESS}/requeue", wish).json == {"requeued": 2, "more": True}
    assert ids(api.get(ADDRESS)) == [failed[2]]
    assert api.post(f"{ADDRESS}/requeue", wish).json == {"requeued": 1, "more": False}


def test_only_what_failed_here_is_put_back(api: Api):
    api.enrol()
    failed, kept = a_message(api, **FAILED), a_message(api, status="suppressed", reason="no_consent", channel="email")
    with api.app.app_context(), transaction() as session:
        program = a_program(session)
        stranger = Api(api.app, program, a_key(session, program))
    wish = {"message_ids": [failed, kept, str(uuid4())]}

    assert stranger.post(f"{ADDRESS}/requeue", wish).json == {"requeued": 0, "more": False}
    assert api.post(f"{ADDRESS}/requeue", wish).json == {"requeued": 1, "more": False}
    assert ids(api.get(f"{ADDRESS}?status=queued")) == [failed]
    assert ids(api.get(f"{ADDRESS}?status=suppressed")) == [kept]


def test_what_is_put_back_is_named_one_way(api: Api):
    for wish in ({}, {"channel": "email"}, {"channel": "email", "reason": "gave_up", "message_ids": [str(uuid4())]}):
        assert pointers(api.post(f"{ADDRESS}/requeue", wish)) == ["/"]
    assert pointers(api.post(f"{ADDRESS}/requeue", {"message_ids": []})) == ["/message_ids"]
    assert pointers(api.post(f"{ADDRESS}/requeue", {"channel": "email", "reason": "x"})) == ["/reason"]


def test_the_last_days_in_numbers(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol()
    it_is(monkeypatch, NOW + A_DAY)
    a_message(api, at=NOW - 30 * A_DAY)
    for _ in range(2):
        a_message(api)
    a_message(api, **FAILED)

    found = api.get(f"{ADDRESS}/summary?days=7")

    common = {"kind": "points_earned"}
    assert found.json["data"] == [
        {**common, "channel": "email", "status": "failed", "reason": "gave_up", "messages": 1},
        {**common, "channel": "inbox", "status": "sent", "reason": None, "messages": 2},
    ]
    assert (found.json["since"], found.json["incomplete"]) == (at(NOW - 6 * A_DAY), [])
    assert sum(row["messages"] for row in api.get(f"{ADDRESS}/summary?days=60").json["data"]) == 4

    monkeypatch.setattr(listing, "COUNTED_MAX", 2)
    assert api.get(f"{ADDRESS}/summary?days=60").json["incomplete"] == ["sent"]
    assert pointers(api.get(f"{ADDRESS}/summary?days=0")) == ["days"]


def test_the_table_of_reasons_is_complete():
    told = (ROOT / "docs/concepts.md").read_text().partition("## Messages")[2].partition("## ")[0]

    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", told, re.MULTILINE)) == REASONS


# Messages of one program among those of many members; one in a thousand failed.
MANY = """
INSERT INTO messages (member_id, message_id, program_id, kind, channel, key, marketing, data, status, reason,
    occurred_at, created_at, due_at, sent_at, attempts)
SELECT gen_random_uuid(), gen_random_uuid(), %(program)s, 'points_earned', 'email', n::text, false, '{}',
    CASE WHEN n %% 1000 = 0 THEN 'failed' ELSE 'sent' END, CASE WHEN n %% 1000 = 0 THEN 'gave_up' END, %(now)s, %(now)s,
    %(now)s, CASE WHEN n %% 1000 > 0 THEN %(now)s::timestamptz END, 1
FROM generate_series(1, 12000) n
"""


@pytest.mark.parametrize("statement", ["_OF_PROGRAM", "_OF_MEMBER"])
def test_a_page_costs_the_same_among_many_messages(session: Session, statement: str):
    program = a_program(session)
    member = a_member(session, program)
    for _ in range(60):
        write_message(session, program.program_id, member.member_id)
    as_owner(session)
    session.run(MANY, {"program": program.program_id, "now": NOW})
    session.run("ANALYZE messages")
    where = {
        "program_id": program.program_id, "member_id": member.member_id, "kind": None, "channel": None, "limit": 11,
        "looked_at": 11, "before": 2**63 - 1, "status": "failed" if statement == "_OF_PROGRAM" else "sent",
    }  # fmt: skip

    (told,) = session.rows(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {getattr(listing, statement)}", where, into=scalar_row
    )

    assert told[0]["Plan"]["Shared Hit Blocks"] + told[0]["Plan"]["Shared Read Blocks"] < 150, told
