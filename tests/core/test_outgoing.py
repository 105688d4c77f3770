"""Speaking to strangers: never to one's own network, never for long, and never more than is asked for."""

import ipaddress
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from loyalty.core.outgoing import Client, UnreachableError, is_open, refusal_of
from tests.webhooks.receiver import LOOPBACK, Receiver, receiving

OPEN = ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
CLOSED = [
    *("0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    "255.255.255.255",
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1", "fec0::1"),
    *("fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1"),
    *("2001::1", "2001:20::1", "2001:db8::1", "100::1", "3fff::1", "5f00::1"),
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def posted(receiver: Receiver, client: Client | None = None, **headers: str) -> Any:
    sender = client or Client(LOOPBACK)
    try:
        return sender.post(receiver.url, b"{}", headers)
    finally:
        sender.close()


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A resolver that says one thing after the other, and the last for ever; answers what it was asked."""
    asked: list[str] = []

    def resolve(host: str, port: int, *_args: Any, **_kwargs: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(kinds[ipaddress.ip_address(a).version], socket.SOCK_STREAM, 6, "", (a, port)) for a in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_spoken_to(address: str):
    assert is_open(ipaddress.ip_address(address), ())


@pytest.mark.parametrize("address", CLOSED)
def test_addresses_with_a_special_purpose_are_not(address: str):
    parsed = ipaddress.ip_address(address)
    written = f"[{address}]" if parsed.version == 6 else address

    assert not is_open(parsed, ())
    assert refusal_of(f"https://{written}/hook", ()) is not None
    assert (
        refusal_of(f"https://{written}:8443/hook", LOOPBACK) is not None
        or parsed in LOOPBACK[0]
        or (parsed.version == 6 and parsed.ipv4_mapped in LOOPBACK[0])
    )


@pytest.mark.parametrize("address", CLOSED)
def test_a_name_that_leads_there_is_not_connected_to(address: str, monkeypatch: pytest.MonkeyPatch):
    resolving(monkeypatch, [address])
    monkeypatch.setattr(socket.socket, "connect", lambda *_args: pytest.fail("it was connected to"))

    with pytest.raises(UnreachableError, match="not allowed"):
        Client().post("https://rebinding.example/", b"{}", {})


def test_a_name_that_leads_there_with_one_of_its_addresses_neither(monkeypatch: pytest.MonkeyPatch):
    resolving(monkeypatch, ["93.184.215.14", "127.0.0.1"])
    monkeypatch.setattr(socket.socket, "connect", lambda *_args: pytest.fail("it was connected to"))

    with pytest.raises(UnreachableError, match="not allowed"):
        Client().post("https://half.example/", b"{}", {})


def test_what_is_judged_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch):
    asked = resolving(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    connected: list[Any] = []

    def connect(_socket: socket.socket, address: Any) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)

    with pytest.raises(UnreachableError, match="No connection came about"):
        Client().post("https://rebinding.example/", b"{}", {})
    with pytest.raises(UnreachableError, match="not allowed"):
        Client().post("https://rebinding.example/", b"{}", {})

    assert connected == ["93.184.215.14"]
    assert asked == ["rebinding.example"] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/", "ftp://shop.example/", "https://", "https:///hook", "shop.example", "",
        "https://me:secret@shop.example/", "https://me@shop.example/", "https://shop.example/#there",
        "https://shop.example:22/", "https://shop.example:25/", "https://shop.example:0/", "https://shop.example:99999/",
        "https://shop.example\\@10.0.0.1/", "https://shop.example /", "https://127.1/", "https://2130706433/",
        "https://0x7f000001/", "https://0177.0.0.1/", "https://[::ffff:7f00:1]/", "https://[fe80::1%25eth0]/",
        "https://[::1", "https://shop.example/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_urls_that_lead_nowhere_good_are_refused(url: str):
    assert refusal_of(url, ()) is not None
    with pytest.raises(UnreachableError):
        Client().post(url, b"{}", {})


@pytest.mark.parametrize("url", ["https://shop.example/hook?a=1", "https://shop.example:8443/", "https://8.8.8.8/"])
def test_others_are_not(url: str):
    assert refusal_of(url, ()) is None


def test_without_tls_only_networks_that_are_open_on_purpose_are_spoken_to(monkeypatch: pytest.MonkeyPatch):
    assert refusal_of("http://127.0.0.1:8080/", LOOPBACK) is None
    assert refusal_of("http://8.8.8.8/", LOOPBACK) is not None
    resolving(monkeypatch, ["8.8.8.8"])

    with pytest.raises(UnreachableError, match="not allowed"):
        Client(LOOPBACK).post("http://public.example/", b"{}", {})


def test_an_open_network_opens_no_other():
    assert not is_open(ipaddress.ip_address("10.0.0.1"), LOOPBACK)
    assert is_open(ipaddress.ip_address("127.0.0.1"), LOOPBACK)
    assert is_open(ipaddress.ip_address("::ffff:127.0.0.1"), LOOPBACK)


def test_what_is_sent_arrives_and_the_status_comes_back(receiver: Receiver):
    receiver.answer = lambda _received: (503, {"Retry-After": "7"})

    answer = posted(receiver, x="y")

    assert (answer.status, answer.retry_after_seconds) == (503, 7)
    assert receiver.received[0].body == b"{}"
    assert receiver.received[0].headers["x"] == "y"


def test_a_connection_is_used_again(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    opened: list[Any] = []
    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda s, a: (opened.append(a), connect(s, a))[1])
    client = Client(LOOPBACK)
    receiver.answer = lambda _received: 200

    for _ in range(3):
        client.post(receiver.url, b"{}", {})
    client.close()

    assert len(opened) == 1


def test_proxies_and_passwords_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert posted(receiver).status == 204
    assert "authorization" not in receiver.received[0].headers


def test_redirects_are_answers_like_any_other(receiver: Receiver):
    receiver.answer = lambda _received: (302, {"Location": "http://169.254.169.254/", "Set-Cookie": "a=b"})
    client = Client(LOOPBACK)

    assert [client.post(receiver.url, b"{}", {}).status for _ in range(2)] == [302, 302]
    client.close()
    assert len(receiver.received) == 2
    assert "cookie" not in receiver.received[1].headers


def test_nobody_there_is_told_in_a_sentence():
    with receiving() as gone:
        pass
    with pytest.raises(UnreachableError, match="No connection came about"):
        posted(gone)


def test_a_name_without_an_address_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    def resolve(*_args: Any, **_kwargs: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(UnreachableError, match="has no address"):
        Client().post("https://nowhere.example/", b"{}", {})


def test_a_certificate_that_is_none_is_told_in_a_sentence(receiver: Receiver):
    with pytest.raises(UnreachableError, match="TLS"):
        Client(LOOPBACK).post(receiver.url.replace("http:", "https:"), b"{}", {})


def test_whoever_hangs_up_is_told_of(receiver: Receiver):
    receiver.misbehave = lambda _handler: True
    with pytest.raises(UnreachableError, match="broke off"):
        posted(receiver)


def dripping(what: bytes, *, before: bytes = b"") -> Any:
    """Send a byte now and then, for ever."""

    def misbehave(handler: Any) -> bool:
        handler.wfile.write(before)
        while True:
            handler.wfile.write(what)
            handler.wfile.flush()
            time.sleep(0.02)

    return misbehave


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["the status", "a header"])
def test_an_answer_that_drips_is_given_up_in_time(receiver: Receiver, before: bytes):
    receiver.misbehave = dripping(b"1", before=before)
    began = time.monotonic()

    with pytest.raises(UnreachableError, match=r"within 0\.5 seconds"):
        posted(receiver, Client(LOOPBACK, seconds=0.5))

    assert time.monotonic() - began < 3


def test_a_silent_one_is_given_up_in_time(receiver: Receiver):
    receiver.misbehave = lambda _handler: time.sleep(2) is None

    with pytest.raises(UnreachableError, match=r"within 0\.3 seconds"):
        posted(receiver, Client(LOOPBACK, seconds=0.3))


@pytest.mark.parametrize("head", [b"Content-Length: 99999999999", b"X-No-Length: 1"], ids=["long", "endless"])
def test_of_a_body_without_end_no_more_is_read_than_a_little(receiver: Receiver, head: bytes):
    sent = []

    def misbehave(handler: Any) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        while sum(sent) < 100_000_000:
            handler.wfile.write(b"x" * 65_536)
            sent.append(65_536)
        return True

    receiver.misbehave = misbehave

    assert posted(receiver, Client(LOOPBACK, seconds=5)).status == 200
    time.sleep(0.1)
    assert sum(sent) < 50_000_000


def test_a_body_that_drips_does_not_undo_the_status(receiver: Receiver):
    receiver.misbehave = dripping(b"x", before=b"HTTP/1.1 200 OK\r\n\r\n")
    began = time.monotonic()

    assert posted(receiver, Client(LOOPBACK, seconds=0.5)).status == 200
    assert time.monotonic() - began < 3
