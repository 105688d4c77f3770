"""What happens to members by itself."""

from loyalty.activities import birthdays, referrals
from loyalty.core import clock
from loyalty.db.session import Session


def thank_for_referrals(session: Session) -> int:
    """Give both sides of a referral what it is worth, once the friend has bought something."""
    return referrals.thank_batch(session, now=clock.real_now())


# Days begin at different hours in different zones.
def keep_birthdays(session: Session) -> int:
    """Record the birthdays of today, and of the days on which no worker ran."""
    return birthdays.keep_batch(session, now=clock.real_now())
