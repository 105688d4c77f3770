"""Every report there is."""

from loyalty.kpis.domain import Report
from loyalty.kpis.reports import earning, offers, participation, redemption, tiers

REPORTS: tuple[Report, ...] = (
    participation.REPORT, redemption.REPORT, earning.REPORT, tiers.REPORT, offers.REPORT,
)  # fmt: skip
