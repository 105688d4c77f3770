"""Coupons that were mailed in the past, as values. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A coupon that came back: when, and with which order."""

    at: datetime
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Coupons mailed to members, from `begins` until before `ends`. Each recipient was issued so many `coupons`.

    `redeemed`: what each recipient brought back, in the order of time; it may be more than was issued.
    """

    code: str
    group: str
    title: str
    begins: datetime
    ends: datetime
    coupons: int
    recipients: tuple[str, ...]
    redeemed: dict[str, tuple[Redeemed, ...]]

    @property
    def issued(self) -> int:
        """The coupons of all recipients."""
        return self.coupons * len(self.recipients)
