"""What the earning slice refuses."""

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class RulesInvalid(RuleRefused):
    """The rules cannot be published as they are."""

    code = "rules-invalid"


class NothingToPublish(Conflict):
    """There is no draft."""

    code = "nothing-to-publish"


class EffectiveFromPast(RuleRefused):
    """Rules cannot come into force in the past: orders were judged by their predecessors."""

    code = "effective-from-past"


class RuleSetNotFound(NotFound):
    """There is no such published version."""

    code = "rule-set-not-found"
