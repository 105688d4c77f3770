"""What the tiers slice refuses."""

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class LadderNotFound(NotFound):
    """There is no such ladder."""

    code = "ladder-not-found"


class LadderInvalid(RuleRefused):
    """The ladder cannot be published as it is."""

    code = "ladder-invalid"


class NothingToPublish(Conflict):
    """There is no draft."""

    code = "nothing-to-publish"
