"""Delivering what is due: everything sent or not sent for a reason, once, in order, in the words of who reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from psycopg.rows import dict_row

from loyalty.core import clock
from loyalty.db.session import transaction
from loyalty.members import queries as members
from loyalty.notifications import metrics
from loyalty.notifications.carriers.carrier import Down, Line, Missed, Parcel, Refused
from loyalty.notifications.delivering import deliver
from loyalty.notifications.domain import Caps, Digest
from loyalty.notifications.recording import BACK_OFF
from loyalty.programs.domain import Program
from tests.api import Api
from tests.notifications.mailbox import Mailbox, Server
from tests.notifications.queued import (
    AT_ONCE,
    a_customer,
    a_shop,
    changed,
    make_due,
    outcomes,
    queue,
    rows,
    wanted,
)

PUBLIC_URL = "https://club.shop.example"


class Hand:
    """A carrier that keeps what it carries, and fails as it is told."""

    def __init__(self, *fails: Exception | None) -> None:
        self.parcels: list[Parcel] = []
        self.fails = list(fails)

    @contextmanager
    def line(self) -> Iterator[Line]:
        def send(parcel: Parcel) -> None:
            if self.fails and (failure := self.fails.pop(0)):
                raise failure
            self.parcels.append(parcel)

        yield send

    @property
    def subjects(self) -> list[str]:
        return [parcel.words.subject for parcel in self.parcels]


@pytest.fixture
def shop(committed_db: Flask) -> Program:
    """A program that has something to send; all others have nothing, whatever tests before have left."""
    with transaction() as session:
        session.run("UPDATE messages SET due_at = 'infinity' WHERE status = 'queued'")
        return a_shop(session, name="Corner Shop")


def customer(shop: Program, **profile: Any) -> UUID:
    with transaction() as session:
        return a_customer(session, shop, **profile)


def by_hand(*fails: Exception | None) -> Hand:
    """Deliver all mail by hand."""
    hand = Hand(*fails)
    deliver("email", hand, public_url=PUBLIC_URL)
    return hand


def facts(shop: Program, *types: str) -> list[dict[str, Any]]:
    told = "SELECT type, customer_id, data FROM events WHERE program_id = %s AND type = ANY(%s) ORDER BY xid, seq"
    with transaction() as session:
        return session.rows(told, (shop.program_id, list(types)), into=dict_row)


def test_mail_arrives_in_the_language_of_who_reads_it(shop: Program):
    mailbox = Mailbox()
    for customer_id, locale in (
        ("anna", "en"),
        ("ola", "pl"),
        ("aino", "fi-FI"),
        ("eleni", "el"),
        ("ilze", "lv"),
        ("bela", "hu"),
    ):
        queue(shop, wanted(customer(shop, customer_id=customer_id, locale=locale)))
    with Server(mailbox) as server:
        deliver("email", server, public_url=PUBLIC_URL)

    assert outcomes(shop) == ["sent"] * 6
    read = {
        letter["To"].partition("@")[0]: (letter["Content-Language"], letter["Subject"]) for letter in mailbox.letters
    }
    assert {who: language for who, (language, _) in read.items()} == {
        "anna": "en", "ola": "pl", "aino": "fi", "eleni": "el", "ilze": "lv", "bela": "hu",
    }  # fmt: skip
    assert len({subject for _, subject in read.values()}) == 6
    assert all("5" in subject for _, subject in read.values())
    for letter in mailbox.letters:
        text = letter.get_body(("plain",)).get_content()
        assert "Ada" in text
        assert "{{" not in text
        assert letter["List-Unsubscribe"].startswith(f"<{PUBLIC_URL}/v1/unsubscribe/")
        assert "Club" in letter["From"]


def test_what_was_sent_is_told_without_a_word_of_it(shop: Program):
    queue(shop, wanted(customer(shop, customer_id="c-1")))
    by_hand()

    (row,) = rows(shop)
    assert (row["status"], row["language"], row["template_version"], row["leased_until"]) == ("sent", "en", 0, None)
    (fact,) = facts(shop, "message.sent")
    assert fact["customer_id"] == "c-1"
    assert fact["data"] == {"message_id": str(row["message_id"]), "kind": "points_earned", "channel": "email"}


def test_nothing_is_sent_twice(shop: Program):
    queue(shop, wanted(customer(shop)))

    assert len(by_hand().parcels) == 1
    assert by_hand().parcels == []


def test_an_inbox_needs_no_carrier(shop: Program):
    queue(shop, wanted(customer(shop, email=None, phone=None)), channel="inbox")
    deliver("inbox", None)

    assert outcomes(shop) == ["sent"]
    assert facts(shop, "message.sent")[0]["data"]["channel"] == "inbox"


def test_the_shop_is_told_what_it_is_to_send_itself(shop: Program):
    queue(shop, wanted(customer(shop, customer_id="c-1", locale="pl")), channel="webhook")
    deliver("webhook", None)

    (asked,) = facts(shop, "message.requested")
    assert asked["data"]["language"] == "pl"
    assert asked["data"]["category"] == "transactional"
    assert asked["data"]["data"]["points"] == 5
    assert outcomes(shop) == ["sent"]


def test_without_a_mail_server_mail_waits(shop: Program):
    queue(shop, wanted(customer(shop)))

    assert deliver("email", None) == 0
    assert outcomes(shop) == ["queued"]
    assert len(by_hand().parcels) == 1


def test_whoever_is_suspended_closed_or_unreachable_gets_nothing_and_it_shows_why(shop: Program):
    suspended, closed, nowhere = customer(shop), customer(shop), customer(shop, email=None)
    queue(shop, wanted(suspended), wanted(closed), wanted(nowhere))
    with transaction() as session:
        for member, status in ((suspended, "suspended"), (closed, "closed")):
            session.run("UPDATE members SET status = %s WHERE member_id = %s", (status, member))

    assert by_hand().parcels == []
    assert outcomes(shop) == ["member_suspended", "member_closed", "no_address"]


def test_a_burst_is_one_mail_and_one_message(shop: Program):
    with transaction() as session:
        burst = a_shop(session, replace(AT_ONCE, digest=Digest(minutes=0, least=3)))
    ada, bob = customer(burst), customer(burst)
    queue(burst, *(wanted(ada) for _ in range(4)), wanted(bob), settings=replace(AT_ONCE, digest=None))
    hand = by_hand()

    assert len(hand.parcels) == 2
    digest = next(
        parcel
        for parcel in hand.parcels
        if parcel.kind == "points_earned" and "5" in parcel.words.text and parcel.words.text.count("A-1") == 4
    )
    assert "digest" not in digest.words.subject
    assert outcomes(burst) == ["digested"] * 4 + ["sent", "sent"]
    made = rows(burst, kind="digest")[0]
    assert {row["digest_id"] for row in rows(burst, status="digested")} == {made["message_id"]}
    assert [fact["data"]["kind"] for fact in facts(burst, "message.sent")].count("digest") == 1


def test_a_cap_counts_what_was_sent_before(shop: Program):
    with transaction() as session:
        capped = a_shop(session, replace(AT_ONCE, caps=Caps(day=2, week=None)))
    ada = customer(capped, consents={"email": True})
    for _ in range(4):
        queue(
            capped, wanted(ada, "offer_assigned", {"assignment_id": "a", "offer": "o", "title": "T", "valid_to": None})
        )
        by_hand()

    assert outcomes(capped) == ["sent", "sent", "frequency_cap", "frequency_cap"]


@pytest.mark.parametrize("attempts", [0, 3])
def test_what_is_missed_is_tried_again_later_each_time(shop: Program, attempts: int):
    queue(shop, wanted(customer(shop)))
    changed(shop, [rows(shop)[0]["message_id"]], attempts=attempts)
    before = clock.real_now()
    assert by_hand(Missed("busy")).parcels == []

    (row,) = rows(shop)
    assert (row["status"], row["attempts"], row["last_error"], row["leased_until"]) == (
        "queued",
        attempts + 1,
        "busy",
        None,
    )
    assert before + BACK_OFF[attempts] <= row["due_at"] <= clock.real_now() + BACK_OFF[attempts]
    assert by_hand().parcels == [], "it is not due yet"
    make_due(shop, BACK_OFF[attempts])
    assert len(by_hand().parcels) == 1


def test_after_days_nobody_tries_any_more(shop: Program):
    assert timedelta(days=2.5) < sum(BACK_OFF, timedelta()) < timedelta(days=4)
    queue(shop, wanted(customer(shop)))
    changed(shop, [rows(shop)[0]["message_id"]], attempts=len(BACK_OFF))
    by_hand(Missed("busy"))

    (row,) = rows(shop)
    assert (row["status"], row["reason"], row["last_error"]) == ("failed", "gave_up", "busy")


def test_what_is_refused_for_good_is_not_tried_again_and_holds_up_nothing(shop: Program):
    ada = customer(shop)
    queue(shop, wanted(ada), wanted(ada))
    hand = by_hand(Refused("no such user"), None)

    assert outcomes(shop) == ["address_refused", "sent"]
    assert len(hand.parcels) == 1


def test_who_could_not_be_reached_gets_the_rest_in_order_later(shop: Program):
    ada, bob = customer(shop), customer(shop)
    asked = [wanted(who) for _ in range(3) for who in (ada, bob)]
    queue(shop, *asked)
    failing = Missed("busy")

    class OnlyBob(Hand):
        @contextmanager
        def line(self) -> Iterator[Line]:
            with super().line() as send:

                def choosy(parcel: Parcel) -> None:
                    if parcel.email == hers:
                        raise failing
                    send(parcel)

                yield choosy

    with transaction() as session:
        session.run("UPDATE members SET email = 'only-ada@shop.example' WHERE member_id = %s", (ada,))
    hers = "only-ada@shop.example"
    deliver("email", OnlyBob())

    states = {member: [(r["status"], r["attempts"]) for r in rows(shop, member_id=member)] for member in (ada, bob)}
    assert states[bob] == [("sent", 0)] * 3
    assert states[ada] == [("queued", 1), ("queued", 0), ("queued", 0)]
    assert by_hand().parcels == []
    make_due(shop, BACK_OFF[0])
    by_hand()
    sent = sorted(rows(shop, member_id=ada), key=lambda row: row["sent_at"])
    assert [row["key"] for row in sent] == [each.key for each in asked if each.member_id == ada]


def test_a_carrier_that_is_down_costs_no_attempt_and_loses_nothing(shop: Program):
    queue(shop, *(wanted(customer(shop)) for _ in range(6)))
    hand = Hand(None, *[Down("nobody there")] * 10)
    deliver("email", hand)

    states = [(row["status"], row["attempts"], row["leased_until"]) for row in rows(shop)]
    assert sorted(states, key=str) == [("queued", 0, None)] * 5 + [("sent", 0, None)]
    assert len(by_hand().parcels) == 5


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_begun(shop: Program):
    queue(shop, *(wanted(customer(shop)) for _ in range(6)))
    hand = Hand()
    deliver("email", hand, stop=lambda: len(hand.parcels) >= 1)

    assert 1 <= len(hand.parcels) < 6
    assert all(row["leased_until"] is None for row in rows(shop))
    assert len(hand.parcels) + len(by_hand().parcels) == 6


def test_a_template_that_cannot_be_rendered_is_replaced_by_the_usual_words(shop: Program):
    broken = """
    INSERT INTO notification_templates (program_id, kind, language, version, subject, text, published_at, published_by,
        withdrawn) VALUES (%s, 'points_earned', 'en', 1, 'Hello {{ nobody.knows }}', 'x', now(), 'test', false)
    """
    with transaction() as session:
        session.run(broken, (shop.program_id,))
    queue(shop, wanted(customer(shop)))
    hand = by_hand()

    assert outcomes(shop) == ["sent"]
    assert "5" in hand.subjects[0]
    assert rows(shop)[0]["template_version"] == 0


def test_points_that_were_used_meanwhile_are_not_warned_of(shop: Program):
    at = clock.real_now() + timedelta(days=7)
    queue(shop, wanted(customer(shop), "points_expiring", {"points": 5, "expires_at": at.isoformat(), "days": 7}))
    by_hand()

    assert outcomes(shop) == ["nothing_expires"]


def test_a_reward_that_was_withdrawn_is_not_praised(shop: Program):
    queue(shop, wanted(customer(shop, consents={"email": True}), "new_reward", {"reward": "gone", "version": 1}))
    by_hand()

    assert outcomes(shop) == ["reward_gone"]


def test_what_is_late_and_what_has_failed_is_measured(shop: Program):
    def measured() -> dict[tuple[str, ...], float]:
        with transaction() as session:
            return {
                (sample.name, *sample.labels.values()): sample.value
                for family in metrics.measures(session) for sample in family.samples
            }  # fmt: skip

    late, before = clock.real_now() - timedelta(hours=2), measured()
    queue(shop, wanted(customer(shop)), now=late, channel="apprise")
    queue(shop, wanted(customer(shop)))
    by_hand(Refused("no such user"))
    after = measured()

    assert after["loyalty_messages_due", "apprise"] == before["loyalty_messages_due", "apprise"] + 1
    assert after["loyalty_message_lag_seconds", "apprise"] >= 2 * 60 * 60
    failed = ("loyalty_messages_failed", "email", "address_refused")
    assert after[failed] == before.get(failed, 0) + 1


def test_a_preview_says_what_the_member_was_last_told(api: Api):
    address = "/v1/admin/notification-templates/points_earned/en/preview"
    api.enrol("c-42", first_name="Grace", email="grace@shop.example")
    asked = {"customer_id": "c-42", "text": "{{ member.first_name }}: {{ points }} ({{ balance.available }})"}
    made_up = api.post(address, asked).json
    assert (made_up["text"].split("\n")[0], made_up["message_id"], made_up["sample"]) == ("Grace: 120 (0)", None, False)

    with api.app.app_context(), transaction() as session:
        member = members.member_id_of(session, api.program.program_id, "c-42")
    with api.app.app_context():
        queue(api.program, wanted(member), channel="inbox")
        (row,) = rows(api.program)
    told = api.post(address, asked).json
    assert (told["text"].split("\n")[0], told["message_id"]) == ("Grace: 5 (0)", str(row["message_id"]))
