"""Every report there is."""

from loyalty.kpis.domain import Report
from loyalty.kpis.reports import (
    behaviour,
    breakage,
    cohorts,
    earning,
    liability,
    offers,
    participation,
    redemption,
    tiers,
)

REPORTS: tuple[Report, ...] = (
    participation.REPORT, redemption.REPORT, breakage.REPORT, behaviour.REPORT, tiers.REPORT, liability.REPORT,
    offers.REPORT, cohorts.REPORT, earning.REPORT,
)  # fmt: skip
