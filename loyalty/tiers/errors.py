"""What the tiers slice refuses."""

from loyalty.core.errors import NotFound, RuleRefused


class LadderInvalid(RuleRefused):
    """The ladder cannot be published as it is."""

    code = "ladder-invalid"


class LadderNotFound(NotFound):
    """There is no such ladder."""

    code = "ladder-not-found"
