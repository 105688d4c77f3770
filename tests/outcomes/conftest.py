"""Time stands still, and offers are ranked as the test says."""

from tests.personalisation.conftest import ranker, today

__all__ = ["ranker", "today"]
