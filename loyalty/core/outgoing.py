"""Requests to addresses that callers named: what the service says to strangers, and never to its own network.

An address is judged when the connection to it is opened, on the very number that is then connected to: what a name
resolved to before, or resolves to afterwards, does not matter. There are no redirects, proxies, cookies, credentials
or retries, an answer is read for a bounded time and up to a bounded size, and nothing of it is kept but its status.

`requests-hardened` lists networks that Python takes for public; the rest of it is not used, for it trusts the
environment's proxies, tries one address of a name only, knows no exceptions but loopback, and bounds neither the time
nor the size of an answer.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

# All of a request: the name, the connection, the answer. Resolving a name is bounded by the resolver alone.
SECONDS_MAX = 10.0
CONNECT_SECONDS_MAX = 5.0
BODY_BYTES_MAX = 65_536
URL_LENGTH_MAX = 2_000

# Below these live other protocols.
_PORTS = frozenset({80, 443})
_FIRST_FREE_PORT = 1_024
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")

_here = threading.local()


class AddressRefusedError(Exception):
    """The host leads to an address that is not to be spoken to."""


class UnreachableError(Exception):
    """Nobody answered. The text says why, in a sentence that names no address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, in how many seconds to ask again if the answer said so, and how long it took."""

    status: int
    retry_after_seconds: int | None
    milliseconds: int


def is_open(address: Address, networks: Networks) -> bool:
    """Whether an address may be spoken to: a public one, or one of the networks that were opened on purpose."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if _within(address, networks):
        return True
    closed = (
        address.is_private, address.is_loopback, address.is_link_local, address.is_multicast, address.is_reserved,
        address.is_unspecified, isinstance(address, IPv6Address) and address.is_site_local, not address.is_global,
    )  # fmt: skip
    return not any(closed) and not _within(address, EXTRA_BLOCKED_NET_RANGES)


