"""What the rehearsals slice refuses."""

from loyalty.core.errors import NotFound


class RehearsalNotFound(NotFound):
    """There is no such rehearsal."""

    code = "rehearsal-not-found"
