"""What the tiers slice refuses."""

from loyalty.core.errors import NotFound


class LadderNotFound(NotFound):
    """There is no such ladder."""

    code = "ladder-not-found"
