"""Every report there is."""

from loyalty.kpis.domain import Report
from loyalty.kpis.reports import (
    behaviour,
    breakage,
    cohorts,
    earning,
    feedback,
    increment,
    liability,
    offers,
    participation,
    redemption,
    tiers,
)

REPORTS: tuple[Report, ...] = (
    participation.REPORT, redemption.REPORT, breakage.REPORT, behaviour.REPORT, tiers.REPORT, liability.REPORT,
    offers.REPORT, increment.REPORT, feedback.REPORT, cohorts.REPORT, earning.REPORT,
)  # fmt: skip
