"""Time stands still, configuration is seen at once, and offers are ranked as the test says."""

import pytest

from tests.builders import NOW
from tests.clocks import it_is
from tests.personalisation.shelf import Ranker


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)


@pytest.fixture
def ranker(today: None, monkeypatch: pytest.MonkeyPatch) -> Ranker:
    """How offers are ranked; time stands still."""
    del today
    made = Ranker()
    monkeypatch.setattr("loyalty.personalisation.ranking.rank", made)
    monkeypatch.setattr("loyalty.personalisation.ranking.explain", made.explain)
    return made
