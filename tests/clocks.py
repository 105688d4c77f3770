"""Telling the service what time it is, so that a test over HTTP does not depend on the day it runs."""

from datetime import datetime, timedelta

import pytest

from loyalty.core import clock


def it_is(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    """From now on, and until the test ends or says otherwise, it is `instant`; later in sandboxes that run ahead."""
    monkeypatch.setattr(clock, "real_now", lambda: instant)
    monkeypatch.setattr(clock, "wait_until", lambda _: None)
    # Where time stands still, work takes none.
    monkeypatch.setattr(clock, "stopwatch", lambda: lambda: timedelta(0))
