"""`loyalty serve` and the commands beside it, as real processes: starting, refusing, stopping."""

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from loyalty.db.embedded import database_url, embedded_server
from tests.builders import order_json
from tests.faults.service import ROOT, WORKERS, Ended, Place, Service, a_place, call, serving, until

# A first start makes a database, which takes longer; a second one needs three seconds on a machine with nothing to do.
QUICK_SECONDS = 20

WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'loyalty' AND wait_event_type = 'Lock'"


@dataclass(frozen=True)
class Home:
    """Where a service has run before, and was stopped by Ctrl-C."""

    place: Place
    key: str
    exit_code: int
    log: str
    left: list[psutil.Process]


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with a_place(LOYALTY_LOCK_TIMEOUT_MS="30000") as place:
        with serving(place) as service:
            key = service.key
            assert key is not None, service.log
            assert call(place.port, "PUT", "/v1/members/c-42", {}, key=key).status == 201
            order = order_json(order_id="A-1001", currency="USD")
            assert call(place.port, "POST", "/v1/orders", order, key=key).json["points"]["awarded"] == 30
            exit_code = service.stop(signal.SIGINT)
        yield Home(place, key, exit_code, service.log, service.processes() + list(place.database_processes().values()))


def assert_one_sentence(ended: Ended, *parts: str) -> None:
    assert ended.code != 0
    assert ended.stdout == ""
    assert re.fullmatch(r"Error: [A-Z][^\n]+\n", ended.stderr), ended.stderr
    for part in parts:
        assert part in ended.stderr


def test_the_first_start_shows_a_key_and_ctrl_c_stops_everything(home: Home):
    assert re.fullmatch(r"loy_[\w-]{43}", home.key)
    assert "Serving on" in home.log
    assert "Traceback" not in home.log
    assert home.exit_code == 0
    assert home.left == []
    assert home.place.is_free()
    assert list((home.place.folder / "tmp").iterdir()) == []


