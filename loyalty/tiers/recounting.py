"""What changes about a member's tier beside an order or an activity: something came back, or was decided by hand."""

from datetime import datetime

from loyalty.db.session import Session
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from loyalty.tiers import queries, reading
from loyalty.tiers.domain import NOTHING, Ladders
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import News, Standing, count, settle


def take_back(
    session: Session, program: Program, member: LockedMember, news: News, *, now: datetime
) -> tuple[Standing, Standing, Ladders]:
    """The standing before and after something came back that had counted. One statement, where there is a ladder."""
    ladders = queries.ladders(session, program)
    before = settle(standing_of(session, ladders, member, news.at, now=now), ladders, now=now)
    after = before if news.amounts == NOTHING else count(before, ladders, news, now=now)
    return before, after, ladders


def standing_of(
    session: Session, ladders: Ladders, member: LockedMember, news_at: datetime | None, *, now: datetime
) -> Standing:
    """Where a member stands, as it is recorded; with all that ever counted, if there is no saying since when."""
    asked = Asked(member.member_id, member.enrolled_at, news_at)
    found = reading.standings(session, ladders, [asked], now=now)
    return found.get(member.member_id) or reading.standings_from({}, ladders, [asked], now=now)[member.member_id]
