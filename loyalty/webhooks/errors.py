"""What the webhooks slice refuses."""

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class WebhookNotFound(NotFound):
    """There is no such webhook."""

    code = "webhook-not-found"


class UrlRefused(RuleRefused):
    """Nothing is sent to this URL."""

    code = "webhook-url-refused"


class TypesUnknown(RuleRefused):
    """No fact of these types is ever told."""

    code = "fact-types-unknown"


class TooManyWebhooks(RuleRefused):
    """The program has as many webhooks as it may have."""

    code = "too-many-webhooks"


class ReplayForgotten(Conflict):
    """What is to be sent again is no longer kept here."""

    code = "replay-forgotten"


class ReplayUnknown(RuleRefused):
    """What is to be sent again was never given."""

    code = "replay-unknown"


class ReplayTooLong(RuleRefused):
    """That is more than can be sent again at once."""

    code = "replay-too-long"