def test_the_second_start_is_quick_shows_no_key_and_finds_everything_again(home: Home):
    began = time.monotonic()
    with serving(home.place) as service:
        assert time.monotonic() - began < QUICK_SECONDS
        assert service.key is None
        assert "loy_" not in service.log
        assert call(home.place.port, "GET", "/v1/members/c-42/balance", key=home.key).json["available"] == 30
        assert call(home.place.port, "GET", "/v1/orders/A-1001", key=home.key).status == 200

        # `kill` of the process that was started, rather than Ctrl-C of the whole group.
        service.process.terminate()

        assert service.wait() == 0
    assert home.place.database_processes() == {}
    assert home.place.is_free()
    assert list((home.place.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_start_leaves_no_database_behind(home: Home, number: signal.Signals):
    service = Service(home.place)
    try:
        service.until(home.place.database_processes, "PostgreSQL to be started")
        assert service.stop(number) != 0, "the start was over before the signal came"
    finally:
        service.kill()
    assert home.place.database_processes() == {}
    assert home.place.is_free()


def test_commands_work_beside_a_running_service(home: Home):
    place = home.place
    with serving(place) as service:
        postmaster = place.postmaster()
        created = place.run("keys", "create", "--program", "demo", "--scope", "members:read", "--name", "a till")
        assert (created.code, created.stderr) == (0, "")
        assert re.fullmatch(r"loy_[\w-]{43}\n", created.stdout)
        key = created.stdout.strip()
        assert call(place.port, "GET", "/v1/members/c-42/balance", key=key).status == 200
        assert call(place.port, "POST", "/v1/orders", order_json(), key=key).status == 403

        listed = place.run("keys", "list", "--program", "demo").stdout
        assert re.search(rf"^{re.escape(key[:11])}  active +members:read  a till$", listed, re.MULTILINE)
        assert place.run("keys", "revoke", key[:11]).code == 0
        service.until(lambda: call(place.port, "GET", "/v1/members/c-42", key=key).status == 401, "the key to end")

        assert place.run("programs", "create", "--code", "beside").code == 0
        assert_one_sentence(place.run("programs", "create", "--code", "beside"), "'beside'")
        assert "beside" in place.run("programs", "list").stdout.splitlines()
        assert "The books are in order" in place.run("verify").stdout
        assert place.postmaster() == postmaster
        assert service.is_ready()


def test_commands_work_without_a_service_and_stop_the_database_they_started(home: Home):
    place = home.place
    key = place.run("keys", "create", "--program", "demo", "--scope", "admin").stdout.strip()
    assert place.database_processes() == {}
    assert re.search(rf"{re.escape(key[:11])}  active", place.run("keys", "list", "--program", "demo").stdout)
    assert "demo" in place.run("programs", "list").stdout.splitlines()
    verified = place.run("verify", "--program", "demo", "--member", "c-42")
    assert (verified.code, verified.stderr) == (0, "")
    assert place.database_processes() == {}


def test_the_contract_needs_no_database(tmp_path: Path):
    with a_place() as place:
        printed = place.run("openapi", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
        assert printed.stdout == (ROOT / "openapi.yaml").read_text()
        assert not place.data_dir.exists()


def test_a_worker_that_ends_is_replaced_and_the_service_goes_on(home: Home):
    with serving(home.place) as service:
        for number in (signal.SIGTERM, signal.SIGKILL):
            worker = service.workers()[0]
            os.kill(worker, number)
            service.until(lambda gone=worker: gone not in service.workers(), "the worker to end")
            service.until(lambda: len(service.workers()) == WORKERS, "the worker to be replaced")
            # More requests than there are workers, of operations that were not measured before.
            for path in ("/metrics", "/v1/members/c-42", "/v1/rewards", "/v1/admin/program") * 3:
                assert call(home.place.port, "GET", path, key=home.key).status == 200, service.log


def test_an_order_that_is_being_recorded_when_the_service_is_told_to_stop_is_still_answered(home: Home):
    place, answers = home.place, []
    order = order_json(order_id="at-closing-time", currency="USD")
    sender = threading.Thread(
        target=lambda: answers.append(call(place.port, "POST", "/v1/orders", order, key=home.key))
    )
    with serving(place) as service, embedded_server(place.data_dir) as server:
        url = database_url(server, "loyalty")
        with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as watching:
            other.execute("SELECT FROM members FOR UPDATE")
            sender.start()
            service.until(lambda: watching.execute(WAITING).fetchone(), "the order to wait for its member")
            service.process.terminate()
            service.until(lambda: len(service.workers()) < WORKERS, "the idle worker to end")
        sender.join()
        assert answers[0].status == 201, service.log
        assert service.wait() == 0


def test_workers_of_a_killed_service_end_by_themselves_and_the_last_one_stops_the_database(home: Home):
    with serving(home.place) as service:
        service.process.kill()
        service.wait()
        until(lambda: not home.place.database_processes(), "PostgreSQL to be stopped")
        assert home.place.is_free()


def test_a_port_in_use_is_told_in_one_sentence():
    with a_place() as place, closing(socket.create_server(("127.0.0.1", place.port))):
        assert_one_sentence(place.run("serve"), f"Port {place.port} is in use")
        assert not place.data_dir.exists()


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("PORT", "eighty", "PORT is 'eighty'"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing", "127.0.0.1/nothing) cannot be reached"),
        ("DATABASE_URL", "sqlite:///shop.db", "not the URL of a PostgreSQL"),
        ("DATABASE_URL", "a shop", "not the URL of a PostgreSQL"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told_in_one_sentence(variable: str, value: str, part: str):
    with a_place() as place:
        assert_one_sentence(place.run("serve", "--demo-program", **{variable: value}), part)
        assert not place.data_dir.exists()


def test_a_broken_data_directory_is_told_in_one_sentence():
    with a_place() as place:
        place.data_dir.write_text("a file")
        assert_one_sentence(place.run("serve"), str(place.data_dir), "LOYALTY_DATA_DIR")

        place.data_dir.unlink()
        (place.data_dir / "postgres").mkdir(parents=True)
        (place.data_dir / "postgres" / "notes.txt").write_text("not a database")
        assert_one_sentence(place.run("serve"), str(place.data_dir), "LOYALTY_DATA_DIR")
        assert place.database_processes() == {}


def test_commands_work_on_a_database_of_ones_own_once_it_is_migrated():
    with a_place() as place, embedded_server(place.folder / "other", durable=False) as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
            connection.execute("CREATE ROLE guest LOGIN")
        url = database_url(server, "shop")

        assert_one_sentence(place.run("verify", DATABASE_URL=url), "loyalty migrate")
        assert_one_sentence(place.run("settle", DATABASE_URL=url), "loyalty migrate")
        as_guest = url.replace("postgres@", "guest@", 1)
        assert_one_sentence(place.run("migrate", DATABASE_URL=as_guest), "permission denied")
        assert place.run("migrate", DATABASE_URL=url).code == 0
        assert place.run("programs", "create", "--code", "shop", DATABASE_URL=url).code == 0
        assert place.run("keys", "create", "--program", "shop", "--scope", "admin", DATABASE_URL=url).code == 0
        assert place.run("verify", DATABASE_URL=url).code == 0
        assert not place.data_dir.exists()
