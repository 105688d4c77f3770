"""What the tiers slice refuses."""

from collections.abc import Sequence

from loyalty.core.errors import NotFound, RuleRefused


class LadderInvalid(RuleRefused):
    """The ladder cannot be published as it is."""

    code = "ladder-invalid"


class LadderNotFound(NotFound):
    """There is no such ladder."""

    code = "ladder-not-found"


class TierUnknown(RuleRefused):
    """The ladder in force has no such tier."""

    code = "tier-unknown"

    def __init__(self, tier: str, tiers: Sequence[str]) -> None:
        detail = f"There is no tier '{tier}'. There are: {', '.join(tiers)}."
        super().__init__(detail, tier=tier, tiers=list(tiers))


class NotPinned(RuleRefused):
    """The member has no tier by hand."""

    code = "not-pinned"

    def __init__(self, customer_id: str) -> None:
        super().__init__(f"No tier of '{customer_id}' is pinned.", customer_id=customer_id)
