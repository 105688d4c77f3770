"""A shop's own server, on a real socket: it keeps what it is sent, and answers what a test wants."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Received:
    """One request."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What arrived, in order. `answer` decides on the status, and may do as it likes with the connection."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], int | tuple[int, dict[str, str]]] = lambda _received: 204
    misbehave: Callable[[BaseHTTPRequestHandler], bool] = lambda _handler: False
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0
    at_once_most: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def told(self) -> list[dict[str, Any]]:
        """The bodies of what arrived."""
        return [received.json for received in self.received]

    def numbers(self, customer_id: str | None = None) -> list[int]:
        """The numbers of what arrived, of one member if one is named."""
        return [told["sequence"] for told in self.told() if customer_id in (None, told["customer_id"])]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed while it wrote: nothing has arrived
                self.close_connection = True
                return
            received = Received({name.lower(): value for name, value in self.headers.items()}, body, self.path)
            with receiver.lock:
                receiver.at_once += 1
                receiver.at_once_most = max(receiver.at_once, receiver.at_once_most)
            try:
                if receiver.misbehave(self):
                    self.close_connection = True
                    return
                answer = receiver.answer(received)
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                with receiver.lock:
                    receiver.received.append(received)
            finally:
                with receiver.lock:
                    receiver.at_once -= 1
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", "2")
            self.end_headers()
            if status != 204:
                self.wfile.write(b"{}")

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

        def handle_error(self, *_args: Any) -> None:
            """Who hangs up does so on purpose."""

    server = Server(("127.0.0.1", port), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
