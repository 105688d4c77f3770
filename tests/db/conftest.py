"""What the tests of the queue share."""

from collections.abc import Iterator

import pytest
from flask import Flask
from procrastinate.periodic import PeriodicDeferrer

from loyalty.config import Settings
from loyalty.worker import on_database
from tests.db.queueing import empty


@pytest.fixture
def settings(committed_db: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The queue, connected and empty. Only the tests put something into it."""

    async def nothing(_deferrer: PeriodicDeferrer) -> None:
        return

    monkeypatch.setattr(PeriodicDeferrer, "worker", nothing)
    empty()
    settings = Settings(database_url=database_url)
    with on_database(settings):
        yield settings
    empty()
