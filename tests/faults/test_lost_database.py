"""A service that loses its connections, or gets none: callers are told to try again, and nobody has to restart it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from psycopg.rows import scalar_row

from loyalty.db.embedded import database_url, embedded_server
from tests.builders import order_json
from tests.faults.service import Answer, Place, Service, a_place, call, serving, until

# More than the pools of all workers together would open one after the other.
EVERY_CONNECTION = 12
_WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'loyalty' AND wait_event_type = 'Lock'"
_CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'loyalty'"
_TERMINATE_ALL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'loyalty'"


class Till:
    """A shop's connection to the service, and one behind its back to the database."""

    def __init__(self, service: Service, url: str) -> None:
        assert service.key is not None, service.log
        self.service, self.place, self.key, self.url = service, service.place, service.key, url
        assert self.call("PUT", "/v1/members/c-42", {}).status == 201

    def call(self, method: str, path: str, body: object = None) -> Answer:
        return call(self.place.port, method, path, body, key=self.key)

    def order(self, order_id: str) -> Answer:
        return self.call("POST", "/v1/orders", order_json(order_id=order_id, currency="USD"))

    def ask(self, sql: str) -> object:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.cursor(row_factory=scalar_row).execute(sql).fetchone()

    @contextmanager
    def member_locked(self) -> Iterator[None]:
        with psycopg.connect(self.url) as connection:
            connection.execute("SELECT FROM members FOR UPDATE")
            yield

    def all_at_once(self, paths: list[str]) -> list[Answer]:
        """One request per path, all at the same time: every worker and every pooled connection has to do with it."""
        answers: list[Answer] = []
        threads = [threading.Thread(target=lambda p=path: answers.append(self.call("GET", p))) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers


@pytest.fixture(scope="module")
def till() -> Iterator[Till]:
    with a_place() as place, serving(place) as service:
        with embedded_server(place.data_dir) as server:
            yield Till(service, database_url(server, "loyalty"))
        assert verified(place)
        service.stop()


def verified(place: Place) -> bool:
    return place.run("verify").code == 0


def assert_told_to_try_again(answer: Answer) -> None:
    assert answer.status == 503, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert answer.json["code"] == "unavailable"
    assert answer.json["status"] == 503
    # No word of internals.
    assert "psycopg" not in str(answer.json)
    assert "terminat" not in str(answer.json)


def can_connect(url: str, crowd: ExitStack) -> bool:
    """Take one more of the embedded server's hundred connections, if there is one."""
    try:
        crowd.enter_context(psycopg.connect(url))
    except psycopg.OperationalError:
        return False
    return True


def test_connections_that_were_lost_while_idle_are_replaced_and_no_caller_notices(till: Till):
    paths = ["/v1/members/c-42/balance"] * EVERY_CONNECTION
    till.all_at_once(paths)
    assert till.ask(_TERMINATE_ALL) > 0
    until(lambda: till.ask(_CONNECTED) == 0, "the connections to end")

    answers = till.all_at_once(paths)

    assert [answer.status for answer in answers] == [200] * EVERY_CONNECTION, till.service.log
    assert till.order("after-idle-loss").status == 201


def test_a_connection_lost_in_the_middle_of_an_order_is_a_503_and_the_retry_records_it_once(till: Till):
    answers: list[Answer] = []
    before = till.call("GET", "/v1/members/c-42/balance").json["available"]
    sender = threading.Thread(target=lambda: answers.append(till.order("cut-off")))
    with till.member_locked():
        sender.start()
        until(lambda: till.ask(_WAITING), "the order to wait for its member", lambda: till.service.log)
        till.ask(_TERMINATE_ALL)
        sender.join()

    assert_told_to_try_again(answers[0])
    retried = till.order("cut-off")
    assert (retried.status, retried.is_replay) == (201, False)
    assert till.order("cut-off").is_replay
    assert till.call("GET", "/v1/members/c-42/balance").json["available"] == before + 30


def test_a_member_who_is_locked_for_too_long_is_a_503_and_the_retry_records_the_order(till: Till):
    with till.member_locked():
        assert_told_to_try_again(till.order("locked-out"))

    assert till.order("locked-out").status == 201


def test_a_database_that_takes_no_more_connections_is_a_503_until_it_does(till: Till):
    with ExitStack() as crowd:
        till.ask(_TERMINATE_ALL)
        while can_connect(till.url, crowd):
            pass

        assert_told_to_try_again(till.order("crowded-out"))
        assert call(till.place.port, "GET", "/healthz").status == 200
        assert_told_to_try_again(till.call("GET", "/readyz"))

    assert till.order("crowded-out").status == 201
