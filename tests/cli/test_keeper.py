"""Keeping a worker: one at a time, with patience for one that dies again and again, and none after the end."""

import os
import sys
import time
from collections.abc import Iterator
from itertools import pairwise

import psutil
import pytest

from loyalty.cli import keeper as keeping
from loyalty.cli.keeper import Keeper
from loyalty.config import Settings, for_a_child

DIES = (sys.executable, "-c", "raise SystemExit(1)")
LIVES = (sys.executable, "-c", "import sys; sys.stdin.read()")
STUBBORN = (
    *(sys.executable, "-c"),
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); sys.stderr.close(); sys.stdin.read()",
)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    made = Keeper(dict(os.environ))
    yield made
    made.stop()


def worker_of(keeper: Keeper) -> psutil.Process:
    assert keeper._process is not None
    return psutil.Process(keeper._process.pid)


@pytest.mark.parametrize("lived", [0.0, 59.0, 61.0])
def test_who_dies_again_and_again_is_given_more_and_more_time(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, lived: float
):
    monkeypatch.setattr(keeping, "COMMAND", DIES)
    now, starts = 1_000.0, []
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(9):
        keeper.look_after()
        starts.append(now)
        worker_of(keeper).wait()
        died = now = now + lived
        keeper.look_after()
        now = keeper._next - 0.1
        keeper.look_after()
        assert keeper._process is None, f"started too early, {now - died} s after its death"
        now += 0.1

    pauses = [round(after - before - lived) for before, after in pairwise(starts)]

    assert pauses == ([1] * 8 if lived > 60 else [1, 2, 4, 8, 16, 32, 60, 60])


def test_there_is_one_worker_at_a_time_and_none_after_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "COMMAND", LIVES)
    with keeping.keeping(dict(os.environ)) as keeper:
        keeper.look_after()
        worker = worker_of(keeper)
        keeper.look_after()
        assert worker_of(keeper) == worker
    assert not worker.is_running()


def test_a_worker_that_does_not_end_in_time_is_killed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "COMMAND", STUBBORN)
    monkeypatch.setattr(keeping, "STOP_SECONDS", 0.2)
    with keeping.keeping(dict(os.environ)) as keeper:
        keeper.look_after()
        worker = worker_of(keeper)
    assert not worker.is_running()


def test_a_service_that_ends_before_its_worker_was_started_has_nothing_to_stop():
    with keeping.keeping({}) as keeper:
        assert keeper._process is None


def test_a_worker_finds_the_database_as_its_keeper_did_and_measures_for_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/somewhere")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://loyalty_service@/the_embedded_one")
    monkeypatch.setenv("LOYALTY_LOCK_TIMEOUT_MS", "700")

    environment = for_a_child(Settings(database_url=""))

    assert environment["DATABASE_URL"] == ""
    assert environment["LOYALTY_LOCK_TIMEOUT_MS"] == "700"
    assert "PROMETHEUS_MULTIPROC_DIR" not in environment
