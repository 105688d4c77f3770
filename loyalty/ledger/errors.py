"""What the ledger refuses."""

from datetime import datetime

from loyalty.core.errors import Conflict, NotFound, RuleRefused


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


class HoldNotFound(NotFound):
    """There is no such hold in this program."""

    code = "hold-not-found"

    def __init__(self, hold_id: str) -> None:
        super().__init__(f"No hold '{hold_id}' was made in this program.", hold_id=hold_id)


class HoldResolved(Conflict):
    """The hold has been resolved already."""

    code = "hold-resolved"

    def __init__(self, hold_id: str, *, status: str, resolved_at: datetime) -> None:
        detail = f"Hold '{hold_id}' is already {status}, since {resolved_at.isoformat()}."
        super().__init__(detail, hold_id=hold_id, hold_status=status, resolved_at=resolved_at)


class CaptureExceedsHold(RuleRefused):
    """More was to be captured than is held."""

    code = "capture-exceeds-hold"

    def __init__(self, *, held: int, required: int) -> None:
        super().__init__(f"{required} to be captured, {held} held.", held=held, required=required)


class OrderCancelled(Conflict):
    """The order was cancelled."""

    code = "order-cancelled"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order '{order_id}' was cancelled: all of it came back.", order_id=order_id)


class HoldsOpen(RuleRefused):
    """Points are on hold."""

    code = "holds-open"


class SelfTransfer(RuleRefused):
    """Points are transferred to somebody else."""

    code = "self-transfer"


class LotNotFound(NotFound):
    """The member has no such lot."""

    code = "lot-not-found"

    def __init__(self, lot: int) -> None:
        super().__init__(f"The member has no lot {lot}.", lot=lot)


class NothingToReinstate(RuleRefused):
    """The lot did not lapse with so many points."""

    code = "nothing-to-reinstate"

    def __init__(self, *, required: int, lapsed: int) -> None:
        detail = f"{required} to be brought back, {lapsed} lapsed and did not come back yet."
        super().__init__(detail, required=required, lapsed=lapsed)


class ReinstatementTooLate(RuleRefused):
    """The lot lapsed too long ago."""

    code = "reinstatement-too-late"


class TimeUnknown(RuleRefused):
    """What was known at a time says nothing of later times."""

    code = "as-of-after-known-at"
