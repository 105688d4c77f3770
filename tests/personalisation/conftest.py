"""Time stands still, configuration is seen at once, and offers are ranked as the test says."""

import pytest

from tests.builders import NOW
from tests.clocks import it_is
from tests.personalisation.shelf import Ranker


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)


@pytest.fixture
def ranker(monkeypatch: pytest.MonkeyPatch) -> Ranker:
    """How offers are ranked."""
    made = Ranker()
    monkeypatch.setattr("loyalty.personalisation.ranking.rank", made)
    return made
