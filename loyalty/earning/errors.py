"""What the earning slice refuses."""

from loyalty.core.errors import NotFound, RuleRefused


class RulesInvalid(RuleRefused):
    """The rules cannot be published as they are."""

    code = "rules-invalid"


class RuleSetNotFound(NotFound):
    """There is no such published version."""

    code = "rule-set-not-found"
