"""Whatever Apprise reaches: here a service that takes JSON, on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loyalty.core.errors import OperatorError
from loyalty.notifications.carriers import services
from loyalty.notifications.carriers.carrier import Missed, Refused
from loyalty.notifications.carriers.services import services_from
from tests.notifications.test_mail import a_parcel

# A library of the library's.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")


class Service(ThreadingHTTPServer):
    """Keeps what it is told, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.told: list[tuple[str, dict]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Hands over what it is sent."""

    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_message_goes_to_the_service_of_the_url(service: Service):
    with services_from(f"{service.url}/sms/{{phone}}").line() as send:
        send(a_parcel(phone="+371 2000"))

    ((path, told),) = service.told
    assert path == "/sms/+371%202000"
    assert (told["title"], told["message"]) == ("Masz 5 punktów", "Cześć Zażółć!\n\nMasz 5 punktów.")


def test_each_service_that_can_reach_the_member_is_used(service: Service):
    both = services_from(f"{service.url}/sms/{{phone}} {service.url}/chat/{{email}}")
    with both.line() as send:
        send(a_parcel(phone=None, email="ada@shop.example"))

    assert [path for path, _ in service.told] == ["/chat/ada@shop.example"]


def test_who_has_no_such_address_is_not_reached(service: Service):
    with services_from(f"{service.url}/{{phone}}").line() as send, pytest.raises(Refused):
        send(a_parcel(phone=None))

    assert service.told == []


def test_a_service_that_does_not_take_it_is_tried_again(service: Service):
    service.status = 503
    with services_from(service.url).line() as send, pytest.raises(Missed):
        send(a_parcel())


def test_without_the_library_the_operator_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    def missing(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(services.importlib, "import_module", missing)
    with pytest.raises(OperatorError, match=r"pip install 'loyalty-engine\[apprise\]'"):
        services_from("json://127.0.0.1")


def test_the_urls_are_shown_nowhere():
    assert "s3cret" not in repr(services_from("json://user:s3cret@127.0.0.1"))
