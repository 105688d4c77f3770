"""Every report there is."""

from loyalty.kpis.domain import Report
from loyalty.kpis.reports import behaviour, cohorts, earning, offers, participation, redemption, tiers

REPORTS: tuple[Report, ...] = (
    participation.REPORT, redemption.REPORT, behaviour.REPORT, tiers.REPORT, offers.REPORT, cohorts.REPORT,
    earning.REPORT,
)  # fmt: skip
