"""What the ledger refuses."""

from loyalty.core.errors import RuleRefused


class InsufficientPoints(RuleRefused):
    """The member does not hold enough points."""

    code = "insufficient-points"

    def __init__(self, *, required: int, available: int, unit: str) -> None:
        missing = required - available
        detail = f"{required} {unit} needed, {available} available, {missing} missing."
        super().__init__(detail, required=required, available=available, missing=missing, unit=unit)


class UnitUnknown(RuleRefused):
    """The program has no such unit."""

    code = "unit-unknown"

    def __init__(self, unit: str) -> None:
        super().__init__(f"This program has no unit '{unit}'.", unit=unit)