def _within(address: Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def refusal_of(url: str, networks: Networks) -> str | None:
    """Why nothing is ever sent to this URL, in a sentence; None if it may be, which its address decides then."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "Must be a URL."
    host = parts.hostname
    if len(url) > URL_LENGTH_MAX or _UNFIT.search(url) or not host:
        return "Must be a URL."
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "Must carry neither a user, nor a password, nor a fragment."
    if parts.scheme != "https" and not (parts.scheme == "http" and networks):
        return "Must begin with https://."
    if port is not None and port not in _PORTS and port < _FIRST_FREE_PORT:
        return "Must be on port 443, or on one from 1024 on."
    return _literal_refusal(parts, host, networks)


def _literal_refusal(parts: SplitResult, host: str, networks: Networks) -> str | None:
    address = _literal(host)
    if address is None:
        return None
    if not is_open(address, networks):
        return "Must not be an address of a private network, or one that has a special purpose."
    if parts.scheme == "http" and not _within(address, networks):
        return "Must begin with https://."
    return None


def _literal(host: str) -> Address | None:
    """The address that a host spells out, in any way that the resolver understands (`127.1`, `0x7f000001`)."""
    with suppress(ValueError):
        return ip_address(host.partition("%")[0])
    with suppress(OSError, UnicodeError):
        return IPv4Address(socket.inet_aton(host))
    return None


class _Deadline:
    """The time that one request of this thread has. When it is over, the connection is cut, whatever it waits for."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.over = False
        self._held: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _here.deadline = self
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        _here.deadline = None
        self._let_go()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(self.ends_at - time.monotonic(), 0.001)

    def hold(self, connected: socket.socket) -> None:
        """Cut this one, when the time is over. A duplicate stays good while TLS takes the socket over."""
        self._let_go()
        with self._lock:
            self._held = socket.socket(fileno=os.dup(connected.fileno()))
        if self.over:
            self._cut()

    def _cut(self) -> None:
        self.over = True
        with self._lock, suppress(OSError):
            if self._held is not None:
                self._held.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        with self._lock:
            if self._held is not None:
                self._held.close()
            self._held = None


class _Guarded(HTTPConnection):
    """A connection that is opened to no address but those that are open."""

    networks: Networks = ()
    plain = True

    def _new_conn(self) -> socket.socket:
        deadline: _Deadline = _here.deadline
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        for *_, address in found:
            judged = ip_address(str(address[0]).partition("%")[0])
            if not is_open(judged, self.networks) or (self.plain and not _within(judged, self.networks)):
                raise AddressRefusedError
        until = time.monotonic() + min(CONNECT_SECONDS_MAX, deadline.left)
        for family, kind, protocol, _, address in found:
            connecting = socket.socket(family, kind, protocol)
            try:
                connecting.settimeout(max(until - time.monotonic(), 0.001))
                connecting.connect(address)
            except OSError:
                connecting.close()
                continue
            deadline.hold(connecting)
            connecting.settimeout(deadline.left)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connecting
        raise NewConnectionError(self, "no address answered")

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request; on a connection that is open already, the deadline is that of this one."""
        if self.sock is not None:
            _here.deadline.hold(self.sock)
        super().request(*args, **kwargs)


class _Adapter(HTTPAdapter):
    """Sends over guarded connections. Below a session there are no cookies, redirects, proxies or credentials."""

    def __init__(self, networks: Networks, connections: int) -> None:
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)
        plain = type("_Plain", (_Guarded,), {"networks": networks})
        secure = type("_Secure", (_Guarded, HTTPSConnection), {"networks": networks, "plain": False})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }


class Client:
    """Sends to strangers. Any number of threads may use one; connections are kept for the next request."""

    def __init__(self, networks: Networks = (), *, connections: int = 8, seconds: float = SECONDS_MAX) -> None:
        self.networks = networks
        self._seconds = seconds
        self._adapter = _Adapter(networks, connections)

    def close(self) -> None:
        """Close the connections that were kept."""
        self._adapter.close()

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a body; what the answer is, whatever its status. Raises UnreachableError when there is none."""
        refused = refusal_of(url, self.networks)
        if refused is not None:
            raise UnreachableError("The URL is none that may be spoken to.")
        elapsed = time.monotonic()
        with _Deadline(self._seconds) as deadline:
            try:
                request = requests.Request("POST", url, data=body, headers=headers).prepare()
                limits = (min(CONNECT_SECONDS_MAX, self._seconds), self._seconds)
                response = self._adapter.send(request, stream=True, timeout=limits, verify=True)
                if deadline.over:  # headers that were cut look like headers that have ended
                    response.raw.close()
                    raise TimeoutError
                _drain(response, deadline)
            except (
                AddressRefusedError,
                requests.RequestException,
                HTTPError,
                HTTPException,
                OSError,
                ValueError,
            ) as error:
                raise UnreachableError(_why(error, deadline, self._seconds)) from None
        milliseconds = round((time.monotonic() - elapsed) * 1_000)
        return Answer(response.status_code, _seconds(response.headers.get("Retry-After", "")), milliseconds)


def _drain(response: requests.Response, deadline: _Deadline) -> None:
    """Read what little there is, so that the connection can be used again; else give the connection up."""
    left = BODY_BYTES_MAX
    with suppress(HTTPError, HTTPException, OSError):
        while left > 0 and not deadline.over:
            read = response.raw.read1(left, decode_content=False)
            if not read:
                response.raw.release_conn()
                return
            left -= len(read)
    response.raw.close()


def _why(error: Exception, deadline: _Deadline, seconds: float) -> str:
    told: tuple[tuple[type[Exception], str], ...] = (
        (AddressRefusedError, "The host leads to an address that is not allowed."),
        (NameResolutionError, "The host has no address."),
        (requests.exceptions.SSLError, "The TLS connection failed: its certificate was not accepted, or it has none."),
        (requests.exceptions.ConnectTimeout, "No connection came about in time."),
        (NewConnectionError, "No connection came about."),
    )
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if deadline.over or isinstance(error, requests.exceptions.ReadTimeout):
        return f"There was no answer within {seconds:g} seconds."
    for kind, sentence in told:
        if isinstance(error, kind) or isinstance(reason, kind):
            return sentence
    return "The connection broke off before there was an answer."


def _seconds(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
