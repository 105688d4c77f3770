"""The load: keep-alive connections over loopback, one loop, bytes made beforehand.

It reads of an answer no more than where it ends and whether it is a success, so it takes a small part of the
processor that it shares with what is measured.
"""

import gc
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

CONNECTIONS = 8
# Whoever is silent for so long is not slow but broken.
SILENCE_SECONDS = 20
RECEIVE_BYTES = 262_144


@dataclass(slots=True)
class Round:
    """What one scenario did in one round. `milliseconds` has one value per answer (or per batch, or transaction)."""

    operations: int = 0
    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    sample: str = ""
    server_cpu_seconds: float | None = None
    database_cpu_seconds: float | None = None

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds if self.seconds else 0.0

    def percentile(self, percent: int) -> float:
        """The latency in ms that so many percent of the answers did not exceed."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    sent_at: float = 0.0
    received: bytes = b""


class _Load:
    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.port, self.requests = port, requests
        self.poller = select.epoll()
        self.waiting: dict[int, _Connection] = {}
        self.round = Round()

    def open(self) -> _Connection:
        connection = _Connection(socket.create_connection(("127.0.0.1", self.port), timeout=SILENCE_SECONDS))
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.poller.register(connection.socket, select.EPOLLIN)
        return connection

    def close(self, connection: _Connection) -> None:
        self.poller.unregister(connection.socket)
        connection.socket.close()

    def send(self, connection: _Connection) -> None:
        """Send the next request; without one, hang up."""
        request = next(self.requests, None)
        if request is None:
            self.close(connection)
            return
        connection.received = b""
        self.waiting[connection.socket.fileno()] = connection
        connection.sent_at = time.perf_counter()
        connection.socket.sendall(request)

    def receive(self, descriptor: int) -> _Connection | None:
        """Read; the connection, once its answer is complete."""
        connection = self.waiting[descriptor]
        data = connection.socket.recv(RECEIVE_BYTES)
        connection.received += data
        if not data:
            return self._fail(connection, "connection closed")
        whole = _is_whole(connection.received)
        if whole is None:
            return None
        del self.waiting[descriptor]
        self.round.milliseconds.append((time.perf_counter() - connection.sent_at) * 1000)
        self.round.operations += 1
        if not connection.received.startswith(b"HTTP/1.1 2"):
            self._complain(connection.received[9:12].decode(), connection.received)
        if b"\r\nConnection: close" in connection.received[:whole]:
            self.close(connection)
            return self.open()
        return connection

    def _fail(self, connection: _Connection, what: str) -> _Connection:
        self._complain(what, connection.received)
        del self.waiting[connection.socket.fileno()]
        self.close(connection)
        return self.open()

    def _complain(self, what: str, answer: bytes) -> None:
        self.round.errors[what] += 1
        self.round.sample = self.round.sample or answer.partition(b"\r\n\r\n")[2][:300].decode(errors="replace")


def _is_whole(received: bytes) -> int | None:
    """Where the head of an answer ends, once its body is complete."""
    head = received.find(b"\r\n\r\n")
    if head < 0:
        return None
    start = received.find(b"Content-Length: ", 0, head) + 16
    length = int(received[start : received.index(b"\r", start)]) if start > 15 else 0
    return head if len(received) >= head + 4 + length else None


def run(port: int, requests: Iterator[bytes], *, seconds: float, connections: int = CONNECTIONS) -> Round:
    """Keep `connections` busy for `seconds`, or until there are no more requests."""
    load = _Load(port, requests)
    opened = [load.open() for _ in range(connections)]
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        for connection in opened:
            load.send(connection)
        while load.waiting:
            ready = load.poller.poll(SILENCE_SECONDS)
            if not ready:
                raise SystemExit(f"The server on port {port} has been silent for {SILENCE_SECONDS} s.")
            for descriptor, _ in ready:
                answered = load.receive(descriptor)
                if answered is None:
                    continue
                if time.perf_counter() - began < seconds:
                    load.send(answered)
                else:
                    load.close(answered)
        load.round.seconds = time.perf_counter() - began
    finally:
        gc.enable()
        load.poller.close()
    return load.round


def request(method: str, path: str, *, key: str, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
