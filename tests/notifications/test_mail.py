"""Mail through a real server: what arrives, and what is said when it does not."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.core.errors import OperatorError
from loyalty.notifications.carriers.carrier import Down, Missed, Parcel, Refused
from loyalty.notifications.carriers.mail import MailServer, server_from
from loyalty.templates.templating import Rendered
from tests.notifications.mailbox import Mailbox, Server

WORDS = Rendered("Masz 5 punktów", "Cześć Zażółć!\n\nMasz 5 punktów.", "<p>Cześć Zażółć!</p>")
ADDRESS = "ada@shop.example"


def a_parcel(**given: Any) -> Parcel:
    usual: dict[str, Any] = {
        "message_id": "m-1", "kind": "points_earned", "language": "pl", "email": ADDRESS, "phone": None,
        "words": WORDS, "sent_at": datetime(2026, 3, 11, 10, tzinfo=UTC), "sender": "Sklep <klub@shop.example>",
        "unsubscribe_url": "https://shop.example/v1/unsubscribe/token",
    }  # fmt: skip
    return Parcel(**{**usual, **given})


def test_a_letter_has_text_and_html_and_a_way_out():
    mailbox = Mailbox()
    with Server(mailbox) as server, server.line() as send:
        send(a_parcel(reply_to="help@shop.example"))

    (letter,) = mailbox.letters
    assert letter["Subject"] == "Masz 5 punktów"
    assert letter["To"] == ADDRESS
    assert letter["From"] == "Sklep <klub@shop.example>"
    assert letter["Reply-To"] == "help@shop.example"
    assert letter["Message-ID"] == "<m-1@shop.example>"
    assert letter["Date"].datetime == datetime(2026, 3, 11, 10, tzinfo=UTC)
    assert letter["List-Unsubscribe"] == "<https://shop.example/v1/unsubscribe/token>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Content-Language"] == "pl"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content_type() == "multipart/alternative"
    text, html = letter.iter_parts()
    assert text.get_content().split() == WORDS.text.split()
    assert html.get_content().strip() == WORDS.html


def test_what_programs_read_stands_in_the_letter_as_it_is():
    link = f"https://club.shop.example/v1/unsubscribe/{'x' * 60}.{'y' * 60}.email.points_earned"
    mailbox = Mailbox()
    with Server(mailbox) as server, server.line() as send:
        send(a_parcel(unsubscribe_url=link, message_id="m" * 70))

    (raw,) = mailbox.raw
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in raw
    assert f"\r\nMessage-ID: <{'m' * 70}@shop.example>\r\n".encode() in raw
    assert max(map(len, raw.split(b"\r\n"))) < 998


def test_without_a_public_address_there_is_no_link():
    mailbox = Mailbox()
    with Server(mailbox) as server, server.line() as send:
        send(a_parcel(unsubscribe_url=None))

    assert mailbox.letters[0]["List-Unsubscribe"] is None
    assert mailbox.letters[0]["List-Unsubscribe-Post"] is None


def test_many_letters_go_over_one_connection():
    mailbox = Mailbox()
    with Server(mailbox) as server, server.line() as send:
        for number in range(5):
            send(a_parcel(message_id=f"m-{number}"))

    assert [letter["Message-ID"] for letter in mailbox.letters] == [f"<m-{n}@shop.example>" for n in range(5)]
    assert mailbox.connections == 1


@pytest.mark.parametrize(
    ("command", "line", "outcome"),
    [
        ("RCPT", "550 5.1.1 no such user ada@shop.example", Refused),
        ("RCPT", "450 4.2.0 greylisted", Missed),
        ("RCPT", "421 4.3.2 going away", Down),
        ("DATA", "554 5.7.1 looks like spam", Refused),
        ("DATA", "452 4.3.1 disk full", Missed),
        ("MAIL", "550 5.7.1 not your domain", Down),
        ("MAIL", "530 5.7.0 authenticate first", Down),
    ],
)
def test_a_refusal_is_for_good_or_for_now_or_of_everything(command: str, line: str, outcome: type[Exception]):
    first = [True]

    def once(said: str, about: str) -> str | None:
        return line if said == command and first and first.pop() else None

    mailbox = Mailbox(refuses=once)
    with Server(mailbox) as server, server.line() as send:
        with pytest.raises(outcome) as refused:
            send(a_parcel())
        send(a_parcel(message_id="m-2"))

    assert [letter["Message-ID"] for letter in mailbox.letters] == ["<m-2@shop.example>"]
    assert ADDRESS not in str(refused.value)
    assert line[:3] in str(refused.value)


@pytest.mark.parametrize(
    "address", ["", "nobody", "a b@c", "ada@shop.example, eve@evil.example", "ada@shop.example\nBcc: x@y"]
)
def test_what_is_no_address_is_sent_nowhere(address: str):
    mailbox = Mailbox()
    with Server(mailbox) as server, server.line() as send, pytest.raises(Refused):
        send(a_parcel(email=address))

    assert mailbox.letters == []


def test_nobody_there_is_no_fault_of_the_letter():
    with Server(Mailbox()) as server:
        pass
    with server.line() as send, pytest.raises(Down, match="ConnectionRefused"):
        send(a_parcel())


def test_a_server_that_hangs_up_is_called_again():
    mailbox = Mailbox(hang_up_after=1)
    with Server(mailbox) as server, server.line() as send:
        with pytest.raises(Missed):
            send(a_parcel())
        send(a_parcel())

    # It had it all along: whoever sends again cannot know.
    assert mailbox.arrived == {"<m-1@shop.example>": 2}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_is_used_and_shown_nowhere(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    mailbox = Mailbox()
    with Server(mailbox, password="s3cret") as server:
        known = server_from(f"smtp://club:s3cret@127.0.0.1:{server.port}")
        with known.line() as send:
            send(a_parcel())
        wrong = server_from(f"smtp://club:gu3ss@127.0.0.1:{server.port}")
        with wrong.line() as send, pytest.raises(Down) as refused:
            send(a_parcel())

    assert len(mailbox.letters) == 1
    assert "s3cret" not in f"{known!r} {refused.value} {caplog.text}"
    assert "gu3ss" not in f"{wrong!r} {refused.value} {caplog.text}"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer("smtp", "mail.example", 25)),
        ("smtps://u:p%40ss@mail.example", MailServer("smtps", "mail.example", 465, "u", "p@ss")),
        ("smtp+starttls://u:p@mail.example:2525", MailServer("smtp+starttls", "mail.example", 2525, "u", "p")),
    ],
)
def test_a_server_is_named_by_a_url(url: str, server: MailServer):
    assert server_from(url) == server


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://", "smtp://mail.example:0", "smtp://u:hush@h:99999999"]
)
def test_what_is_no_such_url_is_refused_without_repeating_it(url: str):
    with pytest.raises(OperatorError, match="LOYALTY_SMTP_URL") as refused:
        server_from(url)

    assert "hush" not in str(refused.value)
