"""What the personalisation slice refuses."""

from loyalty.core.errors import NotFound, RuleRefused


class OffersInvalid(RuleRefused):
    """The offers cannot be published as they are."""

    code = "offers-invalid"


class OfferSetNotFound(NotFound):
    """There are no such offers."""

    code = "offer-set-not-found"
