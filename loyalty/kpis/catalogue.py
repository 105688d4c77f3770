"""Every report there is."""

from loyalty.kpis.domain import Report
from loyalty.kpis.reports import earning, increment, offers, participation, redemption, tiers

REPORTS: tuple[Report, ...] = (
    participation.REPORT, redemption.REPORT, earning.REPORT, tiers.REPORT, offers.REPORT,
    increment.REPORT,
)  # fmt: skip
